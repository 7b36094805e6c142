package frontend

import (
	"fmt"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

func noAssertions(s subject) specs.Diagnostics {
	if s.plan.Test == nil || len(s.plan.Test.Assertions) > 0 {
		return nil
	}
	return specs.Diagnostics{s.plan.Origin.Diagnose(rules.NoAssertions, key.Test, "add assertions, such as assertions: [{service: ssh}]",
		"has no assertions, so it passes as soon as the system boots")}
}

// longTimeout warns about timeouts that never expire, because that of the test does before.
func longTimeout(s subject) specs.Diagnostics {
	if s.plan.Test == nil {
		return nil
	}
	var found specs.Diagnostics
	for i, a := range s.plan.Test.Assertions {
		at := key.TestAssertions.Item(i).Timeout()
		if _, set := s.plan.Origin.Places[at]; set && a.Seconds > s.plan.Test.Seconds {
			found = append(found, s.plan.Origin.Diagnose(rules.LongTimeout, at, "write less than that, or a longer test.timeout",
				"the whole test ends after %s", minutes(s.plan.Test.Seconds)))
		}
	}
	return found
}

// minutes writes a timeout as a spec does.
func minutes(seconds int) string {
	if seconds%60 == 0 {
		return fmt.Sprintf("%dm", seconds/60)
	}
	return fmt.Sprintf("%ds", seconds)
}

// runs checks the scripts of assertions.
func runs(s subject) specs.Diagnostics {
	if s.plan.Test == nil {
		return nil
	}
	var found specs.Diagnostics
	for i, a := range s.plan.Test.Assertions {
		if mistake := specs.ShellMistake(a.Run); mistake != "" {
			found = append(found, s.plan.Origin.Diagnose(rules.InvalidShell, key.TestAssertions.Item(i).Run(), "", "is not a shell script: %s", mistake))
		}
	}
	return found
}
