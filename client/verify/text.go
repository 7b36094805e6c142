package verify

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteText writes a report for people.
func (r *Report) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "%s\n%s\n\n", r.Name, r.Digest)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.Check, c.Outcome, c.Detail)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	const most = 20
	for _, c := range r.Checks {
		for i, d := range c.Differences {
			if i == most {
				fmt.Fprintf(w, "  and %d more; --format json has all\n", len(c.Differences)-most)
				break
			}
			fmt.Fprintf(w, "  %s: %s\n", c.Check, d)
		}
	}
	return nil
}
