package solve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseOutput(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "directory"), 0o755))
	for _, c := range []struct {
		in    string
		kind  string
		attrs map[string]string
		want  string // the error
	}{
		{in: "DIR/out", kind: client.ExporterLocal},
		{in: "type=local,dest=DIR/out", kind: client.ExporterLocal, attrs: map[string]string{}},
		{in: "type=local,dest=DIR/out,platform-split=false", kind: client.ExporterLocal, attrs: map[string]string{"platform-split": "false"}},
		{in: "type=tar,dest=DIR/a.tar", kind: client.ExporterTar, attrs: map[string]string{}},
		{in: "TYPE=oci,dest=DIR/a.tar,\"annotation.x=a,b\"", kind: client.ExporterOCI, attrs: map[string]string{"annotation.x": "a,b", "rewrite-timestamp": "true"}},
		{in: "type=oci,dest=DIR/out,tar=false", kind: client.ExporterOCI, attrs: map[string]string{"tar": "false", "rewrite-timestamp": "true"}},
		{in: "type=docker,dest=DIR/a.tar", kind: client.ExporterDocker, attrs: map[string]string{"rewrite-timestamp": "true"}},
		{in: "type=oci,dest=DIR/b.tar,rewrite-timestamp=false", kind: client.ExporterOCI, attrs: map[string]string{"rewrite-timestamp": "false"}},
		{in: "type=image,unpack=true", kind: client.ExporterImage, attrs: map[string]string{"unpack": "true"}},
		{in: "type=image,name=acme/os,push=true", kind: client.ExporterImage, attrs: map[string]string{"name": "acme/os", "push": "true", "rewrite-timestamp": "true"}},
		{in: "type=registry,name=acme/os", kind: client.ExporterImage, attrs: map[string]string{"name": "acme/os", "push": "true", "rewrite-timestamp": "true"}},
		{in: "type=image,dest=DIR/none", kind: client.ExporterImage, attrs: map[string]string{"rewrite-timestamp": "true"}},
		{in: "", want: "an output is empty; name a directory"},
		{in: "type=local", want: `output "type=local": add dest=…`},
		{in: "type=oci", want: `output "type=oci": add dest=…`},
		{in: "dest=DIR/x", want: `output "dest=DIR/x": the type is none of local, tar, oci, docker, image, registry`},
		{in: "type=iso,dest=x", want: `output "type=iso,dest=x": the type is none of local, tar, oci, docker, image, registry`},
		{in: "type=oci,x", want: `output "type=oci,x": "x" is not key=value`},
		{in: "type=oci,dest=DIR/directory", want: `DIR/directory is a directory; name a file in it`},
	} {
		t.Run(c.in, func(t *testing.T) {
			d, err := ParseOutput(strings.ReplaceAll(c.in, "DIR", dir))
			assert.Empty(t, hidden(t, dir), "nothing is touched yet")
			var o *Output
			if err == nil {
				o, err = d.Open()
			}
			if c.want != "" {
				require.Error(t, err)
				assert.Equal(t, c.want, strings.ReplaceAll(err.Error(), dir, "DIR"))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, !strings.Contains(c.in, "="), d.Plain)
			assert.Equal(t, c.kind != client.ExporterLocal && c.kind != client.ExporterTar, d.TakesName())
			assert.Equal(t, c.kind, o.Entry.Type)
			assert.Equal(t, c.attrs, o.Entry.Attrs)
			require.NoError(t, o.Discard())
		})
	}
	assert.Empty(t, hidden(t, dir), "Discard leaves nothing")
}

// hidden are the directories of builds that are not done.
func hidden(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, partialPrefix+"*"))
	require.NoError(t, err)
	return found
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
}

// read returns all files below a directory that are not hidden, by path.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			if err == nil && strings.HasPrefix(info.Name(), partialPrefix) {
				return filepath.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir+"/")] = string(data)
		return err
	}))
	return files
}

