package matrix

import (
	"path"
	"slices"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/specs"
)

// Selection selects entries by patterns with * and ?. An empty list selects all.
type Selection struct {
	Names, Flavors, Variants, Archs, Models []string
}

// selector is what entries are selected by.
type selector struct {
	// flag is the name of its flag.
	flag  string
	value func(Entry) string
	// patterns are those of a selection.
	patterns func(Selection) []string
}

func selectors() []selector {
	return []selector{
		{"entry", func(c Entry) string { return c.Name }, func(s Selection) []string { return s.Names }},
		{"flavor", func(c Entry) string { return c.Flavor }, func(s Selection) []string { return s.Flavors }},
		{"variant", func(c Entry) string { return c.Variant }, func(s Selection) []string { return s.Variants }},
		{"arch", func(c Entry) string { return c.Arch }, func(s Selection) []string { return s.Archs }},
		{"model", func(c Entry) string { return c.Model }, func(s Selection) []string { return s.Models }},
	}
}

// Values returns what a flag can select, sorted; none if the flag does not select entries.
func Values(entries []Entry, flag string) []string {
	at := slices.IndexFunc(selectors(), func(a selector) bool { return a.flag == flag })
	if at < 0 {
		return nil
	}
	return selectors()[at].values(entries)
}

func (a selector) values(entries []Entry) []string {
	var all []string
	for _, c := range entries {
		all = append(all, a.value(c))
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}

// Of returns the entries that match every list. A pattern that matches no entry is an error, and so
// is an empty selection.
func (s Selection) Of(entries []Entry) ([]Entry, error) {
	chosen := slices.Clone(entries)
	for _, a := range selectors() {
		patterns, valid := a.patterns(s), a.values(entries)
		if len(patterns) == 0 {
			continue
		}
		for _, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				return nil, errors.Errorf("--%s %q is not a pattern", a.flag, pattern)
			}
			if !slices.ContainsFunc(valid, func(v string) bool { return matches(pattern, v) }) {
				return nil, errors.Errorf("--%s %q matches no entry; %s", a.flag, pattern, specs.Suggest(pattern, valid))
			}
		}
		chosen = slices.DeleteFunc(chosen, func(c Entry) bool {
			return !slices.ContainsFunc(patterns, func(p string) bool { return matches(p, a.value(c)) })
		})
	}
	if len(chosen) == 0 {
		return nil, errors.New("no entry matches all flags; flavorkit matrix lists the entries")
	}
	return chosen, nil
}

func matches(pattern, value string) bool {
	ok, err := path.Match(pattern, value)
	return err == nil && ok
}
