package golden

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder takes the place of a test that is to fail.
type recorder struct {
	testing.TB
	failed bool
}

func (*recorder) Helper()                 {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestCheck(t *testing.T) {
	if *update {
		t.Skip("with -update nothing is compared")
	}
	file := filepath.Join(t.TempDir(), "file.txt")
	require.NoError(t, os.WriteFile(file, []byte("a\nb\n"), 0o644))
	for text, failed := range map[string]bool{"a\nb\n": false, "a\nc\n": true, "": true} {
		r := &recorder{TB: t}
		Check(r, file, text)
		assert.Equal(t, failed, r.failed, "%q", text)
	}
}
