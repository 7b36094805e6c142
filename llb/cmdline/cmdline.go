// Package cmdline renders the kernel arguments of a plan for what loads the kernel. Each renders
// all that it can hand over unchanged, and refuses the rest.
package cmdline

import (
	"strings"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// GRUB is a script that sets a variable to arguments, for a menu to hand to the command linux as
// ${variable}. GRUB cuts the value at spaces and does not read it as a script, but the command
// writes a backslash before quotes and backslashes (GRUB, grub-core/lib/cmdline.c), which the
// kernel would take for a part of the argument.
func GRUB(p *plan.Plan, variable string, args []string) ([]byte, error) {
	for _, arg := range args {
		if strings.ContainsAny(arg, `'"\`) || !word(arg) {
			return nil, refused(p, "GRUB", arg)
		}
	}
	// Nothing means anything between single quotes (GRUB manual, "Quoting").
	return []byte("set " + variable + "='" + strings.Join(args, " ") + "'\n"), nil
}

// IPXE are arguments for the command kernel. iPXE has no quotes: it puts settings in the place of
// ${name}, and ends a command at a word that begins with # and at the words || and && (iPXE,
// src/core/exec.c).
func IPXE(p *plan.Plan, args []string) (string, error) {
	for _, arg := range args {
		if strings.Contains(arg, "${") || strings.HasPrefix(arg, "#") || arg == "||" || arg == "&&" || !word(arg) {
			return "", refused(p, "iPXE", arg)
		}
	}
	return strings.Join(args, " "), nil
}

// word tells whether an argument has printable ASCII and nothing that cuts it.
func word(arg string) bool {
	return arg != "" && !strings.ContainsFunc(arg, func(r rune) bool { return r <= ' ' || r > '~' })
}

// refused points at the arguments of the spec; those of a catalog are of the model.
func refused(p *plan.Plan, loader, arg string) error {
	return p.Diagnose(rules.InvalidValue, p.Origin.Decided(key.Cmdline, key.Model), "write it without spaces, quotes and $", "%s cannot hand the kernel argument %q over", loader, arg)
}
