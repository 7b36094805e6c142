package solve

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCheckProgress(t *testing.T) {
	for _, mode := range []string{"", "auto", "plain", "rawjson", "quiet"} {
		assert.NoError(t, CheckProgress(io.Discard, mode), mode)
	}
	assert.EqualError(t, CheckProgress(io.Discard, "tty"), `progress "tty" needs a terminal; plain needs none`)
	assert.EqualError(t, CheckProgress(io.Discard, "loud"), `progress "loud" is none of auto, plain, tty, rawjson, quiet`)
}
