package inspect

import (
	"os"
	"path"
	"strings"

	"github.com/google/shlex"
)

// BootEntry is an entry of a boot menu.
type BootEntry struct {
	Title string `json:"title"`
	// CommandLine has the kernel arguments.
	CommandLine string `json:"commandLine"`
}

// installedArguments are the kernel arguments of the installed system, which the menu of a machine
// gets from its image with these variables (contract 1.10).
func installedArguments(files map[string][]byte) string {
	g := newGRUB(func(name string) ([]byte, bool) { text, ok := files[name]; return text, ok })
	given := statements("set img=/cOS/active.img\nset label=COS_ACTIVE\n")
	g.run(block(&given))
	g.source("etc/cos/bootargs.cfg")
	return strings.Join(strings.Fields(g.variables["kernelcmd"]), " ")
}

// grub runs the configuration of GRUB, as far as the kernel arguments of its entries depend on it: it
// knows variables, functions, files, and entries of menus. Of a condition, it runs both ways, the
// second one last.
type grub struct {
	read      func(name string) ([]byte, bool)
	variables map[string]string
	functions map[string][]command
	title     string
	entries   []BootEntry
	// budget is how many commands may still be read and run: functions and files may refer to
	// themselves.
	budget int
}

// command is a line, with the block in braces at its end.
type command struct {
	words []string
	block []command
}

func newGRUB(read func(name string) ([]byte, bool)) *grub {
	const most = 10000
	return &grub{read: read, variables: map[string]string{}, functions: map[string][]command{}, budget: most}
}

// source runs a file. A file may be on a device, as in ($root)/boot/grub2/label.cfg.
func (g *grub) source(name string) {
	if _, after, ok := strings.Cut(name, ")"); ok && strings.HasPrefix(name, "(") {
		name = after
	}
	if text, ok := g.read(rooted(name)); ok {
		lines := statements(string(text))
		if g.budget -= len(lines); g.budget > 0 {
			g.run(block(&lines))
		}
	}
}

// run runs commands.
func (g *grub) run(commands []command) {
	for _, c := range commands {
		if g.budget--; g.budget < 0 {
			return
		}
		g.runOne(c)
	}
}

func (g *grub) runOne(c command) {
	words := c.words
	for len(words) > 0 && (words[0] == "then" || words[0] == "else") {
		words = words[1:]
	}
	if len(words) < 2 {
		if len(words) == 1 {
			g.run(g.functions[words[0]])
		}
		return
	}
	switch words[0] {
	case "function":
		g.functions[words[1]] = c.block
	case "menuentry":
		g.title = g.expand(words[1])
		g.run(c.block)
	case "submenu":
		g.run(c.block)
	case "set":
		if name, value, ok := strings.Cut(words[1], "="); ok {
			g.variables[name] = g.expand(value)
		}
	case "source", "configfile":
		g.source(g.expand(words[1]))
	case "linux", "linuxefi", "linux16":
		arguments := strings.Fields(g.expand(strings.Join(words[2:], " ")))
		g.entries = append(g.entries, BootEntry{g.title, strings.Join(arguments, " ")})
	}
}

// expand puts variables in. What is too long for a kernel is left out, because a variable may grow
// without end.
func (g *grub) expand(text string) string {
	const longest = 1 << 16
	value := os.Expand(text, func(name string) string { return g.variables[name] })
	if len(value) > longest {
		return ""
	}
	return value
}

// block takes commands up to the end of their block.
func block(rest *[][]string) []command {
	var all []command
	for len(*rest) > 0 {
		words := (*rest)[0]
		*rest = (*rest)[1:]
		last := words[len(words)-1]
		switch {
		case words[0] == "}":
			return all
		case last == "{":
			all = append(all, command{words[:len(words)-1], block(rest)})
		default:
			all = append(all, command{words: words})
		}
	}
	return all
}

// statements splits a configuration into commands, and these into words without quotes.
func statements(text string) [][]string {
	var all [][]string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		for _, statement := range splitUnquoted(line) {
			if words, err := shlex.Split(statement); err == nil && len(words) > 0 {
				all = append(all, words)
			}
		}
	}
	return all
}

// splitUnquoted splits at semicolons, but not in quotes.
func splitUnquoted(line string) []string {
	var all []string
	start, quote := 0, byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ';':
			all = append(all, line[start:i])
			start = i + 1
		}
	}
	return append(all, line[start:])
}

// menus are where the menus of media are, in the order in which GRUB looks for them.
func menus() []string {
	return []string{"boot/grub2/grub.cfg", "boot/grub/grub.cfg", "grub2/grub.cfg", path.Join("EFI", "BOOT", "grub.cfg")}
}
