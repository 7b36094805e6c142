package scan

import (
	"cmp"
	"slices"
)

// record is what is read of a record of OSV (ossf.github.io/osv-schema, 1.7).
type record struct {
	ID        string     `json:"id"`
	Modified  string     `json:"modified"`
	Withdrawn string     `json:"withdrawn"`
	Aliases   []string   `json:"aliases"`
	Upstream  []string   `json:"upstream"`
	Summary   string     `json:"summary"`
	Severity  []rating   `json:"severity"`
	Affected  []affected `json:"affected"`
	// Specific is what databases add in ways of their own.
	Specific map[string]any `json:"database_specific"`
}

// affected is a package with the versions that are affected.
type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity          []rating       `json:"severity"`
	Ranges            []versionRange `json:"ranges"`
	Versions          []string       `json:"versions"`
	Specific          map[string]any `json:"database_specific"`
	EcosystemSpecific map[string]any `json:"ecosystem_specific"`
}

// rating is a severity: a vector of CVSS, or a word.
type rating struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// versionRange has the versions at which something changes.
type versionRange struct {
	Type   string  `json:"type"`
	Events []event `json:"events"`
}

// event has one of these.
type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
	Limit        string `json:"limit"`
}

const (
	rangeGit = "GIT"
	// first is older than all versions.
	first = "0"
	// anything is newer than all versions.
	anything = "*"
)

func (e event) version() string { return cmp.Or(e.Introduced, e.Fixed, e.LastAffected, e.Limit) }

// has reports whether a version is affected, and the first version after it that is not.
func (a *affected) has(version string, compare comparison) (hit bool, fixed string, err error) {
	for _, r := range a.Ranges {
		if r.Type == rangeGit {
			continue
		}
		in, after, err := r.has(version, compare)
		if err != nil {
			return false, "", err
		}
		if in {
			return true, after, nil
		}
	}
	return slices.Contains(a.Versions, version), "", nil
}

// has goes through the events in the order of their versions, as the schema has it ("Evaluation").
func (r versionRange) has(version string, compare comparison) (hit bool, fixed string, err error) {
	order := func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == first || b == anything:
			return -1
		case b == first || a == anything:
			return 1
		}
		n, failed := compare(a, b)
		if failed != nil {
			err = failed
		}
		return n
	}
	events := slices.Clone(r.Events)
	slices.SortStableFunc(events, func(a, b event) int { return order(a.version(), b.version()) })
	var end event
	for _, e := range events {
		switch at := order(version, e.version()); {
		case e.Introduced != "" && at >= 0:
			hit = true
		case e.Introduced == "" && (at > 0 || at == 0 && e.LastAffected == ""):
			hit = false
		case e.Introduced == "" && end == event{}:
			end = e
		}
	}
	return hit && err == nil, end.Fixed, err
}

// finding is what is told of a package with the record.
func (r *record) finding(a *affected, p Package, fixed string) Finding {
	severity, score := r.severity(a)
	return Finding{
		ID: r.ID, Aliases: without(r.Aliases, r.ID), Upstream: without(r.Upstream, r.ID), Summary: r.Summary,
		Severity: severity, Score: score, Package: p, Fixed: fixed, URL: "https://osv.dev/vulnerability/" + r.ID,
	}
}
