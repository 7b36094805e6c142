package frontend

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/plan/lock"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/test/golden"
)

const (
	sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	// checksums are the publishers' lists.
	checksums = sum + "  kairos-agent-v2.31.4-linux-amd64.tar.gz\n" + sum + " *immucore-v0.20.4-linux-amd64.tar.gz\n"

	lockSpec = "extends: debian-12\nversion: v1.0.0\npackages: {add: [htop]}\n"
)

// locking is a request for the lock of a spec, whose userland gets htop.
func locking(spec string) *gateway {
	g := asking(LockRequest, nil)
	g.dirs["dockerfile"].texts["kairos.spec"] = spec
	maps.Copy(g.result.texts, map[string]string{"userland/resolved": installs, "userland/uris": strings.ReplaceAll(uris, "SHA256:00", "SHA256:"+sum)})
	return g
}

// on is a day.
func on() time.Time { return time.Date(2026, 11, 27, 20, 0, 0, 0, time.UTC) }

// written is the lock file of lockSpec.
func written(t *testing.T) (*lock.File, string) {
	t.Helper()
	res, err := New(Options{Clock: on}).Build(t.Context(), locking(lockSpec))
	require.NoError(t, err)
	text := string(res.Metadata["result.txt"])
	f, err := lock.Read(&specs.Source{Name: "kairos.lock", Data: []byte(text)})
	require.NoError(t, err)
	return f, text
}

func TestLock(t *testing.T) {
	f, text := written(t)
	golden.Check(t, "../testdata/targets/debian-12-amd64.lock", text)
	var names []string
	for _, s := range f.Stages {
		names = append(names, s.Stage)
	}
	assert.Equal(t, []string{"kernel", "tools", "tools-convert", "tools-disk", "userland"}, names)
	assert.Equal(t, lock.Archive{URL: "http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb", SHA256: sum, Seen: "2026-11-27"}, f.Archives["debian-12"]["htop/3.2.2-2/amd64"])
	require.Len(t, f.Downloads, 2)
	assert.Equal(t, sum, f.Downloads[0].SHA256)
	require.Len(t, f.Images, 1)
	assert.NotEmpty(t, f.Images[0].Digest)

	// What the lock has stays: no package manager is asked.
	g := locking(lockSpec)
	g.dirs["dockerfile"].texts["kairos.lock"] = text
	g.result = files{}
	res, err := New(Options{}).Build(t.Context(), g)
	require.NoError(t, err)
	assert.Equal(t, text, string(res.Metadata["result.txt"]))
	g.opts["no-cache"], g.opts["build-arg:FLAVORKIT_LOCKED"] = "", "1"
	_, err = New(Options{}).Build(t.Context(), g)
	assert.ErrorContains(t, err, "read what apt says about packages", "all is asked for anew")
}

