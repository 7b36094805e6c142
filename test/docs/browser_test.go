//go:build browser

package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/test/testkit"
)

var (
	hrefs  = regexp.MustCompile(`<[^>]+ (?:href|src)="?([^" >]+)`)
	anchor = regexp.MustCompile(` id="?([^" >]+)`)
	titled = regexp.MustCompile(`<title>([^<]*)</title>`)
)

// TestBrowserSite checks the links of the site that make site has made, and searches it in a real
// browser.
func TestBrowserSite(t *testing.T) {
	site, err := filepath.Abs(filepath.Join(root, "dist/site"))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(site, "index.html"), "run make site")

	text, anchors := map[string]string{}, map[string]map[string]bool{}
	require.NoError(t, filepath.WalkDir(site, func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".html" {
			return err
		}
		data, err := os.ReadFile(file)
		text[file], anchors[file] = string(data), map[string]bool{}
		for _, m := range anchor.FindAllStringSubmatch(string(data), -1) {
			anchors[file][m[1]] = true
		}
		return err
	}))
	checked := 0
	for file, html := range text {
		for _, m := range hrefs.FindAllStringSubmatch(html, -1) {
			to, err := url.Parse(m[1])
			require.NoError(t, err, file)
			if to.Scheme != "" {
				continue
			}
			target := file
			if to.Path != "" {
				target = filepath.Join(filepath.Dir(file), to.Path)
			}
			if assert.FileExists(t, target, "%s has the link %s", file, m[1]) && to.Fragment != "" && filepath.Ext(target) == ".html" {
				assert.True(t, anchors[target][to.Fragment], "%s has the link %s", file, m[1])
			}
			checked++
		}
	}
	assert.Greater(t, checked, 1000)

	// From a page below the top, so that the links of what was found must lead up.
	const script = `<script>addEventListener("load", () => {
		const input = document.querySelector("input[type=search]")
		input.value = "lock file"
		input.dispatchEvent(new Event("input"))
		const first = document.querySelector("#found a")
		document.title = [first?.textContent, first?.href.split("/").pop(), document.documentElement.scrollWidth <= innerWidth].join(" | ")
	})</script></body>`
	page := filepath.Join(site, "rules", "measure.html")
	html := text[filepath.Join(site, "rules", "mistakes.html")]
	require.Contains(t, html, "</body>")
	require.NoError(t, os.WriteFile(page, []byte(strings.Replace(html, "</body>", script, 1)), 0o644))
	defer os.Remove(page)
	for _, size := range []string{"600,900", "1400,900"} {
		shown := titled.FindStringSubmatch(testkit.Browse(t, page, "--window-size="+size, "--dump-dom"))
		assert.Equal(t, []string{"<title>The lock file | lock.html | true</title>", "The lock file | lock.html | true"}, shown, size)
	}
}
