package frontend

import (
	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// LintMedium reads the cloud-configs of a medium whose spec is not known, and returns the warnings
// that a build of the medium would have. Mistakes are specs.Diagnostics.
func LintMedium(sources []*specs.Source) (warnings specs.Diagnostics, err error) {
	var mistakes specs.Diagnostics
	admin := false
	for _, src := range sources {
		c, err := specs.ReadMachineConfig(src)
		var wrong specs.Diagnostics
		if err != nil && !errors.As(err, &wrong) {
			return nil, err
		}
		mistakes, warnings, admin = append(mistakes, wrong...), append(warnings, c.Doubts...), admin || c.Admin
		for _, word := range c.Passwords {
			warnings = append(warnings, placed(word, aboutPassword(word)))
		}
		for _, word := range c.Stages {
			if d := aboutStage(word); d.Rule != (rules.Rule{}) {
				warnings = append(warnings, placed(word, d))
			}
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes.Sorted()
	}
	if len(sources) > 0 && !admin {
		top := specs.Position{Line: 1, Column: 1}
		warnings = append(warnings, specs.Diagnostic{
			Rule: rules.NoAdminUser, Range: specs.Range{Source: sources[0], Start: top, End: top}, Message: noAdmin + refuses, Hint: addAdmin,
		})
	}
	return warnings.Unskipped(sources).Sorted(), nil
}

func placed(word specs.Word, d specs.Diagnostic) specs.Diagnostic {
	d.Range = word.Range
	return d
}
