package scan

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Advice says which version of the package has a fix.
func (f Finding) Advice() string {
	text := f.Package.Name + " " + f.Package.Version
	if f.Fixed == "" {
		return text + " has a known vulnerability, and no version with a fix is known"
	}
	return text + " has a known vulnerability, which is fixed in " + f.Fixed
}

// names are the names of a vulnerability that people look for first.
func (f Finding) names() string {
	also := slices.DeleteFunc(slices.Concat(f.Aliases, f.Upstream), func(name string) bool { return !strings.HasPrefix(name, "CVE-") || strings.HasSuffix(f.ID, name) })
	const most = 2
	if len(also) > most {
		also = append(also[:most], fmt.Sprintf("and %d more", len(also)-most))
	}
	return strings.TrimSpace(f.ID + " " + strings.Join(also, " "))
}

// WriteText writes a report for people.
func (r *Report) WriteText(w io.Writer) error {
	counted, out := r.AtLeast(Unknown), []Finding{}
	for _, f := range r.Findings {
		if f.VEX != nil {
			out = append(out, f)
		}
	}
	fmt.Fprintf(w, "%s: %s in %s%s\n", r.System, count(len(counted), "vulnerability"), count(r.Packages, "package"), levels(counted))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(counted) > 0 {
		fmt.Fprintln(t, "\nSEVERITY\tSCORE\tVULNERABILITY\tPACKAGE\tVERSION\tFIXED IN")
	}
	for _, f := range counted {
		score := "-"
		if f.Score > 0 {
			score = fmt.Sprintf("%.1f", f.Score)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Severity, score, f.names(), f.Package.Name, f.Package.Version, cmp.Or(f.Fixed, "-"))
	}
	if len(out) > 0 {
		fmt.Fprintln(t, "\nRULED OUT\tPACKAGE\tWHY")
	}
	for _, f := range out {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.names(), f.Package.Name, f.VEX.Why())
	}
	if len(r.Unchecked) > 0 {
		fmt.Fprintln(t, "\nNOT CHECKED\tWHY")
	}
	for _, u := range r.Unchecked {
		fmt.Fprintf(t, "%s\t%s\n", some(u.Parts), u.Reason)
	}
	return t.Flush()
}

// levels counts findings by severity, the worst first.
func levels(found []Finding) string {
	var parts []string
	for _, level := range slices.Backward(Levels()) {
		n := 0
		for _, f := range found {
			if f.Severity == level {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, level))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// some are a few of many names.
func some(names []string) string {
	const most = 3
	text := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// count is a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		what = stem + "ie"
	}
	return fmt.Sprintf("%d %ss", n, what)
}
