package golden

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder replaces a test that should fail.
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

func TestGenerated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o644))
	for text, failed := range map[string]bool{"old": false, "new": true} {
		r := &recorder{TB: t}
		Generated(r, file, func(now string) error { return os.WriteFile(now, []byte(text), 0o644) })
		assert.Equal(t, failed, r.failed, text)
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "old", string(kept), "the file stays as it is")
}
