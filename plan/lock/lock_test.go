package lock

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs"
)

const (
	sumA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	sumB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func locked(packages []string, archives map[string]Archive) *File {
	f := &File{
		Version:   Version,
		Images:    []Image{{Name: "debian:12-slim", Arch: "amd64", Digest: "sha256:" + sumA, Layers: "sha256:" + sumB}},
		Downloads: []Download{{Arch: "amd64", URL: "https://example.com/a.tar.gz", SHA256: sumA}},
	}
	s := Stage{Stage: "userland", Request: Request{Distro: "debian-12", Arch: "amd64", Base: "debian:12-slim", Packages: packages}}
	for id := range archives {
		s.Archives = append(s.Archives, id)
	}
	f.Add(s, archives)
	return f
}

func one(version, sum string) map[string]Archive {
	return map[string]Archive{ID("curl", version, "amd64"): {URL: "http://deb.example/curl.deb", SHA256: sum}}
}

func read(text string) (*File, error) {
	return Read(&specs.Source{Name: "kairos.lock", Data: []byte(text)})
}

func TestName(t *testing.T) {
	for spec, want := range map[string]string{
		"kairos.spec":      "kairos.lock",
		"sub/edge.spec":    "sub/edge.lock",
		"sub/edge.v2.yaml": "sub/edge.v2.lock",
		"Dockerfile":       "kairos.lock",
	} {
		assert.Equal(t, want, Name(spec), spec)
	}
}

// TestRoundTrip reads what was written.
func TestRoundTrip(t *testing.T) {
	f := locked([]string{"curl"}, one("1:8.0~rc1", sumA))
	text, err := f.Text()
	require.NoError(t, err)
	again, err := read(string(text))
	require.NoError(t, err)
	assert.Empty(t, Diff(f, again))
	other, err := again.Text()
	require.NoError(t, err)
	assert.Equal(t, string(text), string(other))
	assert.Equal(t, "1 packages, 1 images, 1 downloads", again.Summary())
}

func TestFind(t *testing.T) {
	f := locked([]string{"curl", "jq=1"}, one("8", sumA))
	r := f.Stages[0].Request
	_, ok := f.Find(r)
	assert.True(t, ok)
	for name, change := range map[string]func(*Request){
		"distro":       func(r *Request) { r.Distro = "debian-13" },
		"arch":         func(r *Request) { r.Arch = "arm64" },
		"base":         func(r *Request) { r.Base = "debian:12" },
		"extract":      func(r *Request) { r.Extract = true },
		"areas":        func(r *Request) { r.Areas = []string{"contrib"} },
		"repositories": func(r *Request) { r.Repositories = []string{"https://a.example"} },
	} {
		other := r
		change(&other)
		_, ok := f.Find(other)
		assert.False(t, ok, name)
		_, _, similar := f.Changed(other)
		assert.False(t, similar, name)
	}
	other := r
	other.Packages = []string{"curl", "jq=2"}
	_, ok = f.Find(other)
	assert.False(t, ok)
	added, removed, similar := f.Changed(other)
	assert.True(t, similar)
	assert.Equal(t, []string{"jq=2"}, added)
	assert.Equal(t, []string{"jq=1"}, removed)
	var none *File
	_, ok = none.Find(r)
	assert.False(t, ok)
	assert.Empty(t, none.Download("https://example.com/a.tar.gz"))
}

// TestNames lists each package once, of the distribution alone.
func TestNames(t *testing.T) {
	f := locked([]string{"curl"}, map[string]Archive{ID("curl", "1", "amd64"): {}, ID("bash", "2", "amd64"): {}})
	f.Stages = append(f.Stages, Stage{Stage: "kernel", Request: Request{Distro: "debian-12"}, Archives: []string{ID("curl", "1", "amd64")}},
		Stage{Stage: "tools", Request: Request{Distro: "debian-13"}, Archives: []string{ID("dash", "3", "amd64")}})
	assert.Equal(t, []string{"bash", "curl"}, f.Names("debian-12"))
	assert.Empty(t, (*File)(nil).Names("debian-12"))
}

// TestKeep locks for one architecture and keeps the others.
func TestKeep(t *testing.T) {
	old := locked([]string{"curl"}, one("8", sumA))
	arm := old.Stages[0]
	arm.Arch = "arm64"
	old.Add(arm, old.Archives["debian-12"])
	f := locked([]string{"curl"}, one("9", sumB))
	f.Keep(old, []string{"amd64"})
	require.Len(t, f.Stages, 2)
	assert.Equal(t, "arm64", f.Stages[1].Arch)
	assert.Len(t, f.Archives["debian-12"], 2)
	assert.Len(t, f.Images, 1)
}

func TestDiff(t *testing.T) {
	old := locked([]string{"curl"}, map[string]Archive{
		ID("curl", "8", "amd64"): {URL: "http://deb.example/a", SHA256: sumA},
		ID("nano", "7", "amd64"): {URL: "http://deb.example/b", SHA256: sumA},
		ID("same", "1", "all"):   {URL: "http://deb.example/c", SHA256: sumA},
	})
	current := locked([]string{"curl"}, map[string]Archive{
		ID("curl", "9", "amd64"): {URL: "http://deb.example/a", SHA256: sumB},
		ID("jq", "1.6", "amd64"): {URL: "http://deb.example/b", SHA256: sumB},
		ID("same", "1", "all"):   {URL: "http://deb.example/c", SHA256: sumB},
	})
	var lines []string
	for _, c := range Diff(old, current) {
		lines = append(lines, c.String())
	}
	assert.Equal(t, []string{
		"~ package curl (debian-12, amd64) 8 (aaaaaaaa) → 9 (bbbbbbbb)",
		"+ package jq (debian-12, amd64) 1.6 (bbbbbbbb)",
		"- package nano (debian-12, amd64) 7 (aaaaaaaa)",
		"~ package same (debian-12, all) 1 (aaaaaaaa) → 1 (bbbbbbbb)",
	}, lines)
	assert.Empty(t, Diff(current, current))
	assert.Len(t, Diff(nil, current), 5)
}

// TestID has names and versions with the characters that package managers allow.
func TestID(t *testing.T) {
	for _, want := range [][3]string{{"libc6", "2.36-9+deb12u14", "amd64"}, {"libopenssl1_1", "2:1.1.1w_git-150~x^y", "x86_64"}, {"py3-foo", "1.2_p3-r0", "noarch"}} {
		name, version, arch := SplitID(ID(want[0], want[1], want[2]))
		assert.Equal(t, want, [3]string{name, version, arch})
	}
}

// TestMove takes the named packages of a newer answer, and what only that has.
func TestMove(t *testing.T) {
	old := Stage{Stage: "userland", Archives: []string{"a/1/amd64", "b/1/all", "c/1/amd64", "gone/1/amd64"}}
	newer := Stage{Stage: "userland", Archives: []string{"a/2/amd64", "b/2/all", "c/2/amd64", "new/1/amd64"}}
	moved := old.Move(newer, func(name string) bool { return name == "a" || name == "gone" })
	assert.ElementsMatch(t, []string{"a/2/amd64", "b/1/all", "c/1/amd64", "new/1/amd64"}, moved.Archives)
	assert.Equal(t, "userland", moved.Stage)
	assert.Len(t, old.Archives, 4, "it is as it was")
}

// TestBadFile has a place for each mistake.
func TestBadFile(t *testing.T) {
	f := locked([]string{"curl"}, one("8", sumA))
	whole, err := f.Text()
	require.NoError(t, err)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "kairos.lock:1:1: the file is empty"},
		{"newer format", "# lock\nversion: 9\nnew: {}\n", "kairos.lock:2:10: version: has the format 9, and this version of flavorkit reads 1; use the version of flavorkit that wrote it"},
		{"huge format", "version: 99999999999999999999999\n", "kairos.lock:1:10: version: has the format 99999999999999999999999"},
		{"no format", "images: []\n", "version: is missing or not 1"},
		{"unknown key", "version: 1\nimage: []\n", `kairos.lock:2:1: unknown key "image"; did you mean "images"?`},
		{"truncated in a word", string(whole[:len(whole)-10]), `"` + sumA[:55] + `" is not 64 hexadecimal digits; do not edit the file`},
		{"truncated between lines", string(whole[:strings.Index(string(whole), "archives:\n  debian-12:")]), `there is no archive "curl/8/amd64" of debian-12`},
		{"wrong digest", strings.Replace(string(whole), "digest: sha256:aa", "digest: sha256:xx", 1), "images[0].digest: \"sha256:xx"},
		{"no name", strings.Replace(string(whole), "- name: debian:12-slim\n  arch", "- arch", 1), "images[0].name: is missing"},
		{"other scheme", strings.Replace(string(whole), "http://deb.example", "file:///etc", 1), `url: "file:///etc/curl.deb" is not an http or https address`},
		{"no packages", strings.Replace(string(whole), "  packages:\n  - curl\n", "", 1), "stages[0].packages: is missing or empty"},
		{"conflict markers", "<<<<<<< HEAD\n" + string(whole), "kairos.lock:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.text)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

// FuzzRead reads anything without a panic, and what it takes it writes and reads again.
func FuzzRead(f *testing.F) {
	whole, err := locked([]string{"curl"}, one("8", sumA)).Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add("version: 1\nstages: [{distro: a}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := read(text)
		if err != nil {
			return
		}
		out, err := file.Text()
		require.NoError(t, err)
		again, err := read(string(out))
		require.NoError(t, err)
		assert.Empty(t, Diff(file, again))
	})
}
