package scan

import (
	"cmp"
	"slices"
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"
)

// Level is how severe a vulnerability is.
type Level string

// The levels. Unknown is below all others.
const (
	Unknown  Level = "unknown"
	Low      Level = "low"
	Medium   Level = "medium"
	High     Level = "high"
	Critical Level = "critical"
)

// Levels are all levels, the lowest first.
func Levels() []Level { return []Level{Unknown, Low, Medium, High, Critical} }

func (l Level) compare(other Level) int {
	return cmp.Compare(slices.Index(Levels(), l), slices.Index(Levels(), other))
}

// severity is how severe the vulnerability is for a package: by the highest score of CVSS, or else by
// what the database says in a word. What is said of the package goes before what is said in general.
func (r *record) severity(a *affected) (level Level, score float64) {
	for _, ratings := range [][]rating{a.Severity, r.Severity} {
		rated := false
		for _, one := range ratings {
			if s, ok := baseScore(one.Score); ok {
				rated, score = true, max(score, s)
			}
		}
		if rated {
			return levelOf(score), score
		}
	}
	words := []any{a.EcosystemSpecific["severity"], a.Specific["severity"], a.EcosystemSpecific["urgency"], r.Specific["severity"]}
	for _, ratings := range [][]rating{a.Severity, r.Severity} {
		for _, one := range ratings {
			words = append(words, one.Score)
		}
	}
	for _, word := range words {
		text, _ := word.(string) // others are the database's own
		if level, ok := namedLevel(text); ok {
			return level, 0
		}
	}
	return Unknown, 0
}

// baseScore is the score of a vector of CVSS of any version.
func baseScore(vector string) (score float64, ok bool) {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := cvss40.ParseVector(vector)
		if err != nil {
			return 0, false
		}
		return v.Score(), true
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := cvss31.ParseVector(vector)
		if err != nil {
			return 0, false
		}
		return v.BaseScore(), true
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := cvss30.ParseVector(vector)
		if err != nil {
			return 0, false
		}
		return v.BaseScore(), true
	}
	v, err := cvss20.ParseVector(vector)
	if err != nil {
		return 0, false
	}
	return v.BaseScore(), true
}

// levelOf is the rating of a score (first.org/cvss/v3.1/specification-document, 5). A score of 0, which
// the rating has another word for, is low.
func levelOf(score float64) Level {
	switch {
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	}
	return Low
}

// namedLevel is a level as databases name it. Those of Debian are in its security tracker, those of
// Ubuntu at ubuntu.com/security/cves/about, and those of SUSE at suse.com/support/security/rating.
func namedLevel(word string) (Level, bool) {
	switch strings.ToLower(word) {
	case "critical":
		return Critical, true
	case "high", "important":
		return High, true
	case "medium", "moderate":
		return Medium, true
	case "low", "negligible", "unimportant":
		return Low, true
	}
	return Unknown, false
}
