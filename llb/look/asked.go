package look

import (
	"slices"
	"strconv"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// The exit codes of a check that say who asked for what failed: exitAsked for the first keys, and
// so on. Lower ones are of programs that a script runs, those after exitLast are of the shell
// (POSIX, 2.8.2) and of signals.
const (
	exitAsked = 64
	exitLast  = 125
)

// Asked numbers the keys of the spec that can ask for what a script checks. The script ends with
// the number of the first check that failed, and Explain finds the key that the spec has. What a
// spec has, and in which line, is no part of the numbers: it would run a check again that has the
// same to look for.
type Asked struct{ all [][]key.Key }

// Code is the exit code for checks that one of these keys asks for, the most special first. Keys
// for which there is no code any more are left to the place of the step.
func (a *Asked) Code(keys ...key.Key) string {
	at := slices.IndexFunc(a.all, func(known []key.Key) bool { return slices.Equal(known, keys) })
	if at < 0 {
		if len(a.all) > exitLast-exitAsked {
			return "1"
		}
		a.all, at = append(a.all, keys), len(a.all)
	}
	return strconv.Itoa(exitAsked + at)
}

// Explain points at the line of the spec that asked for what the first failed check did not find.
func (a *Asked) Explain(p *plan.Plan, code uint32) error {
	at := int(code) - exitAsked
	if at < 0 || at >= len(a.all) {
		return nil
	}
	return p.Diagnose(rules.CheckFailed, p.Origin.Decided(a.all[at]...), `the lines "check failed" of the step say what is wrong`, "the system does not pass a check that this asks for")
}
