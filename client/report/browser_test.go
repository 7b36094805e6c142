//go:build browser

package report

import (
	"bytes"
	"image"
	"image/png"
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
	measured = regexp.MustCompile(`<title>measured ([^<]*)</title>`)
	shown    = regexp.MustCompile(`<title>([^<]*)</title>`)
)

// TestBrowser shows and prints the pages of the other tests in a real browser.
func TestBrowser(t *testing.T) {
	for _, name := range []string{"build", "failed", "empty"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text, err := os.ReadFile(filepath.Join("testdata", name+".html"))
			require.NoError(t, err)
			page := filepath.Join(dir, "report.html")
			require.NoError(t, os.WriteFile(page, text, 0o644))

			dom := testkit.Browse(t, page, "--dump-dom")
			assert.Equal(t, shown.FindString(string(text)), shown.FindString(dom), "no script has changed the page")

			// Every link leads somewhere, the page is not wider than the window, and programs that read it
			// aloud find their way: in one language, by headings, tables with heads and pictures with a text.
			const script = `<script>
				const all = what => [...document.querySelectorAll(what)]
				const lost = all("a").filter(a => !document.querySelector(a.getAttribute("href")))
				const levels = all("h1, h2, h3, h4, h5, h6").map(h => Number(h.tagName[1]))
				const flaws = [
					...(document.documentElement.lang ? [] : ["language"]),
					...(all("main").length == 1 ? [] : ["main"]),
					...levels.filter((level, i) => i == 0 ? level != 1 : level == 1 || level > levels[i - 1] + 1).map(level => "h" + level),
					...all("table").filter(t => !t.caption || !t.caption.textContent.trim()).map(() => "caption"),
					...all("tr").filter(row => !row.querySelector("th[scope]")).map(() => "row"),
					...all("a, h1, h2, h3, h4, h5, h6, summary").filter(e => !e.textContent.trim()).map(e => e.tagName),
					...all("img").filter(i => !i.alt).map(() => "img"),
					...all("svg").filter(s => s.getAttribute("role") != "img" || !s.getAttribute("aria-label")).map(() => "svg"),
					...all("[aria-labelledby]").filter(e => !document.getElementById(e.getAttribute("aria-labelledby"))).map(() => "label"),
				]
				document.title = ["measured", document.documentElement.scrollWidth <= innerWidth ? "fits" : "too wide", lost.length, ...flaws].join(" ")
			</script></body>`
			measure := filepath.Join(dir, "measure.html")
			require.NoError(t, os.WriteFile(measure, []byte(strings.Replace(string(text), "</body>", script, 1)), 0o644))
			for _, size := range []string{"600,900", "1280,900"} {
				assert.Equal(t, []string{"<title>measured fits 0</title>", "fits 0"}, measured.FindStringSubmatch(testkit.Browse(t, measure, "--window-size="+size, "--dump-dom")), size)
			}

			picture := filepath.Join(dir, "report.png")
			testkit.Browse(t, page, "--window-size=1280,900", "--screenshot="+picture)
			assert.Greater(t, colors(t, picture), 10, "the page is not blank")

			printed := filepath.Join(dir, "report.pdf")
			testkit.Browse(t, page, "--print-to-pdf="+printed)
			pdf, err := os.ReadFile(printed)
			require.NoError(t, err)
			assert.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
		})
	}
}

// colors counts the colors of a picture.
func colors(t *testing.T, file string) int {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	all := map[[3]uint32]bool{}
	for at := (image.Point{}); at.Y < img.Bounds().Dy(); at.Y++ {
		for at.X = 0; at.X < img.Bounds().Dx(); at.X++ {
			r, g, b, _ := img.At(at.X, at.Y).RGBA()
			all[[3]uint32{r, g, b}] = true
		}
	}
	return len(all)
}
