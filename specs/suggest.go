package specs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// most limits the words of a hint.
const most = 32

// Suggest returns a hint for a word that is not among the valid ones: the nearest valid word, or
// all of them when none is near.
func Suggest(word string, valid []string) string {
	sorted := slices.Sorted(slices.Values(valid))
	near, ok := Nearest(word, sorted)
	switch {
	case ok:
		return fmt.Sprintf("did you mean %q?", near)
	case len(sorted) == 0:
		return ""
	case len(sorted) > most:
		return fmt.Sprintf("valid: %s and %d more", strings.Join(sorted[:most], ", "), len(sorted)-most)
	default:
		return "valid: " + strings.Join(sorted, ", ")
	}
}

// Nearest returns the valid word that was probably meant; ok is false when none is near.
func Nearest(word string, valid []string) (near string, ok bool) {
	distance := len(word)/2 + 1
	for _, v := range slices.Sorted(slices.Values(valid)) {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(v), nil); d < distance {
			near, distance, ok = v, d, true
		}
	}
	return near, ok
}