// TestLockedElsewhere takes an archive that has left its repository from the snapshot of the day on
// which it was locked.
func TestLockedElsewhere(t *testing.T) {
	const (
		archive  = "http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb"
		snapshot = "https://snapshot.debian.org/archive/debian/20261128T000000Z/pool/main/h/htop/htop_3.2.2-2_amd64.deb"
	)
	f, text := written(t)
	assert.Equal(t, "2026-11-27", f.Archive("debian-12", "htop/3.2.2-2/amd64").Seen)
	build := func(lock string, away ...string) error {
		g := newGateway(map[string]string{"filename": "kairos.spec", "build-arg:" + LockedArg: "1"},
			map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": lockSpec, "kairos.lock": lock}}})
		g.away = map[string]bool{}
		for _, url := range away {
			g.away[url] = true
		}
		_, err := New(Options{}).Build(t.Context(), g)
		return err
	}
	require.NoError(t, build(text, archive))
	require.ErrorContains(t, build(text, archive, snapshot), "archives.debian-12.htop/3.2.2-2/amd64: "+snapshot+": invalid response status 404; choose")
	older := strings.ReplaceAll(text, "      seen: '2026-11-27'\n", "")
	require.NotEqual(t, text, older)
	require.ErrorContains(t, build(older, archive), "archives.debian-12.htop/3.2.2-2/amd64: "+archive+": invalid response status 404; choose")

	// So does a bundle. What is needed twice comes from there once.
	bundle := func(away ...string) error {
		g := bundling(map[string]string{"base.spec": lockSpec, "edge.lock": text})
		g.away = map[string]bool{}
		for _, url := range away {
			g.away[url] = true
		}
		var cs Entries
		for _, name := range []string{"a", "b"} {
			cs = append(cs, Entry{Name: name, Spec: &specs.Source{Name: name + ".spec", Data: []byte("extends: ./base.spec\nname: " + name + "\n")}, Arch: "amd64", Lock: "edge.lock"})
		}
		_, err := New(Options{}).Entries(cs)(t.Context(), g)
		return err
	}
	require.NoError(t, bundle(archive))
	require.ErrorContains(t, bundle(archive, snapshot), "archives.debian-12.htop/3.2.2-2/amd64: "+snapshot+": invalid response status 404; choose")

	// A lock that is written anew has the first day of what stays.
	g := locking(lockSpec)
	g.opts["no-cache"] = ""
	g.dirs["dockerfile"].texts["kairos.lock"] = strings.ReplaceAll(text, "2026-11-27", "2025-01-31")
	res, err := New(Options{Clock: on}).Build(t.Context(), g)
	require.NoError(t, err)
	assert.Contains(t, string(res.Metadata["result.txt"]), "2025-01-31")
	assert.NotContains(t, string(res.Metadata["result.txt"]), "2026-11-27")
}

// TestLockedAtMirrors takes an archive from the first of the other places of its repository that has it. A
// mirror needs no day.
func TestLockedAtMirrors(t *testing.T) {
	const (
		file     = "/pool/main/h/htop/htop_3.2.2-2_amd64.deb"
		archive  = "http://deb.debian.org/debian" + file
		snapshot = "https://snapshot.debian.org/archive/debian/20261128T000000Z" + file
		kept     = "https://acme.example/kept/debian" + file
		last     = "https://acme.example/last" + file
	)
	builtin, err := catalog.Builtin()
	require.NoError(t, err)
	cat, err := builtin.With(catalog.Layer{Name: "acme", FS: fstest.MapFS{"distros/debian-12.yaml": {Data: []byte(`name: debian-12
like: debian-12
snapshots: {debian: ['https://snapshot.debian.org/archive/debian/{time}', https://acme.example/kept/debian, https://acme.example/last]}
`)}}})
	require.NoError(t, err)
	_, text := written(t)
	undated := strings.ReplaceAll(text, "      seen: '2026-11-27'\n", "")
	for name, c := range map[string]struct {
		lock string
		away []string
		want string
	}{
		"the snapshot":          {text, []string{archive}, ""},
		"a mirror":              {text, []string{archive, snapshot}, ""},
		"the last mirror":       {text, []string{archive, snapshot, kept}, ""},
		"nowhere":               {text, []string{archive, snapshot, kept, last}, last + ": invalid response status 404"},
		"a mirror without days": {undated, []string{archive}, ""},
		"nowhere without days":  {undated, []string{archive, kept, last}, last + ": invalid response status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(map[string]string{"filename": "kairos.spec", "build-arg:" + LockedArg: "1"},
				map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": lockSpec, "kairos.lock": c.lock}}})
			g.away = map[string]bool{}
			for _, url := range c.away {
				g.away[url] = true
			}
			_, err := New(Options{Catalog: cat}).Build(t.Context(), g)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "archives.debian-12.htop/3.2.2-2/amd64: "+c.want+"; choose")
			}
		})
	}
}

// TestLockChecksums points at the component whose list of checksums cannot be had, or does not have its
// file.
func TestLockChecksums(t *testing.T) {
	const (
		spec = lockSpec + "components: {immucore: {version: v0.20.3}}\n"
		list = "https://github.com/kairos-io/immucore/releases/download/v0.20.3/immucore-v0.20.3-checksums.txt"
		has  = "  kairos-agent-v2.31.4-linux-amd64.tar.gz\n"
	)
	for name, c := range map[string]struct{ spec, list, away, want string }{
		"no list":         {spec, checksums, list, "kairos.spec:4:24: components.immucore: immucore cannot be downloaded: " + list + ": invalid response status 404"},
		"not in it":       {spec, sum + has, "nothing", "kairos.spec:4:24: components.immucore: the publisher's checksum list does not name immucore-v0.20.3-linux-amd64.tar.gz; is its version right?"},
		"of the catalog":  {lockSpec, sum + has, "nothing", "kairos.spec:1:10: components.immucore: the publisher's checksum list does not name immucore-v0.20.4-linux-amd64.tar.gz; is its version right?"},
		"no list of that": {lockSpec, checksums, strings.ReplaceAll(list, "v0.20.3", "v0.20.4"), "kairos.spec:1:10: components.immucore: immucore cannot be downloaded: " + strings.ReplaceAll(list, "v0.20.3", "v0.20.4") + ": invalid response status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			g := locking(c.spec)
			g.result.texts["checksums.txt"] = c.list
			g.away = map[string]bool{c.away: true}
			_, err := New(Options{}).Build(t.Context(), g)
			require.EqualError(t, err, c.want)
			assert.Len(t, errdefs.Sources(err), 1)
		})
	}
}

