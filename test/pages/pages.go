// Package pages reads the documentation: its pages, and the blocks of text in them that are not
// prose.
package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// All returns the paths of the pages in the top directory of the repository, and of all in docs and
// examples.
func All(t testing.TB, root string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages in %s: %v", root, err)
	}
	for _, dir := range []string{"docs", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatalf("list the pages: %v", err)
		}
	}
	return files
}

// Block is a part of a page that is fenced or indented by four spaces.
type Block struct {
	// Page is the path of the page, and Line where the text begins.
	Page string
	Line int
	// Language is the word after a fence. Title names a file that others on the page refer to.
	Language, Title string
	Text            string
}

var (
	fence    = regexp.MustCompile("^( *)```([a-z]*)(?: title=([^ ]+))?$")
	indented = regexp.MustCompile(`^ {4}(.*)$`)
)

// Blocks returns the blocks of a page.
func Blocks(t testing.TB, page string) []Block {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("read a page: %v", err)
	}
	lines := strings.Split(string(data), "\n")
	var all []Block
	for i := 0; i < len(lines); i++ {
		b := Block{Page: page}
		var text []string
		if m := fence.FindStringSubmatch(lines[i]); m != nil {
			b.Line, b.Language, b.Title = i+2, m[2], m[3]
			for i++; i < len(lines) && lines[i] != m[1]+"```"; i++ {
				text = append(text, strings.TrimPrefix(lines[i], m[1]))
			}
		} else if m := indented.FindStringSubmatch(lines[i]); m != nil && i > 0 && lines[i-1] == "" {
			b.Line = i + 1
			for ; i < len(lines) && (m != nil || lines[i] == ""); i++ {
				if m != nil {
					text = append(text, m[1])
				} else {
					text = append(text, "")
				}
				if i+1 < len(lines) {
					m = indented.FindStringSubmatch(lines[i+1])
				}
			}
			i--
		} else {
			continue
		}
		b.Text = strings.Join(text, "\n") + "\n"
		all = append(all, b)
	}
	return all
}

// step is a line of a file for CI that runs a command: of a workflow, or of a script of docker.
var step = regexp.MustCompile(`^ *(?:- )?(?:run: ([^|>].*)|(docker .*))$`)

// Commands returns what a reader types of the block: what follows the prompts of a transcript, the
// steps of a workflow, or all of a block that begins with a command. isCommand tells whether a line
// begins with the name of a program.
func (b Block) Commands(isCommand func(line string) bool) string {
	lines := strings.Split(b.Text, "\n")
	var typed []string
	for i := 0; i < len(lines); i++ {
		line, ok := strings.CutPrefix(lines[i], prompt)
		if m := step.FindStringSubmatch(lines[i]); b.Language == "yaml" && m != nil && isCommand(m[1]+m[2]) {
			line, ok = m[1]+m[2], true
		}
		if !ok {
			continue
		}
		typed = append(typed, line)
		for ; strings.HasSuffix(lines[i], `\`) && i+1 < len(lines); i++ {
			typed = append(typed, lines[i+1])
		}
	}
	if len(typed) > 0 {
		return strings.Join(typed, "\n") + "\n"
	}
	if b.Language != "yaml" && isCommand(lines[0]) {
		return b.Text
	}
	return ""
}