func TestDirAppearsOnCommit(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.iso": "former", "mine.txt": "mine", "sub/mine.txt": "mine", "sub/x": "former"})
	o, err := OutputDir(dir)
	require.NoError(t, err)
	before := read(t, dir)
	write(t, o.Entry.OutputDir, map[string]string{"a.iso": "new", "a.iso.sha256": "new", "sub/x": "new", "sub/deep/y": "new"})
	assert.Equal(t, before, read(t, dir), "nothing before Commit")

	files, err := o.Commit()
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(dir, "a.iso"), filepath.Join(dir, "a.iso.sha256"), filepath.Join(dir, "sub")}, files)
	assert.Equal(t, map[string]string{
		"a.iso": "new", "a.iso.sha256": "new", "sub/x": "new", "sub/deep/y": "new",
		"mine.txt": "mine", "sub/mine.txt": "mine",
	}, read(t, dir), "what the user has there stays")
	assert.Empty(t, hidden(t, dir))
	assert.NoError(t, o.Discard(), "Discard after Commit")
}

func TestFileAppearsOnCommit(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "new", "a.tar")
	for _, text := range []string{"first", "second"} {
		o, err := OutputImage(file)
		require.NoError(t, err)
		assert.Equal(t, "true", o.Entry.Attrs["rewrite-timestamp"])
		before := read(t, dir)
		w, err := o.Entry.Output(nil)
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		assert.Equal(t, before, read(t, dir), "nothing before Commit")
		files, err := o.Commit()
		require.NoError(t, err)
		assert.Equal(t, []string{file}, files)
		assert.Equal(t, map[string]string{"new/a.tar": text}, read(t, dir))
	}
}

func TestCommitTakesNoDirAway(t *testing.T) {
	for name, c := range map[string]struct{ there, built, want string }{
		"file over directory": {"x/mine", "x", "x is a directory"},
		"directory over file": {"x", "x/new", "x is not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{c.there: "mine"})
			o, err := OutputDir(dir)
			require.NoError(t, err)
			write(t, o.Entry.OutputDir, map[string]string{c.built: "new"})
			_, err = o.Commit()
			require.Error(t, err)
			assert.Equal(t, "move the result to its destination: "+filepath.Join(dir, c.want), err.Error())
			require.NoError(t, o.Discard())
			assert.Equal(t, map[string]string{c.there: "mine"}, read(t, dir))
		})
	}
}

// TestSweep leaves the directories that a process holds, and what only looks like one of ours.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	other, err := OutputDir(dir)
	require.NoError(t, err)
	const killed, users = partialPrefix + "partial-1", partialPrefix + "notes"
	for _, name := range []string{killed, users, filepath.Base(other.partial)} {
		write(t, dir, map[string]string{name + "/file": "x"})
	}
	o, err := OutputDir(dir)
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Join(dir, killed))
	assert.FileExists(t, filepath.Join(dir, users, "file"))
	assert.FileExists(t, filepath.Join(other.partial, "file"))
	require.NoError(t, o.Discard())
	require.NoError(t, o.Discard(), "twice does no harm")
	require.NoError(t, other.Discard())
	assert.Len(t, hidden(t, dir), 1)
}

// TestNoPlace has output directories that cannot be.
func TestNoPlace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"file": "x"})
	_, err := OutputDir(filepath.Join(dir, "file", "dist"))
	require.Error(t, err)
	assert.Equal(t, "make the output directory: mkdir "+dir+"/file: not a directory", err.Error())

	// Where even root may not write. /proc is the same on every Linux.
	_, err = OutputDir("/proc")
	require.Error(t, err)
	assert.Regexp(t, "^write to the output directory: mkdir /proc/.flavorkit-", err.Error())
	_, err = OutputImage("/proc/self/x/a.tar")
	require.Error(t, err)
	assert.Regexp(t, "^make the output directory: mkdir /proc/self/x: ", err.Error())
}

func TestNothingToCommit(t *testing.T) {
	o := OutputRegistry("acme/os:v1")
	assert.Equal(t, map[string]string{"name": "acme/os:v1", "push": "true", "rewrite-timestamp": "true"}, o.Entry.Attrs)
	files, err := o.Commit()
	assert.NoError(t, err)
	assert.Empty(t, files)
	assert.NoError(t, o.Discard())
}
