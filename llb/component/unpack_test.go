package component

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/releasetest"
)

// archive is a tar.gz archive; a name that ends with / is a directory.
func archive(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range files {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len("program"))}
		if strings.HasSuffix(name, "/") {
			h.Size, h.Typeflag, h.Mode = 0, tar.TypeDir, 0o755
		}
		require.NoError(t, w.WriteHeader(h))
		if h.Size > 0 {
			_, err := w.Write([]byte("program"))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.String()
}

// unpack runs the script for a file and, unless sums is empty, a checksum list.
func unpack(t *testing.T, file, data, program, sums string) (out, said string, err error) {
	t.Helper()
	dir := t.TempDir()
	put := func(name, data string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(data), 0o755))
		return path
	}
	out = filepath.Join(dir, "out")
	args := []string{put("unpack.sh", string(unpackScript)), out, "/usr/bin/agent", program, put(file, data)}
	if sums != "" {
		args = append(args, put("sums", sums))
	}
	cmd := exec.Command("sh", args...)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=315532800", "LC_ALL=C")
	output, err := cmd.CombinedOutput()
	return out, string(output), err
}

func TestUnpack(t *testing.T) {
	const name = "agent-v1.tar.gz"
	good := archive(t, "README", "agent")
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(good)))
	none := strings.Repeat("0", 64)
	for _, c := range []struct {
		name, file, data, program, sums string
		want                            string // what it says; "" when the program is there
	}{
		{name: "archive", file: name, data: good, program: "agent"},
		{name: "archive with ./", file: name, data: archive(t, "./", "./agent"), program: "agent"},
		{name: "program in a directory", file: "x.tgz", data: archive(t, "bin/", "bin/agent"), program: "bin/agent"},
		{name: "bare program", file: "agent-linux", data: "program", program: "agent"},
		{name: "not in the archive", file: name, data: archive(t, "README", "bin/agent", "xagent", "agent2"), program: "agent", want: name + " has no agent"},
		{name: "a pattern is no name", file: name, data: good, program: "a*t", want: name + " has no a*t"},
		{name: "a directory of that name", file: name, data: archive(t, "agent/", "agent/x"), program: "agent", want: name + " has no agent"},
		{name: "empty", file: "agent", data: "", program: "agent", want: "agent has no agent"},
		{name: "not an archive", file: name, data: "<html>not found</html>", program: "agent", want: "gzip: stdin: not in gzip format"},
		{name: "checksum", file: name, data: good, program: "agent", sums: none + "  other\n" + sum + "  " + name + "\n"},
		{name: "checksum in binary mode", file: name, data: good, program: "agent", sums: sum + " *" + name + "\n"},
		{name: "checksum of ./ on windows", file: name, data: good, program: "agent", sums: strings.ToUpper(sum) + "  ./" + name + "\r\n"},
		{
			name: "checksum mismatch", file: name, data: good, program: "agent", sums: none + "  " + name + "\n",
			want: "checksum mismatch of " + name + ": the publisher's list says " + none + ", the file has " + sum,
		},
		{
			name: "in another case on the list", file: name, data: good, program: "agent", sums: sum + "  Agent-V1.tar.gz\n",
			want: "the publisher's checksum list has agent-v1.tar.gz in another case, as Agent-V1.tar.gz\n",
		},
		{
			name: "in another case and binary mode", file: "Agent-v1.tar.gz", data: good, program: "agent", sums: sum + " *./" + name + "\r\n",
			want: "the publisher's checksum list has Agent-v1.tar.gz in another case, as agent-v1.tar.gz\n",
		},
		{name: "in both cases", file: name, data: good, program: "agent", sums: none + "  Agent-V1.tar.gz\n" + sum + "  " + name + "\n"},
		{name: "not on the list", file: name, data: good, program: "agent", sums: sum + "  " + name + ".sbom\n", want: "the publisher's checksum list does not name " + name},
		{name: "list is empty", file: name, data: good, program: "agent", sums: "\n", want: "the publisher's checksum list does not name " + name},
		{name: "list is a page", file: name, data: good, program: "agent", sums: "<html>" + name + "</html>\n", want: "the publisher's checksum list does not name " + name},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, said, err := unpack(t, c.file, c.data, c.program, c.sums)
			if c.want != "" {
				require.Error(t, err)
				assert.Contains(t, said, c.want)
				return
			}
			require.NoError(t, err, said)
			assert.Empty(t, said)
			data, err := os.ReadFile(filepath.Join(out, "usr/bin/agent"))
			require.NoError(t, err)
			assert.Equal(t, "program", string(data))
			require.NoError(t, filepath.Walk(out, func(path string, info os.FileInfo, err error) error {
				if err == nil {
					assert.EqualValues(t, 315532800, info.ModTime().Unix(), path)
				}
				return err
			}))
			info, err := os.Stat(filepath.Join(out, "usr/bin/agent"))
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o755), info.Mode())
		})
	}
}

// TestChecksum finds a download in a list as the build does.
func TestChecksum(t *testing.T) {
	sum := strings.Repeat("A", 64)
	for list, want := range map[string]string{
		sum + "  x.tgz\n":                         "",
		"0  x.tgz.sbom\n" + sum + " *./x.tgz\r\n": "",
		"0  X.tgz\n" + sum + "  x.tgz\n":          "",
		sum + "  X.TGZ\n":                         "the publisher's checksum list has x.tgz in another case, as X.TGZ",
		sum + "  y.tgz\n":                         "the publisher's checksum list does not name x.tgz",
		"<html>\n":                                "the publisher's checksum list does not name x.tgz",
	} {
		found, err := Checksum([]byte(list), "https://x.example/v1/x.tgz")
		if want != "" {
			require.EqualError(t, err, want, list)
			continue
		}
		require.NoError(t, err, list)
		assert.Equal(t, strings.ToLower(sum), found)
	}
}

// TestPublished takes every component out of the file that the catalog names, with the list of its
// publisher.
func TestPublished(t *testing.T) {
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	require.NotEmpty(t, cat.Components)
	for name, c := range cat.Components {
		for arch := range c.Arch {
			t.Run(name+"-"+arch, func(t *testing.T) {
				program := cmp.Or(c.Program, name)
				release := releasetest.StandIn(t, c.Expand(c.Checksums, c.Version, arch), program, []byte("program"))
				file, err := fileName(c.Expand(c.URL, c.Version, arch))
				require.NoError(t, err)
				out, said, err := unpack(t, file, string(release.Files[file]), program, release.List.String())
				require.NoError(t, err, said)
				data, err := os.ReadFile(filepath.Join(out, "usr/bin/agent"))
				require.NoError(t, err)
				assert.Equal(t, "program", string(data))
			})
		}
	}
}
