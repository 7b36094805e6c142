package specs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// most is how many words a hint has at the most.
const most = 24

// Suggest returns a hint for a word that is not among the valid ones: the
// nearest valid word, or all of them when none is near.
func Suggest(word string, valid []string) string {
	sorted := slices.Sorted(slices.Values(valid))
	best, distance := "", len(word)/2+1
	for _, v := range sorted {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(v), nil); d < distance {
			best, distance = v, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(sorted) == 0:
		return ""
	case len(sorted) > most:
		return fmt.Sprintf("valid: %s and %d more", strings.Join(sorted[:most], ", "), len(sorted)-most)
	default:
		return "valid: " + strings.Join(sorted, ", ")
	}
}
