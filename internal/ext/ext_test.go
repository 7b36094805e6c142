package ext_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/internal/ext"
)

// disk unpacks an image of testdata, which testdata/make.sh makes.
func disk(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".img.gz")
	require.NoError(t, err)
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	return data
}

func TestRead(t *testing.T) {
	for _, name := range []string{"ext2", "ext4"} {
		t.Run(name, func(t *testing.T) {
			f, err := ext.Read(bytes.NewReader(disk(t, name)))
			require.NoError(t, err)
			assert.Equal(t, "COS_ACTIVE", f.Label())
			assert.EqualValues(t, 4<<20, f.Size())

			var names []string
			require.NoError(t, fs.WalkDir(f, ".", func(name string, _ fs.DirEntry, err error) error {
				if !strings.HasPrefix(name, "many/") {
					names = append(names, name)
				}
				return err
			}))
			assert.Equal(t, []string{".", "etc", "etc/long", "etc/os-release", "etc/short", "large", "lost+found", "many", "sparse", "sudo"}, names)
			many, err := fs.ReadDir(f, "many")
			require.NoError(t, err)
			assert.Len(t, many, 200)

			small, err := fs.ReadFile(f, "etc/os-release")
			require.NoError(t, err)
			assert.Equal(t, "ID=debian\n", string(small))
			large, err := fs.ReadFile(f, "large")
			require.NoError(t, err)
			assert.Equal(t, bytes.Repeat([]byte("0123456789abcdef"), 400<<10/16), large)

			// A hole between two pieces of data, read from its middle.
			sparse, err := f.Open("sparse")
			require.NoError(t, err)
			b := make([]byte, 100<<10)
			n, err := sparse.(io.ReaderAt).ReadAt(b, 150<<10)
			assert.Equal(t, 50<<10+3, n)
			assert.ErrorIs(t, err, io.EOF)
			assert.Equal(t, append(make([]byte, 50<<10), "end"...), b[:n])

			for link, want := range map[string]string{"etc/short": "os-release", "etc/long": "/" + string(bytes.Repeat([]byte("long/"), 20)) + "x"} {
				target, err := fs.ReadLink(f, link)
				require.NoError(t, err)
				assert.Equal(t, want, target)
			}
			info, err := fs.Lstat(f, "sudo")
			require.NoError(t, err)
			assert.Equal(t, fs.ModeSetuid|0o755, info.Mode())
			_, err = f.Open("etc/nothing")
			assert.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

func TestDamaged(t *testing.T) {
	whole := disk(t, "ext4")
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		err    string
	}{
		"empty":     {func([]byte) []byte { return nil }, "read the superblock: "},
		"other":     {func(b []byte) []byte { b[1024+0x38] = 0; return b }, "this is no ext filesystem"},
		"mounted":   {func(b []byte) []byte { b[1024+0x60] |= 0x4; return b }, "the filesystem was not unmounted: its journal has changes that are not in it yet"},
		"encrypted": {func(b []byte) []byte { b[1024+0x62] |= 0x1; return b }, "the filesystem has features that flavorkit cannot read (0x10000)"},
		"truncated": {func(b []byte) []byte { return b[:2048] }, "read the table of groups: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ext.Read(bytes.NewReader(c.change(bytes.Clone(whole))))
			assert.ErrorContains(t, err, c.err)
		})
	}
}

// FuzzRead damages a filesystem in one place, and reads all of it.
func FuzzRead(f *testing.F) {
	disks := [][]byte{disk(f, "ext2"), disk(f, "ext4")}
	f.Add(uint32(1024+0x60), byte(4), false)
	f.Add(uint32(5000), byte(255), true)
	f.Fuzz(func(_ *testing.T, at uint32, value byte, extents bool) {
		data := bytes.Clone(disks[0])
		if extents {
			data = bytes.Clone(disks[1])
		}
		data[int(at)%len(data)] = value
		fsys, err := ext.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			const deepest = 100 // a damaged directory may be in itself
			if err != nil || len(name) > deepest {
				return err
			}
			if d.Type().IsRegular() {
				if file, err := fsys.Open(name); err == nil {
					_, _ = io.CopyN(io.Discard, file, 1<<20)
				}
			}
			return nil
		})
	})
}
