package bake

import (
	"fmt"
	"strings"
)

// identifiers are the names that are taken. Bake has one set of them for targets
// and groups.
type identifiers map[string]bool

// of returns a name that bake accepts. When two names come out the same, because
// they differ only in replaced characters, the second gets a number.
func (taken identifiers) of(name string) string {
	plain := identifier(name)
	id := plain
	for n := 2; taken[id]; n++ {
		id = fmt.Sprintf("%s-%d", plain, n)
	}
	taken[id] = true
	return id
}

// identifier replaces the characters that bake refuses.
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
