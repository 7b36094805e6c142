package outdated

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// Answers have the fields of the real ones that matter, and others around them.
const (
	githubAnswer = `[
  {"id": 5, "tag_name": "v1.37.0-rc.1+k0s.0", "draft": false, "prerelease": true, "assets": []},
  {"id": 4, "tag_name": "v1.37.0-rc.0+k0s.0", "draft": false, "prerelease": false},
  {"id": 3, "tag_name": "v1.38.0+k0s.0", "draft": true, "prerelease": false},
  {"id": 2, "tag_name": "v1.35.11+k0s.0", "draft": false, "prerelease": false},
  {"id": 1, "tag_name": "v1.36.10+k0s.1", "draft": false, "prerelease": false},
  {"id": 1, "tag_name": "v1.36.10+k0s.0", "draft": false, "prerelease": false},
  {"id": 0, "tag_name": "v1.36.9+k0s.0", "draft": false, "prerelease": false}
]`
	channelsAnswer = `{"type": "collection", "resourceType": "channels", "data": [
  {"id": "stable", "type": "channel", "name": "stable", "latest": "v1.35.7+k3s1"},
  {"id": "latest", "type": "channel", "name": "latest", "latest": "v1.36.4+k3s2", "latestRegexp": ".*"},
  {"id": "testing", "type": "channel", "name": "testing", "latest": "v1.37.0-rc1+k3s1"},
  {"id": "v1.99", "type": "channel", "name": "v1.99"}
]}`
	endOfLifeAnswer = `{"schema_version": "1.2.0", "result": {"name": "opensuse", "releases": [
  {"name": "99.0", "releaseDate": "2999-10-01", "eolFrom": null},
  {"name": "16.0", "releaseDate": "2025-10-01", "eolFrom": "2027-10-31"},
  {"name": "15.6", "releaseDate": "2024-06-12", "eolFrom": "2026-04-30"}
]}}`
)

// publisher serves answers by path.
func publisher(t *testing.T, answers map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// one checks one version.
func one(t *testing.T, o Options, version string, r *catalog.Releases) catalog.Finding {
	t.Helper()
	found, err := Check(t.Context(), []catalog.Published{{Kind: "component", Name: "x", Versions: []string{version}, Releases: r}}, o)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func TestCheck(t *testing.T) {
	at := publisher(t, map[string]string{
		"/github": githubAnswer, "/channels": channelsAnswer, "/eol": endOfLifeAnswer,
		"/none": "[]", "/object": `{"message": "moved"}`, "/html": "<!DOCTYPE html>", "/cut": githubAnswer[:100],
		"/pre": `[{"tag_name": "v2.0.0-alpha1"}]`, "/noday": `{"result": {"releases": [{"name": "1"}]}}`, "/empty": "",
	})
	for _, c := range []struct {
		name, version     string
		releases          *catalog.Releases
		state             catalog.State
		newest, noteNeeds string
	}{
		{"current", "v1.36.10+k0s.1", &catalog.Releases{Format: "github", URL: at + "/github"}, catalog.Current, "v1.36.10+k0s.1", ""},
		{"a newer patch", "v1.36.9+k0s.0", &catalog.Releases{Format: "github", URL: at + "/github"}, catalog.Outdated, "v1.36.10+k0s.1", ""},
		{"a newer build", "v1.36.10+k0s.0", &catalog.Releases{Format: "github", URL: at + "/github"}, catalog.Outdated, "v1.36.10+k0s.1", ""},
		{"the newest is older", "v1.37.0+k0s.0", &catalog.Releases{Format: "github", URL: at + "/github"}, catalog.Ahead, "v1.36.10+k0s.1", "nothing newer than v1.36.10+k0s.1"},
		{"channel", "v1.36.4+k3s1", &catalog.Releases{Format: "channels", URL: at + "/channels", Channel: "latest"}, catalog.Outdated, "v1.36.4+k3s2", ""},
		{"another channel", "v1.35.7+k3s1", &catalog.Releases{Format: "channels", URL: at + "/channels", Channel: "stable"}, catalog.Current, "v1.35.7+k3s1", ""},
		{"a channel of pre-releases", "v1.36.4+k3s1", &catalog.Releases{Format: "channels", URL: at + "/channels", Channel: "testing"}, catalog.Unreachable, "", "/channels: the answer has no release"},
		{"a channel without a release", "v1.36.4+k3s1", &catalog.Releases{Format: "channels", URL: at + "/channels", Channel: "v1.99"}, catalog.Unreachable, "", "the answer has no channel v1.99"},
		{"no such channel", "v1.36.4+k3s1", &catalog.Releases{Format: "channels", URL: at + "/channels", Channel: "lastest"}, catalog.Unreachable, "", "the answer has no channel lastest"},
		{"release", "leap-16.0", &catalog.Releases{Format: "endoflife", URL: at + "/eol", Prefix: "leap-"}, catalog.Current, "leap-16.0", ""},
		{"a newer release", "leap-15.6", &catalog.Releases{Format: "endoflife", URL: at + "/eol", Prefix: "leap-"}, catalog.Outdated, "leap-16.0", ""},
		{"a release without a day", "1", &catalog.Releases{Format: "endoflife", URL: at + "/noday"}, catalog.Unreachable, "", `the release "1" has no day`},
		{"nothing recorded", "v1", nil, catalog.Unlisted, "", "does not say where"},
		{"not found", "v1", &catalog.Releases{Format: "github", URL: at + "/missing"}, catalog.Unreachable, "", "/missing: 404 Not Found"},
		{"no releases", "v1", &catalog.Releases{Format: "github", URL: at + "/none"}, catalog.Unreachable, "", "the answer has no release"},
		{"only pre-releases", "v1", &catalog.Releases{Format: "github", URL: at + "/pre"}, catalog.Unreachable, "", "the answer has no release"},
		{"another shape", "v1", &catalog.Releases{Format: "github", URL: at + "/object"}, catalog.Unreachable, "", "the answer is not a list of releases"},
		{"a page", "v1", &catalog.Releases{Format: "channels", URL: at + "/html", Channel: "latest"}, catalog.Unreachable, "", "the answer is not a list of channels"},
		{"cut off", "v1", &catalog.Releases{Format: "github", URL: at + "/cut"}, catalog.Unreachable, "", "unexpected end of JSON input"},
		{"empty", "v1", &catalog.Releases{Format: "endoflife", URL: at + "/empty"}, catalog.Unreachable, "", "the answer is not a product of endoflife.date"},
		{"nobody there", "v1", &catalog.Releases{Format: "github", URL: closed(t)}, catalog.Unreachable, "", "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := one(t, Options{Timeout: time.Minute}, c.version, c.releases)
			assert.Equal(t, c.state, f.State, f.Note)
			assert.Equal(t, c.newest, f.Newest)
			assert.Contains(t, f.Note, c.noteNeeds)
			assert.Equal(t, c.noteNeeds == "", f.Note == "", f.Note)
		})
	}
}

// closed returns the address of a port at which nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return "http://" + l.Addr().String()
}

