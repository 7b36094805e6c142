package integration

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/solve"
	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/testkit"
)

// TestLockManagers locks systems with dnf, zypper and apk, and builds them from the archives of the
// lock after the index of their repository is gone. dnf and zypper are the real programs, with
// repositories without signatures. apk is the substitute of hack/standins, which verifies nothing.
func TestLockManagers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flavor, distro string
		// index of the repository, and config, the file of the image that has its address.
		index, config, settings string
		// spoil makes a download fail, with an error.
		spoil func(archive string, good []byte) error
		err   string
	}{
		{
			flavor: "fedora", distro: "fedora-43", index: "repodata/repomd.xml", config: "etc/yum.repos.d/standin.repo",
			settings: "[standin]\nname=standin\nbaseurl=URL/\ngpgcheck=0\n",
			spoil: func(archive string, _ []byte) error {
				return os.WriteFile(archive, []byte("<html><body>Log in to this network</body></html>\n"), 0o644)
			},
			err: "digest mismatch",
		},
		{
			flavor: "opensuse", distro: "opensuse-leap-16.0", index: "repodata/repomd.xml", config: "etc/zypp/repos.d/standin.repo",
			settings: "[standin]\nname=standin\nenabled=1\nautorefresh=0\nbaseurl=URL/\ntype=rpm-md\ngpgcheck=0\n",
			spoil:    func(archive string, _ []byte) error { return os.WriteFile(archive+cut, nil, 0o644) },
			err:      "unexpected EOF",
		},
		{
			flavor: "alpine", distro: "alpine-3.22", index: "x86_64/APKINDEX.tar.gz", config: "etc/apk/repositories", settings: "URL\n",
			spoil: func(archive string, good []byte) error {
				return os.WriteFile(archive, append(bytes.Clone(good), 'x'), 0o644)
			},
			err: "digest mismatch",
		},
	} {
		t.Run(c.distro, func(t *testing.T) {
			r := serveStandIn(t, c.distro)
			o := options(t, map[string]string{"kairos.spec": "extends: " + c.flavor + "\ndistro: " + c.distro + "\nversion: v1.0.0\n"})
			maps.Copy(o.Contexts, r.context(t, map[string]string{c.config: strings.ReplaceAll(c.settings, "URL", r.url)}))
			log := watch(&o)

			name := filepath.Join(filepath.Dir(o.File), "kairos.lock")
			err := solve.AskLong(t.Context(), embedded(t), o, frontend.LockRequest, func(res *gwclient.Result) error {
				return os.WriteFile(name, res.Metadata["result.txt"], 0o644)
			})
			require.NoError(t, err, "%s", &log.log)
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			f, err := lock.Read(&specs.Source{Name: "kairos.lock", Data: text})
			require.NoError(t, err)
			archives := f.Archives[c.distro]
			require.Greater(t, len(archives), 30, f.Summary())
			for id, a := range archives {
				require.True(t, strings.HasPrefix(a.URL, r.url+"/"), "%s: %s", id, a.URL)
			}
			assert.NotEmpty(t, f.Archives["debian-12"], "the tools are in the same lock")

			// The mirror moves on: there is no index anymore, and one archive is not what it was.
			require.NoError(t, os.Remove(filepath.Join(r.dir, c.index)))
			o.Args[frontend.LockedArg] = "1"
			id := slices.Min(slices.Collect(maps.Keys(archives)))
			archive := r.file(t, archives[id].URL)
			good, err := os.ReadFile(archive)
			require.NoError(t, err)
			require.NoError(t, c.spoil(archive, good))
			_, err = solve.Build(t.Context(), embedded(t), o)
			require.Error(t, err)
			assert.Regexp(t, `kairos.lock:\d+:\d+: archives.`+c.distro+"."+regexp.QuoteMeta(id)+`: .*`+c.err+`.*; choose what the repositories have now with flavorkit lock --update`, err.Error())

			require.NoError(t, os.RemoveAll(archive+cut))
			require.NoError(t, os.WriteFile(archive, good, 0o644))
			log = watch(&o)
			solved(t, embedded(t), o)
			assert.True(t, slices.ContainsFunc(log.ran(), func(name string) bool {
				return strings.HasPrefix(name, "["+c.distro+"/userland] install ")
			}), "%v", log.ran())
		})
	}
}

// standIn is the repository of a local substitute, over http.
type standIn struct {
	dir, url string
	ref      string
	img      v1.Image
}

// standInRepository is where the substitutes have it (hack/standins/tree.sh).
const standInRepository = "usr/share/flavorkit-standin"

// cut is the ending of a file that has the file of the same name served by half.
const cut = ".cut"

func (r standIn) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	file := filepath.Join(r.dir, filepath.FromSlash(path.Clean(req.URL.Path)))
	if _, err := os.Stat(file + cut); err == nil {
		data, _ := os.ReadFile(file)
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:len(data)/2])
		return
	}
	http.ServeFile(w, req, file)
}

// file is where the repository has what an address is of.
func (r standIn) file(t *testing.T, address string) string {
	t.Helper()
	name, err := url.PathUnescape(strings.TrimPrefix(address, r.url))
	require.NoError(t, err)
	return filepath.Join(r.dir, name)
}

func serveStandIn(t *testing.T, distro string) standIn {
	t.Helper()
	cat, err := catalog.Builtin()
	require.NoError(t, err)
	named, err := reference.ParseNormalizedNamed(cat.Distros[distro].Base)
	require.NoError(t, err)
	r := standIn{dir: t.TempDir(), ref: reference.FamiliarString(named)}
	index, err := layout.ImageIndexFromPath(testkit.StandIn(t, distro))
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	r.img, err = index.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	layers, err := r.img.Layers()
	require.NoError(t, err)
	for _, l := range layers {
		unpackUnder(t, l, standInRepository, r.dir)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// unpackUnder writes the files of a layer that are below a directory.
func unpackUnder(t *testing.T, l v1.Layer, below, dir string) {
	t.Helper()
	content, err := l.Uncompressed()
	require.NoError(t, err)
	defer func() { assert.NoError(t, content.Close()) }()
	for files := tar.NewReader(content); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		name, ok := strings.CutPrefix(path.Clean(strings.TrimPrefix(h.Name, "/")), below+"/")
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		to := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		f, err := os.Create(to)
		require.NoError(t, err)
		_, err = io.Copy(f, files)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
}

// context has the substitute without its repository, and with other files, as a named context.
func (r standIn) context(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	img := r.img
	layers := []v1.Layer{file(t, path.Dir(standInRepository)+"/.wh."+path.Base(standInRepository), nil)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		layers = append(layers, file(t, name, []byte(files[name])))
	}
	img, err := mutate.AppendLayers(img, layers...)
	require.NoError(t, err)
	dir := t.TempDir()
	p, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, p.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "latest"}), layout.WithPlatform(v1.Platform{OS: "linux", Architecture: arch})))
	return map[string]string{r.ref: "oci-layout://" + dir}
}
