package outdated

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

const (
	// maxAnswer is the largest answer that is read, in bytes. A page of k0s releases has about 2 MB.
	maxAnswer = 16 << 20
	// githubHost is the host that gets the token.
	githubHost = "api.github.com"
)

type client struct {
	http  http.Client
	token string
	agent string
}

func newClient(o Options) *client {
	return &client{http: http.Client{Timeout: o.Timeout, Transport: o.Transport}, token: o.Token, agent: o.Agent}
}

// newest reads the newest version from a list of releases, without pre-releases.
func (c *client) newest(ctx context.Context, r *catalog.Releases) (string, error) {
	data, err := c.get(ctx, r.URL)
	if err != nil {
		return "", err
	}
	var versions []string
	switch r.Format {
	case catalog.ReleasesGitHub:
		versions, err = github(data)
	case catalog.ReleasesChannels:
		versions, err = channels(data, r.Channel)
	case catalog.ReleasesEndOfLife:
		versions, err = endOfLife(data, time.Now())
	default:
		err = errors.Errorf("unknown format %q", r.Format)
	}
	versions = slices.DeleteFunc(versions, isPreRelease)
	switch {
	case err != nil:
		return "", errors.Wrap(err, r.URL)
	case len(versions) == 0:
		return "", errors.Errorf("%s: the answer has no release", r.URL)
	}
	return slices.MaxFunc(versions, catalog.CompareVersions), nil
}

// get fetches a list.
func (c *client) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if req.URL.Scheme == "https" && req.URL.Host == githubHost && c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, plain(address, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.Errorf("%s: %s%s", address, res.Status, limited(res))
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, plain(address, err)
	case len(data) > maxAnswer:
		return nil, errors.Errorf("%s: the answer is larger than %d MiB", address, maxAnswer>>20)
	}
	return data, nil
}

// plain shortens an error of net/http, which repeats the URL in its own way.
func plain(address string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return errors.Errorf("%s: no answer in time", address)
		}
		err = u.Err
	}
	return errors.Wrap(err, address)
}

// limited explains a refusal by GitHub, which allows 60 questions an hour to those without a token.
func limited(res *http.Response) string {
	if res.Header.Get("X-RateLimit-Remaining") == "0" {
		return "; too many requests, set GITHUB_TOKEN"
	}
	return ""
}

var preRelease = regexp.MustCompile(`^[^+]*[0-9]-`)

// isPreRelease says whether a version is for trying out, by the rules of semantic versioning: what
// follows the first hyphen, before any plus sign, names the pre-release.
func isPreRelease(version string) bool { return preRelease.MatchString(version) }

// decode reads JSON. Unlike json.Unmarshal, it says what was expected.
func decode(data []byte, into any, what string) error {
	if err := json.Unmarshal(data, into); err != nil {
		return errors.Wrapf(err, "the answer is not %s", what)
	}
	return nil
}

// github reads a page of releases (docs.github.com/rest/releases/releases). The page has 30, which
// is more than the lines that a publisher keeps up at a time.
func github(data []byte) ([]string, error) {
	var releases []struct {
		Tag        string `json:"tag_name"`
		Draft      bool   `json:"draft"`
		PreRelease bool   `json:"prerelease"`
	}
	if err := decode(data, &releases, "a list of releases"); err != nil {
		return nil, err
	}
	var versions []string
	for _, r := range releases {
		if r.Tag != "" && !r.Draft && !r.PreRelease {
			versions = append(versions, r.Tag)
		}
	}
	return versions, nil
}

// channels reads the newest version of a channel (github.com/rancher/channelserver).
func channels(data []byte, channel string) ([]string, error) {
	var answer struct {
		Data []struct {
			Name   string `json:"name"`
			Latest string `json:"latest"`
		} `json:"data"`
	}
	if err := decode(data, &answer, "a list of channels"); err != nil {
		return nil, err
	}
	for _, c := range answer.Data {
		if c.Name == channel && c.Latest != "" {
			return []string{c.Latest}, nil
		}
	}
	return nil, errors.Errorf("the answer has no channel %s", channel)
}

// endOfLife reads the releases of a product (endoflife.date/docs/api/v1) that are out.
func endOfLife(data []byte, now time.Time) ([]string, error) {
	var answer struct {
		Result struct {
			Releases []struct {
				Name string `json:"name"`
				Date string `json:"releaseDate"`
			} `json:"releases"`
		} `json:"result"`
	}
	if err := decode(data, &answer, "a product of endoflife.date"); err != nil {
		return nil, err
	}
	var versions []string
	for _, r := range answer.Result.Releases {
		day, err := time.Parse(time.DateOnly, r.Date)
		if err != nil {
			return nil, errors.Errorf("the release %q has no day: %q", r.Name, r.Date)
		}
		// Future releases are listed with the day that is planned.
		if r.Name != "" && !day.After(now) {
			versions = append(versions, r.Name)
		}
	}
	return versions, nil
}