// TestLockUpdateNamed chooses one package anew, and leaves the others.
func TestLockUpdateNamed(t *testing.T) {
	const (
		both  = installs + "Inst tree (2.1.0-1 Debian:12.15/oldstable [amd64])\n"
		newer = "Inst htop (3.9-1 Debian:12.15/oldstable [amd64])\nInst tree (2.9-1 Debian:12.15/oldstable [amd64])\n"
		from  = "'http://deb.debian.org/debian/pool/main/%s_%s_amd64.deb' %[1]s_%[2]s_amd64.deb 10 SHA256:" + sum + "\n"
	)
	ask := func(opts map[string]string, existing, resolved, uris string) string {
		g := locking(lockSpec)
		maps.Copy(g.opts, opts)
		if existing != "" {
			g.dirs["dockerfile"].texts["kairos.lock"] = existing
		}
		g.result.texts["userland/resolved"], g.result.texts["userland/uris"] = resolved, uris
		res, err := New(Options{}).Build(t.Context(), g)
		require.NoError(t, err)
		return string(res.Metadata["result.txt"])
	}
	uri := func(name, version string) string { return fmt.Sprintf(from, name, version) }
	text := ask(nil, "", both, uri("htop", "3.2.2-2")+uri("tree", "2.1.0-1"))
	require.Contains(t, text, "tree/2.1.0-1/amd64")
	updated := ask(map[string]string{"no-cache": "htop"}, text, newer, uri("htop", "3.9-1")+uri("tree", "2.9-1"))
	old, err := lock.Read(&specs.Source{Name: "kairos.lock", Data: []byte(text)})
	require.NoError(t, err)
	current, err := lock.Read(&specs.Source{Name: "kairos.lock", Data: []byte(updated)})
	require.NoError(t, err)
	changes := lock.Diff(old, current)
	require.Len(t, changes, 1, "%v", changes)
	assert.Equal(t, "~ package htop (debian-12, amd64) 3.2.2-2 (01234567) → 3.9-1 (01234567)", changes[0].String())
}

// TestLockOfMirrors is the same lock as without mirrors. A lock with the addresses of mirrors, as
// older versions wrote it, fits a locked build, and is written with the public ones.
func TestLockOfMirrors(t *testing.T) {
	const config = "mirrors: {archives: {debian: 'https://mirror.example/d'}, downloads: {'https://github.com': 'https://mirror.example/github'}}"
	_, public := written(t)
	there := strings.NewReplacer("http://deb.debian.org/debian/", "https://mirror.example/d/", "https://github.com/", "https://mirror.example/github/")
	write := func(existing string) string {
		g := locking(lockSpec)
		g.opts["build-arg:"+ConfigArg] = config
		g.result.texts["userland/uris"] = there.Replace(g.result.texts["userland/uris"])
		if existing != "" {
			g.dirs["dockerfile"].texts["kairos.lock"] = existing
			g.result = files{} // no package manager is asked
		}
		res, err := New(Options{Clock: on}).Build(t.Context(), g)
		require.NoError(t, err)
		return string(res.Metadata["result.txt"])
	}
	assert.Equal(t, public, write(""))
	older := there.Replace(public)
	require.NotEqual(t, public, older)
	assert.Equal(t, public, write(older))

	for name, text := range map[string]string{"public": public, "older": older} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(map[string]string{"filename": "kairos.spec", "build-arg:" + ConfigArg: config, "build-arg:" + LockedArg: "1"},
				map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": lockSpec, "kairos.lock": text}}})
			_, err := New(Options{}).Build(t.Context(), g)
			require.NoError(t, err)
		})
	}
}

