package frontend

import (
	"slices"
	"strings"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// arguments are the kernel arguments of the spec, and their keys. They are the last on every line.
func (s subject) arguments() (keys []key.Key, args []string) {
	for k := key.Cmdline.Item(0); ; k = key.Cmdline.Item(len(keys)) {
		if _, set := s.plan.Origin.Places[k]; !set {
			break
		}
		keys = append(keys, k)
	}
	line := s.plan.CommandLine.Live
	return keys, line[len(line)-len(keys):]
}

// repeatedArgument warns about arguments that change nothing on any way to boot. An argument after
// another one of its name does: because of some, the last counts.
func repeatedArgument(s subject) specs.Diagnostics {
	keys, args := s.arguments()
	line := s.plan.CommandLine
	var found specs.Diagnostics
	for i, arg := range args {
		// An installed system of a published image has a line that the plan does not know.
		repeats := func(all []string) bool { return len(all) == 0 || repeated(all[:len(all)-len(args)+i], arg) }
		if repeats(line.Installed) && repeats(line.Live) && repeats(line.Network) {
			found = append(found, s.plan.Origin.Diagnose(rules.RepeatedArgument, keys[i], "remove it", "the system has the argument %s already", arg))
		}
	}
	return found
}

// repeated reports whether the last argument of the same name is the same.
func repeated(before []string, arg string) bool {
	for _, b := range slices.Backward(before) {
		if argumentName(b) == argumentName(arg) {
			return b == arg
		}
	}
	return false
}

func argumentName(arg string) string {
	name, _, _ := strings.Cut(arg, "=")
	return name
}

// rootArgument warns about arguments that each boot entry has with a value of its own (contract
// 1.10, 3.2).
func rootArgument(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	keys, args := s.arguments()
	for i, arg := range args {
		if slices.Contains([]string{"root", "cos-img/filename", "rd.live.dir", "rd.live.squashimg"}, argumentName(arg)) {
			found = append(found, s.plan.Origin.Diagnose(rules.RootArgument, keys[i], "remove it",
				"every boot entry has its own %s, and a machine with two of them may not boot", argumentName(arg)))
		}
	}
	return found
}

// rootShell warns about arguments that were meant for debugging (dracut.cmdline(7),
// systemd-debug-generator(8), kernel-command-line(7)).
func rootShell(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	keys, args := s.arguments()
	for i, arg := range args {
		_, value, _ := strings.Cut(arg, "=")
		opens := false
		switch argumentName(arg) {
		case "rd.break":
			opens = true
		case "rd.shell", "systemd.debug-shell", "systemd.debug_shell":
			opens = !slices.Contains([]string{"0", "no", "off", "false"}, value)
		case "init", "rdinit":
			opens = slices.Contains([]string{"ash", "bash", "sh"}, value[strings.LastIndex(value, "/")+1:])
		}
		if opens {
			found = append(found, s.plan.Origin.Diagnose(rules.RootShell, keys[i], "remove it, or add it in the boot menu when you need it",
				"%s opens a root shell without a password to whoever is at the console", arg))
		}
	}
	return found
}
