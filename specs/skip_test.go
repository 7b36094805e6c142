package specs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// TestUnskipped has a warning in each line of a file; those that a comment skips end with "off".
func TestUnskipped(t *testing.T) {
	for name, text := range map[string]string{
		"at the end of the line": `
a: x on
b: y # flavorkit: skip=NoAdminUser off
c: z on`,
		"above": `
a: x on
# flavorkit: skip=NoAdminUser
b: y off
c: z on`,
		"in a block of comments": `
a: x on
# flavorkit: skip=NoAdminUser
# because of this
b: y off

# flavorkit: skip=NoAdminUser

c: z on`,
		"at a key around it": `
a:
  # flavorkit: skip=NoAdminUser
  b:
    c: x off
    # a comment
    d: |

      off
  e: on
f: on`,
		"at an item of a list": `
a:
- path: a # flavorkit: skip=NoAdminUser off
  content: off
- path: b on
  content: on`,
		"at a list in the column of its key": `
a: # flavorkit: skip=NoAdminUser
- path: a off
- path: b off
c: on`,
		"several names": `
a: on
b: x # flavorkit: skip=NoAssertions, NoAdminUser off
c: y # flavorkit:skip = NoAdminUser off
d: z # flavorkit: skip=NoAdminUsers on
e: z#flavorkit: skip=NoAdminUser on`,
		"at the top": `
# syntax=x
# flavorkit: skip=NoAdminUser

# more
a: off
b: off`,
		"another rule at the top": `
# flavorkit: skip=NoAssertions
a: on`,
	} {
		lines := strings.Split(strings.TrimPrefix(text, "\n"), "\n")
		var found specs.Diagnostics
		var want []int
		src := &specs.Source{Name: "kairos.spec"}
		for i, line := range lines {
			bare, off := strings.CutSuffix(line, " off")
			bare, on := strings.CutSuffix(bare, " on")
			lines[i] = bare
			if !on && !off {
				continue
			}
			at := specs.Position{Line: i + 1, Column: 1}
			found = append(found, specs.Diagnostic{Rule: rules.NoAdminUser, Range: specs.Range{Source: src, Start: at, End: at}})
			if on {
				want = append(want, i+1)
			}
		}
		src.Data = []byte(strings.Join(lines, "\n"))
		var got []int
		for _, d := range found.Unskipped([]*specs.Source{src}) {
			got = append(got, d.Range.Start.Line)
		}
		assert.Equal(t, want, got, name)
	}
}

// TestUnskippedElsewhere counts the comment at the top of a spec for what it extends, but not the
// other way round, and never for mistakes.
func TestUnskippedElsewhere(t *testing.T) {
	in := func(rule rules.Rule, src *specs.Source) specs.Diagnostics {
		at := specs.Position{Line: 2, Column: 1}
		if src == nil {
			at = specs.Position{}
		}
		return specs.Diagnostics{{Rule: rule, Range: specs.Range{Source: src, Start: at, End: at}}}
	}
	const skip = "# flavorkit: skip=NoAdminUser,UnknownKey\na: b\n"
	nearest := &specs.Source{Name: "kairos.spec", Data: []byte(skip)}
	base := &specs.Source{Name: "base.spec", Data: []byte("\na: b\n"), Depth: 1}
	chain := []*specs.Source{nearest, base}
	assert.Empty(t, in(rules.NoAdminUser, nearest).Unskipped(chain))
	assert.Empty(t, in(rules.NoAdminUser, base).Unskipped(chain))
	assert.Empty(t, in(rules.NoAdminUser, nil).Unskipped(chain), "a warning about no file")
	assert.Len(t, in(rules.UnknownKey, nearest).Unskipped(chain), 1)
	nearest.Data, base.Data = base.Data, nearest.Data
	assert.Len(t, in(rules.NoAdminUser, nearest).Unskipped(chain), 1)
	assert.Empty(t, in(rules.NoAdminUser, base).Unskipped(chain))
}

func TestUnknownSkips(t *testing.T) {
	text := "# flavorkit: skip=NoAdminUser,NoAssertion\n" +
		"a: ü # flavorkit: skip= UnknownKey\n" +
		"# flavorkit: skip=\n"
	assert.Equal(t, strings.Join([]string{
		`kairos.spec:1:31: no rule is called "NoAssertion"; did you mean "NoAssertions"? [UnknownSkip]`,
		"kairos.spec:2:25: UnknownKey is a mistake, which cannot be skipped [UnknownSkip]",
		"kairos.spec:3:19: names no rule; write names with commas between them, such as # flavorkit: skip=NoAdminUser,NoAssertions [UnknownSkip]",
	}, "\n"), specs.UnknownSkips([]*specs.Source{{Name: "kairos.spec", Data: []byte(text)}}).Error())
}

func TestRunsStage(t *testing.T) {
	for name, want := range map[string]string{
		"initramfs": "", "boot.before": "", "kairos-install.after": "", "kairos-install.pre.before": "", "after-reset-chroot": "",
		"provider-kairos.bootstrap.before.master": "",
		"kairos-install": `did you mean "kairos-install.pre"?`,
		"initrmfs.after": `did you mean "initramfs"?`,
		"after_upgrade":  `did you mean "after-upgrade"?`,
	} {
		runs, hint := specs.RunsStage(name)
		assert.Equal(t, want == "", runs, name)
		assert.Equal(t, want, hint)
	}
	runs, _ := specs.RunsStage("boot.before.after")
	assert.False(t, runs)
	runs, _ = specs.RunsStage("first-boot.after")
	assert.False(t, runs)
	runs, _ = specs.RunsStage("first-boot.after", "first-boot")
	assert.True(t, runs, "a stage of the agent in the system")
}
