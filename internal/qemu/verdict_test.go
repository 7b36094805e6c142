package qemu

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerdictBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache", "kvm.json")
	book := verdictBook{path: path, boot: "monday"}
	_, ok := book.lookup("a")
	require.False(t, ok)

	require.NoError(t, book.note("a", verdict{KVM, "it ran"}))
	require.NoError(t, book.note("b", verdict{TCG, "it hung"}))
	v, ok := book.lookup("a")
	require.True(t, ok)
	require.Equal(t, verdict{KVM, "it ran"}, v)

	_, ok = verdictBook{path: path, boot: "tuesday"}.lookup("a")
	require.False(t, ok, "the host was rebooted")

	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	_, ok = book.lookup("a")
	require.False(t, ok, "a broken file is as good as none")
	require.NoError(t, book.note("a", verdict{KVM, "it ran"}))

	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing temporary is left")
}

func TestVerdictKey(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	qemu := write("qemu", "1")
	key := func(kernel string) string {
		k, err := verdictKey(kernel, qemu)
		require.NoError(t, err)
		return k
	}
	a := key(write("a", "linux"))
	require.Equal(t, a, key(write("elsewhere", "linux")), "the content counts, not the path")
	require.NotEqual(t, a, key(write("b", "linux 2")))
	write("qemu", "12")
	require.NotEqual(t, a, key(filepath.Join(dir, "a")), "another qemu")
}
