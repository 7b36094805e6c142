package frontend

import (
	"slices"
	"time"

	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/catalog"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// subject is a spec that resolves, for one target: what warnings are about.
type subject struct {
	plan    *plan.Plan
	configs cloudConfigs
	// catalog that the plan was made with.
	catalog *catalog.Catalog
	target  Target
	now     time.Time
}

// warnings returns the warnings about the spec and the target that no comment skips.
func (s subject) warnings() specs.Diagnostics {
	found := slices.Concat(deprecated(s.plan, specs.DeprecatedKeys()), specs.UnknownSkips(s.plan.Origin.Sources))
	for _, rule := range []func(subject) specs.Diagnostics{
		clearPassword, configDoubts, duplicatePackage, endOfLife, fileOverCatalog, hiddenFile, insecureChecksums, longTimeout, looseMode,
		neededPackage, noAdminUser, noAssertions, noCloudConfig, notExecutable, olderKernel, outdatedComponent, repeatedArgument, rootArgument, rootShell, runs,
		secretInSpec, unknownStage, unpinnedImage, unreadKey, unusedArgument, wrongInit,
	} {
		found = append(found, rule(s)...)
	}
	return found.Unskipped(s.plan.Origin.Sources)
}

// allWarnings returns the warnings for every target that the spec has the cloud-config for: a user
// who wants no disk need not give one for disks. s has no target.
func (s subject) allWarnings() specs.Diagnostics {
	all := missingSyntax(s).Unskipped(s.plan.Origin.Sources)
	for _, s.target = range Targets() {
		if _, given := s.configs[s.target.CloudConfig]; given || s.target.CloudConfig.IsZero() {
			all = append(all, s.warnings()...)
		}
	}
	return all.Sorted()
}

// deprecated warns about deprecated keys that the spec sets.
func deprecated(p *plan.Plan, keys []specs.DeprecatedKey) specs.Diagnostics {
	var found specs.Diagnostics
	for _, d := range keys {
		k := key.Parse(d.Key)
		if _, set := p.Origin.Places[k]; !set {
			continue
		}
		hint := "remove it"
		if d.Replacement != "" {
			hint = "use " + d.Replacement + " instead"
		}
		found = append(found, p.Origin.Diagnose(rules.DeprecatedKey, k, hint,
			"deprecated since %s, removed in version %d of the language", d.Since, specs.LanguageVersion+1))
	}
	return found
}

// endOfLife warns about what gets no updates any more. The days are in the plan; whether one has
// passed is asked here alone, so that a plan is the same on every day.
func endOfLife(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	warn := func(k key.Key, name, last string) {
		if today := s.now.UTC().Format(time.DateOnly); last != "" && last < today {
			found = append(found, s.plan.Origin.Diagnose(rules.EndOfLife, k, "take a newer release", "%s gets no updates since %s", name, last))
		}
	}
	userland, donor := s.plan.Userland, s.plan.Kernel
	warn(key.Distro, userland.Distro, userland.EOL)
	if donor.Distro != userland.Distro {
		warn(key.Kernel, "the kernel of "+donor.Distro, donor.EOL)
	}
	for _, c := range s.plan.AllComponents() {
		warn(c.Keys()[0], c.Name+" "+c.Version, c.EOL)
		if known := s.catalog.Components[c.Name]; known != nil && known.Ended(c.Version) {
			found = append(found, s.plan.Origin.Diagnose(rules.EndOfLife, c.Keys()[0], "take a newer release", "%s %s gets no updates any more", c.Name, c.Version))
		}
	}
	return found
}

// What NoAdminUser says.
const (
	noAdmin  = "no user in it is in the group admin: "
	addAdmin = "add one, or install: {nousers: true} if that is meant"
	refuses  = "kairos-agent will refuse to install, to upgrade and to reset"
)

func noAdminUser(s subject) specs.Diagnostics {
	own, given := s.configs[s.target.CloudConfig]
	if !given || own.Admin || s.target.CloudConfig == key.CloudConfig {
		return nil
	}
	return s.aboutConfig(rules.NoAdminUser, addAdmin, noAdmin)
}

// noCloudConfig warns only about disks: the installer of a medium asks for a user.
func noCloudConfig(s subject) specs.Diagnostics {
	if _, given := s.configs[key.DiskCloudConfig]; given || s.target.CloudConfig != key.DiskCloudConfig {
		return nil
	}
	return s.aboutConfig(rules.NoCloudConfig, "name a cloud-config with a user", "is missing, and with it a user in the group admin: ")
}

// aboutConfig warns about the cloud-config of the target. The agent reads those of the medium and
// of the machine, not that of the image (kairos-agent, constants.GetUserConfigDirs).
func (s subject) aboutConfig(rule rules.Rule, hint, message string) specs.Diagnostics {
	message += refuses
	if s.configs[key.CloudConfig].Admin {
		message += " (it ignores the user in " + key.CloudConfig.String() + ")"
	} else {
		message += ", and nobody can log in"
	}
	at := s.target.CloudConfig
	return specs.Diagnostics{{Rule: rule, Range: s.plan.At(at), Key: at.String(), Message: message, Hint: hint}}
}

// lintResults returns mistakes and warnings in the form of BuildKit's build checks.
func (m *sourceMaps) lintResults(spec *specs.Source, mistakes, warnings specs.Diagnostics) *lint.LintResults {
	results := &lint.LintResults{Warnings: []lint.Warning{}}
	// LintResults.AddSource takes only files that are part of a graph.
	indices := map[*specs.Source]int32{}
	index := func(r specs.Range) int32 {
		at, ok := indices[r.Source]
		if !ok {
			at = int32(len(results.Sources))
			indices[r.Source], results.Sources = at, append(results.Sources, m.info(r))
		}
		return at
	}
	// A value that no file contains has no line.
	locate := func(d specs.Diagnostic, at *pb.Location) {
		if d.Range.Source != nil && d.Range.Start.Line > 0 {
			at.SourceIndex, at.Ranges = index(d.Range), ranges(d.Range)
		}
	}
	for _, d := range warnings {
		w := lint.Warning{RuleName: d.Rule.Name, Description: d.Rule.Description, URL: d.Rule.URL(), Detail: d.Error(), Location: &pb.Location{}}
		locate(d, w.Location)
		results.Warnings = append(results.Warnings, w)
	}
	if len(results.Sources) == 0 {
		index(specs.Range{Source: spec})
	}
	if len(mistakes) > 0 {
		// Clients print everything between the first and the last line, so only one mistake has a
		// place.
		results.Error = &lint.BuildError{Message: mistakes.Error()}
		locate(mistakes[0], &results.Error.Location)
	}
	return results
}
