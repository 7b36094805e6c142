package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/flavorkit/flavorkit/specs/catalog"
)

// catalogReport prints what was found out about a catalog.
type catalogReport struct {
	// summary are the states that are counted, for each distribution; none for no summary.
	summary []catalog.State
	// all also lists what is right.
	all bool
}

// reportFormats are the formats of reports, by name. JSON always has all findings.
func reportFormats() map[string]func(w io.Writer, r catalogReport, found []catalog.Finding) error {
	return map[string]func(io.Writer, catalogReport, []catalog.Finding) error{
		"json": func(w io.Writer, _ catalogReport, found []catalog.Finding) error { return printJSON(w, found) },
		"text": func(w io.Writer, r catalogReport, found []catalog.Finding) error {
			return textTables(w, r.tables(found))
		},
		"markdown": func(w io.Writer, r catalogReport, found []catalog.Finding) error {
			return markdownTables(w, r.tables(found))
		},
	}
}

// tables are the summary and the list of findings. The first row of each is the head.
func (r catalogReport) tables(found []catalog.Finding) [][][]string {
	var all [][][]string
	if len(r.summary) > 0 {
		all = append(all, r.counts(found))
	}
	listed := slices.DeleteFunc(slices.Clone(found), func(f catalog.Finding) bool { return f.State == catalog.Right && !r.all })
	if len(listed) > 0 {
		all = append(all, findingRows(listed))
	}
	return all
}

// counts has a row for each distribution and architecture.
func (r catalogReport) counts(found []catalog.Finding) [][]string {
	head := []string{"DISTRO", "ARCH"}
	for _, state := range r.summary {
		head = append(head, strings.ToUpper(string(state)))
	}
	rows := [][]string{head}
	for len(found) > 0 {
		distro, arch := found[0].Distro, found[0].Arch
		end := slices.IndexFunc(found, func(f catalog.Finding) bool { return f.Distro != distro || f.Arch != arch })
		if end < 0 {
			end = len(found)
		}
		row, count := []string{distro, arch}, counted(found[:end])
		for _, state := range r.summary {
			row = append(row, fmt.Sprint(count[state]))
		}
		rows, found = append(rows, row), found[end:]
	}
	return rows
}

// counted are the numbers of findings by state.
func counted(found []catalog.Finding) map[catalog.State]int {
	count := map[catalog.State]int{}
	for _, f := range found {
		count[f.State]++
	}
	return count
}

// findingRows has a row for each finding, and a column for each value that any of them has.
func findingRows(found []catalog.Finding) [][]string {
	rows := [][]string{{"DISTRO", "ARCH", "KIND", "NAME", "VERSION", "NEWEST", "STATE", "NOTE", "PLACE"}}
	for _, f := range found {
		rows = append(rows, []string{f.Distro, f.Arch, f.Kind, f.Name, f.Version, f.Newest, string(f.State), f.Note, f.Place})
	}
	for c := len(rows[0]) - 1; c >= 0; c-- {
		if slices.ContainsFunc(rows[1:], func(row []string) bool { return row[c] != "" }) {
			continue
		}
		for i := range rows {
			rows[i] = slices.Delete(rows[i], c, c+1)
		}
	}
	return rows
}

func textTables(w io.Writer, all [][][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, table := range all {
		if i > 0 {
			fmt.Fprintln(tw)
		}
		for _, row := range table {
			fmt.Fprintln(tw, strings.Join(row, "\t"))
		}
	}
	return tw.Flush()
}

func markdownTables(w io.Writer, all [][][]string) error {
	var text strings.Builder
	for i, table := range all {
		if i > 0 {
			text.WriteString("\n")
		}
		for n, row := range table {
			cells := slices.Clone(row)
			for c := range cells {
				cells[c] = strings.ReplaceAll(strings.ReplaceAll(cells[c], "|", `\|`), "\n", " ")
				if n == 0 {
					cells[c] = strings.ToLower(cells[c])
				}
			}
			text.WriteString("| " + strings.Join(cells, " | ") + " |\n")
			if n == 0 {
				text.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
			}
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
