package local

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// OlderVersion warns about a version that is lower than a tag of the git repository at the top of the
// context. Builds do not ask: a frontend gets no tags. Nor does it matter if git cannot tell.
func OlderVersion(ctx context.Context, p *plan.Plan, o Options) specs.Diagnostics {
	if _, err := os.Stat(filepath.Join(o.Context, ".git")); err != nil || !semver.IsValid(p.Version) {
		return nil
	}
	tags, err := exec.CommandContext(ctx, "git", "-C", o.Context, "tag", "--list").Output()
	if err != nil {
		return nil
	}
	last := ""
	for tag := range strings.FieldsSeq(string(tags)) {
		if isVersion(tag) && semver.Compare(tag, last) > 0 {
			last = tag
		}
	}
	if semver.Compare(p.Version, last) >= 0 {
		return nil
	}
	found := specs.Diagnostics{p.Origin.Diagnose(rules.OlderVersion, key.Version, "take a newer version than "+last, "the repository has the tag %s already", last)}
	return found.Unskipped(p.Origin.Sources)
}

// isVersion reports whether a tag is a whole version, such as v1.2.3; v1 is a tag that moves.
func isVersion(tag string) bool {
	return semver.IsValid(tag) && semver.Canonical(tag) == strings.TrimSuffix(tag, semver.Build(tag))
}
