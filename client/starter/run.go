package starter

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// run translates the commands of RUN, each by itself.
func (d *dockerfile) run(line int, c *instructions.RunCommand) {
	if !c.PrependShell && len(c.Files) == 0 {
		d.call(line, c.CmdLine, strings.Join(c.CmdLine, " "))
		return
	}
	script := strings.Join(c.CmdLine, "\n")
	if len(c.Files) > 0 { // a here-document is the script
		script = c.Files[0].Data
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		d.note(line, "RUN %s: %s", short(script), asLayer)
		return
	}
	for _, stmt := range file.Stmts {
		d.statement(line, stmt)
	}
}

// asLayer is what to do with a command that has no counterpart.
const asLayer = "run it in a Dockerfile, and take what it makes as a layer: " + pages + "layers.md"

// statement translates a statement. Only commands that run always are looked at: a && b, and a; b.
func (d *dockerfile) statement(line int, stmt *syntax.Stmt) {
	switch c := stmt.Cmd.(type) {
	case *syntax.BinaryCmd:
		if c.Op == syntax.AndStmt {
			d.statement(line, c.X)
			d.statement(line, c.Y)
			return
		}
	case *syntax.CallExpr:
		if len(c.Args) == 0 {
			return // only variables
		}
		if words, ok := d.words(line, c.Args); ok && plain(stmt) {
			d.call(line, words, printed(stmt))
			return
		}
	case *syntax.DeclClause:
		return // only variables
	}
	d.note(line, "RUN %s: %s", printed(stmt), asLayer)
}

// words expands the words of a command, as a shell does. One with a command in it cannot be expanded;
// kairos-init is called without it.
func (d *dockerfile) words(line int, args []*syntax.Word) (all []string, ok bool) {
	config := &expand.Config{Env: expand.FuncEnviron(func(name string) string { return d.env[name] })}
	for _, arg := range args {
		words, err := expand.Fields(config, arg)
		switch {
		case err == nil:
			all = append(all, words...)
		case len(all) > 0 && path.Base(all[0]) == kairosInit:
			d.note(line, "%s: an argument depends on a command, and is left out", kairosInit)
		default:
			return nil, false
		}
	}
	return all, len(all) > 0
}

// plain reports whether a statement has no redirections, except those of its output to nowhere.
func plain(stmt *syntax.Stmt) bool {
	return !stmt.Negated && !stmt.Background && !slices.ContainsFunc(stmt.Redirs, func(r *syntax.Redirect) bool {
		return r.Word == nil || r.Word.Lit() != "/dev/null" && r.Word.Lit() != "1" && r.Word.Lit() != "2"
	})
}

// printed is a statement as text.
func printed(stmt *syntax.Stmt) string {
	var out strings.Builder
	_ = syntax.NewPrinter(syntax.SingleLine(true)).Print(&out, stmt) // a string takes all
	return short(out.String())
}

// short is the beginning of a text.
func short(text string) string {
	const most = 60
	text = strings.Join(strings.Fields(strings.Map(printable, text)), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// call translates one command.
func (d *dockerfile) call(line int, words []string, text string) {
	for len(words) > 1 && (words[0] == "sudo" || words[0] == "exec" || words[0] == "env") {
		words = words[1:]
	}
	if len(words) == 0 {
		return
	}
	program := path.Base(words[0])
	switch {
	case program == kairosInit:
		d.kairosInit(line, words[1:])
		return
	case program == "set", program == "true", program == "ldconfig":
		return
	case program == "rm" && !slices.ContainsFunc(words[1:], func(w string) bool { return !strings.HasPrefix(w, "-") && !rubbish(w) }):
		return // a build leaves none of it
	case program == "chmod" && strings.HasSuffix(words[len(words)-1], "/"+kairosInit):
		return
	}
	for _, m := range catalog.Managers() {
		if slices.Contains(m.Shell.Programs, program) && d.packages(line, m, words[1:]) {
			return
		}
	}
	d.note(line, "RUN %s: %s", text, asLayer)
}

// rubbish reports whether a file is something that a build leaves behind only with a Dockerfile.
func rubbish(name string) bool {
	for _, dir := range []string{"/var/lib/apt/lists", "/var/cache", "/tmp", "/var/tmp", "/var/log"} {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return path.Base(name) == kairosInit
}

// packages translates a command of a package manager; false when it does something else.
func (d *dockerfile) packages(line int, m catalog.Manager, words []string) bool {
	verb := ""
	var names []string
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case slices.Contains(m.Shell.Values, word):
			i++
		case strings.HasPrefix(word, "-"):
		case verb == "":
			verb = word
		default:
			names = append(names, word)
		}
	}
	switch {
	case slices.Contains(m.Shell.Upkeep, verb):
		return true
	case slices.Contains(m.Shell.Install, verb):
		for _, name := range names {
			d.install(line, name)
		}
		return true
	case slices.Contains(m.Shell.Remove, verb):
		for _, name := range names {
			if d.isKernel(name) {
				continue // another one replaces it
			}
			d.keep(line, "remove the package "+name, func(s *specs.Spec) { s.Packages.Remove = append(slices.Clip(s.Packages.Remove), name) })
		}
		return true
	default:
		return false
	}
}

// install adds a package that the system does not have already.
func (d *dockerfile) install(line int, name string) {
	changed := d.with(func(s *specs.Spec) { s.Packages.Add = append(slices.Clip(s.Packages.Add), name) })
	p, err := changed.any(d.ctx)
	switch {
	case slices.Contains(d.Spec.Packages.Add, name):
	case d.isKernel(name):
		d.keep(line, "kernel "+name, func(s *specs.Spec) { s.Kernel.Package = name })
	case err != nil:
		d.note(line, "the package %s: %s", short(name), mistake(err))
	case len(p.Origin.Listed) == 0:
		*d.Draft = *changed
	}
}

// isKernel reports whether a package is a kernel: its name begins as that of the distribution's.
func (d *dockerfile) isKernel(name string) bool {
	p, err := d.with(func(s *specs.Spec) { s.Kernel.Package = "" }).any(d.ctx)
	if err != nil || len(p.Kernel.Packages) == 0 {
		return false
	}
	return beginning(p.Kernel.Packages[0].Name) == beginning(name)
}

// beginning is the first two words of a name.
func beginning(name string) string {
	words := strings.SplitN(name, "-", 3)
	return strings.Join(words[:min(2, len(words))], "-")
}
