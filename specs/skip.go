package specs

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// skipComment switches warnings off: "# flavorkit: skip=RULE,RULE".
var skipComment = regexp.MustCompile(`(?:^|[ \t])#[ \t]*flavorkit:[ \t]*skip[ \t]*=(.*)$`)

// skips returns the names of the rules that a line skips. The positions are bytes of the line.
func skips(line string) (names []string, at []int) {
	m := skipComment.FindStringSubmatchIndex(line)
	if m == nil {
		return nil, nil
	}
	begin := m[2]
	for name := range strings.SplitSeq(line[m[2]:m[3]], ",") {
		names = append(names, strings.TrimSpace(name))
		at = append(at, begin+len(name)-len(strings.TrimLeft(name, " \t\r")))
		begin += len(name) + 1
	}
	return names, at
}

// SkippedAt returns the part of a line that names a rule to skip, around a byte of the line; ok is
// false when the line names none there.
func SkippedAt(line string, offset int) (start, end int, ok bool) {
	names, at := skips(line)
	for i, start := range at {
		if end := start + len(names[i]); start <= offset && offset <= end {
			return start, end, true
		}
	}
	return 0, 0, false
}

func skipsRule(line, rule string) bool {
	names, _ := skips(line)
	return slices.Contains(names, rule)
}

// Unskipped returns the diagnostics without the warnings that comments skip: at the line of the
// warning or of a key around it, in the comment above one of these lines, or at the top of the
// file. At the top of a spec, it also counts for the specs that this one extends. chain are the
// specs.
func (ds Diagnostics) Unskipped(chain []*Source) Diagnostics {
	return slices.DeleteFunc(slices.Clone(ds), func(d Diagnostic) bool {
		if d.Rule.Severity != rules.Warning {
			return false
		}
		src, rule := d.Range.Source, d.Rule.Name
		if src != nil {
			if lines := newText(src).lines; skippedAtTop(lines, rule) || skippedAt(lines, d.Range.Start.Line, rule) {
				return true
			}
		}
		return slices.ContainsFunc(chain, func(s *Source) bool {
			return s.Depth <= d.Range.depth() && skippedAtTop(newText(s).lines, rule)
		})
	})
}

func isComment(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") }

func isBlank(line string) bool { return strings.TrimSpace(line) == "" }

// skippedAtTop looks at the comments before the first key.
func skippedAtTop(lines []string, rule string) bool {
	for _, line := range lines {
		if !isBlank(line) && !isComment(line) {
			return false
		}
		if skipsRule(line, rule) {
			return true
		}
	}
	return false
}

// skippedAt looks at a line, counted from 1, and at those of the keys around it.
func skippedAt(lines []string, number int, rule string) bool {
	if number < 1 || number > len(lines) {
		return false
	}
	level := indent(lines[number-1]) + 1
	for i := number - 1; i >= 0; i-- {
		line := lines[i]
		// A comment belongs to the line below it.
		if i < number-1 && (isBlank(line) || isComment(line)) || indent(line) >= level {
			continue
		}
		level = indent(line)
		if skipsRule(line, rule) {
			return true
		}
		for above := i - 1; above >= 0 && isComment(lines[above]); above-- {
			if skipsRule(lines[above], rule) {
				return true
			}
		}
	}
	return false
}

// indent orders lines: one with a key is less than what its value has. The item of a list is more
// than the key of the list, which may begin in the same column.
func indent(line string) int {
	rest := strings.TrimLeft(line, " ")
	level := 2 * (len(line) - len(rest))
	if rest == "-" || strings.HasPrefix(rest, "- ") {
		level++
	}
	return level
}

// UnknownSkips warns about comments that skip what is not the name of a warning.
func UnknownSkips(chain []*Source) Diagnostics {
	var valid []string
	severity := map[string]rules.Severity{}
	for _, r := range rules.All() {
		severity[r.Name] = r.Severity
		if r.Severity == rules.Warning {
			valid = append(valid, r.Name)
		}
	}
	var found Diagnostics
	for _, src := range chain {
		for i, line := range newText(src).lines {
			names, at := skips(line)
			for j, name := range names {
				d := Diagnostic{Rule: rules.UnknownSkip, Message: "no rule is called " + quote(name), Hint: Suggest(name, valid)}
				switch {
				case severity[name] == rules.Warning:
					continue
				case severity[name] == rules.Error:
					d.Message, d.Hint = name+" is a mistake, which cannot be skipped", ""
				case name == "":
					d.Message, d.Hint = "names no rule", "write names with commas between them, such as # flavorkit: skip=NoAdminUser,NoAssertions"
				}
				start := Position{Line: i + 1, Column: utf8.RuneCountInString(line[:at[j]]) + 1}
				end := start
				end.Column += max(utf8.RuneCountInString(name)-1, 0)
				d.Range = Range{Source: src, Start: start, End: end}
				found = append(found, d)
			}
		}
	}
	return found
}
