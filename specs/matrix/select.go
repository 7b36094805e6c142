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

// Of returns the entries that match every list. A pattern that matches no entry is an error, and so
// is an empty selection.
func (s Selection) Of(entries []Entry) ([]Entry, error) {
	chosen := slices.Clone(entries)
	for _, list := range []struct {
		flag     string
		patterns []string
		value    func(Entry) string
	}{
		{"entry", s.Names, func(c Entry) string { return c.Name }},
		{"flavor", s.Flavors, func(c Entry) string { return c.Flavor }},
		{"variant", s.Variants, func(c Entry) string { return c.Variant }},
		{"arch", s.Archs, func(c Entry) string { return c.Arch }},
		{"model", s.Models, func(c Entry) string { return c.Model }},
	} {
		if len(list.patterns) == 0 {
			continue
		}
		var valid []string
		for _, c := range entries {
			valid = append(valid, list.value(c))
		}
		slices.Sort(valid)
		valid = slices.DeleteFunc(slices.Compact(valid), func(s string) bool { return s == "" })
		for _, pattern := range list.patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				return nil, errors.Errorf("--%s %q is not a pattern", list.flag, pattern)
			}
			if !slices.ContainsFunc(valid, func(v string) bool { return matches(pattern, v) }) {
				return nil, errors.Errorf("--%s %q matches no entry; %s", list.flag, pattern, specs.Suggest(pattern, valid))
			}
		}
		chosen = slices.DeleteFunc(chosen, func(c Entry) bool {
			return !slices.ContainsFunc(list.patterns, func(p string) bool { return matches(p, list.value(c)) })
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