// hanging serves nothing until the test ends, and tells when it is asked.
func hanging(t *testing.T) (address string, asked <-chan struct{}) {
	t.Helper()
	end, ask := make(chan struct{}), make(chan struct{}, 16)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ask <- struct{}{}
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(end); s.Close() })
	return s.URL, ask
}

func TestTimeout(t *testing.T) {
	address, _ := hanging(t)
	f := one(t, Options{Timeout: 50 * time.Millisecond}, "v1", &catalog.Releases{Format: "github", URL: address})
	assert.Equal(t, catalog.Unreachable, f.State)
	assert.Equal(t, address+": no answer in time", f.Note)
}

// TestInterrupt ends the context while publishers hang. There are no findings then, not some that
// say unreachable.
func TestInterrupt(t *testing.T) {
	address, asked := hanging(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	all := make([]catalog.Published, 10)
	for i := range all {
		all[i] = catalog.Published{Versions: []string{"v1"}, Releases: &catalog.Releases{Format: "github", URL: address}}
	}
	found, err := Check(ctx, all, Options{Timeout: time.Hour})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, found)
}

// answering answers all requests, and records them.
type answering struct {
	status   int
	header   http.Header
	requests []*http.Request
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.requests = append(a.requests, r)
	return &http.Response{
		StatusCode: a.status, Status: fmt.Sprint(a.status, " ", http.StatusText(a.status)), Header: a.header, Request: r,
		Body: io.NopCloser(strings.NewReader(githubAnswer)),
	}, nil
}

// TestToken checks that only GitHub gets the token, over TLS.
func TestToken(t *testing.T) {
	for address, authorization := range map[string]string{
		"https://api.github.com/repos/a/b/releases":              "Bearer secret",
		"http://api.github.com/repos/a/b/releases":               "",
		"https://api.github.com.example.com/repos/a/b/releases":  "",
		"https://example.com/api.github.com/repos/a/b/releases":  "",
		"https://api.github.com@example.com/repos/a/b/releases":  "",
		"https://api.github.com:8443/repos/kairos-io/x/releases": "",
	} {
		a := &answering{status: http.StatusOK}
		one(t, Options{Token: "secret", Agent: "flavorkit/dev", Transport: a}, "v1", &catalog.Releases{Format: "github", URL: address})
		require.Len(t, a.requests, 1)
		assert.Equal(t, "flavorkit/dev", a.requests[0].Header.Get("User-Agent"))
		got := a.requests[0].Header.Get("Authorization")
		if authorization == "" {
			assert.NotContains(t, got, "secret", address)
			continue
		}
		assert.Equal(t, authorization, got, address)
	}
}

func TestLimited(t *testing.T) {
	a := &answering{status: http.StatusForbidden, header: http.Header{"X-Ratelimit-Remaining": {"0"}}}
	f := one(t, Options{Transport: a}, "v1", &catalog.Releases{Format: "github", URL: "https://api.github.com/repos/a/b/releases"})
	assert.Equal(t, catalog.Unreachable, f.State)
	assert.Equal(t, "https://api.github.com/repos/a/b/releases: 403 Forbidden; too many requests, set GITHUB_TOKEN", f.Note)
}

// TestTooLarge has an answer that never ends.
func TestTooLarge(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for block := strings.Repeat(" ", 1<<20); ; {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	f := one(t, Options{Timeout: time.Minute}, "v1", &catalog.Releases{Format: "github", URL: s.URL})
	assert.Equal(t, catalog.Unreachable, f.State)
	assert.Contains(t, f.Note, "the answer is larger than 16 MiB")
}