// TestDrift is a spec that its lock does not fit.
func TestDrift(t *testing.T) {
	_, text := written(t)
	for _, c := range []struct {
		name, spec, lock string
		// platform is another one than that of the lock.
		platform string
		want     []string
	}{
		{name: "nothing", spec: lockSpec, lock: text},
		{
			name: "a package more", spec: strings.Replace(lockSpec, "[htop]", "[htop, tree]", 1), lock: text,
			want: []string{"kairos.spec:3:24: packages.add[1]: kairos.lock does not have tree of debian-12, userland; bring it up to date with flavorkit lock"},
		},
		{
			name: "a package less", spec: strings.Replace(lockSpec, "[htop]", "[]", 1), lock: text,
			want: []string{"kairos.spec:3:11: packages: kairos.lock has htop, which debian-12, userland, does not need; bring it up to date with flavorkit lock"},
		},
		{
			name: "another component", spec: lockSpec + "components: {immucore: {version: v0.20.3}}\n", lock: text,
			want: []string{"kairos.spec:4:24: components.immucore: kairos.lock does not have the download of immucore v0.20.3; bring it up to date with flavorkit lock"},
		},
		{
			name: "another base", spec: lockSpec + "distro: {base: 'acme/debian:12'}\n", lock: text,
			want: []string{"does not have the image acme/debian:12 for amd64", "does not have the packages of debian-12, userland, for amd64"},
		},
		{
			name: "another platform", spec: lockSpec, lock: text, platform: "linux/arm64",
			want: []string{"does not have the image docker.io/library/debian:12-slim for arm64", "does not have the packages of debian-12, userland, for arm64"},
		},
		{
			name: "no lock", spec: lockSpec,
			want: []string{"kairos.spec:1:10: extends: there is no kairos.lock beside the spec; write it with flavorkit lock"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			build := func(opts map[string]string) (*gateway, error) {
				g := newGateway(map[string]string{"filename": "kairos.spec"}, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": c.spec}}})
				if c.lock != "" {
					g.dirs["dockerfile"].texts["kairos.lock"] = c.lock
				}
				if c.platform != "" {
					g.opts["platform"] = c.platform
				}
				maps.Copy(g.opts, opts)
				_, err := New(Options{}).Build(t.Context(), g)
				return g, err
			}
			g, err := build(nil)
			require.NoError(t, err)
			var warned []string
			for _, w := range g.warned {
				if strings.Contains(w, "kairos.lock") {
					warned = append(warned, w)
				}
			}
			_, err = build(map[string]string{"build-arg:FLAVORKIT_LOCKED": "1"})
			if c.want == nil {
				assert.NoError(t, err)
				assert.Empty(t, warned)
				return
			}
			require.Error(t, err)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
				if c.lock != "" {
					assert.Contains(t, strings.Join(warned, "\n"), want[strings.Index(want, "kairos.lock ")+1:len(want)/2])
				}
			}
		})
	}
}

// TestBadLock has mistakes at their place in the lock.
func TestBadLock(t *testing.T) {
	build := func(lock string, opts map[string]string) error {
		g := newGateway(map[string]string{"filename": "kairos.spec"}, map[string]files{"dockerfile": {texts: map[string]string{"kairos.spec": lockSpec, "kairos.lock": lock}}})
		maps.Copy(g.opts, opts)
		_, err := New(Options{}).Build(t.Context(), g)
		return err
	}
	_, text := written(t)
	assert.ErrorContains(t, build("version: 2\n", nil), "kairos.lock:1:10: version: has the format 2")
	assert.ErrorContains(t, build(strings.Replace(text, "layers: sha256:", "layers: sha256:0", 1), nil), "images[0].layers")
	other := strings.Replace(text, "layers: sha256:e3b0", "layers: sha256:e3b1", 1)
	require.NotEqual(t, text, other)
	assert.ErrorContains(t, build(other, nil), "images[0]: docker.io/library/debian:12-slim for amd64 is another image than the one that was locked")
	assert.ErrorContains(t, build(text, map[string]string{"build-arg:FLAVORKIT_LOCKED": "maybe"}), `build argument FLAVORKIT_LOCKED="maybe" is neither true nor false`)
}

// TestCannotLock names what cannot be locked, before anything is asked.
func TestCannotLock(t *testing.T) {
	for spec, want := range map[string]string{
		lockSpec + "repositories: [{name: a, url: 'https://a.example', path: ./, key: a.asc, secret: login}]\n": "kairos.spec:4:16: repositories[0]: the repository a cannot be locked",
	} {
		g := locking(spec)
		g.dirs["context"] = files{texts: map[string]string{"a.asc": "key"}}
		_, err := New(Options{}).Build(t.Context(), g)
		assert.ErrorContains(t, err, want)
	}
	g := locking(lockSpec)
	g.result.texts["userland/uris"] = "'http://deb.debian.org/debian/pool/main/h/htop/htop_3.2.2-2_amd64.deb' htop_3.2.2-2_amd64.deb 141796 MD5Sum:00\n"
	_, err := New(Options{}).Build(t.Context(), g)
	assert.ErrorContains(t, err, "apt tells no checksum and address of htop 3.2.2-2")
	g = locking(lockSpec)
	g.result.texts["checksums.txt"] = sum + "  other.tar.gz\n"
	_, err = New(Options{}).Build(t.Context(), g)
	assert.ErrorContains(t, err, "the publisher's checksum list does not name")
}

// TestLockOfPlatforms is one lock for several architectures.
func TestLockOfPlatforms(t *testing.T) {
	g := locking(lockSpec)
	g.opts["platform"] = "linux/amd64,linux/arm64"
	g.result.texts["checksums.txt"] += strings.ReplaceAll(checksums, "amd64", "arm64")
	res, err := New(Options{}).Build(t.Context(), g)
	require.NoError(t, err)
	var f lock.File
	require.NoError(t, json.Unmarshal(res.Metadata["result.json"], &f))
	archs := map[string]int{}
	for _, s := range f.Stages {
		archs[s.Arch]++
	}
	assert.Equal(t, map[string]int{"amd64": 6, "arm64": 2}, archs, "tools run on the builder, those for EFI programs of arm64 too")
	assert.Len(t, f.Downloads, 4)
}
