package bake

import (
	"fmt"
	"strings"
)

// identifiers are the names in use. Targets and groups share them.
type identifiers map[string]bool

// of returns a name that bake accepts. If two names differ only in replaced characters, the second
// one gets a number.
func (taken identifiers) of(name string) string {
	plain := identifier(name)
	id := plain
	for n := 2; taken[id]; n++ {
		id = fmt.Sprintf("%s-%d", plain, n)
	}
	taken[id] = true
	return id
}

// identifier replaces the characters that bake does not accept.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return '-'
		}
	}, name)
}
