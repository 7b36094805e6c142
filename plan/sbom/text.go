package sbom

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
)

// text is a table for people.
func (b bill) text() []byte {
	var text bytes.Buffer
	count := map[kind]int{}
	for _, it := range b.items {
		count[it.kind]++
	}
	fmt.Fprintf(&text, "%s: %d packages, %d programs, %d Go modules\n\n", b.Name, count[kindPackage], count[kindProgram], count[kindModule])
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tNAME\tVERSION\tSTAGE\tSOURCE\tLICENSE")
	for _, it := range b.items {
		license := strings.Join(it.licenses, "; ")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", it.kind, it.name, cmp.Or(it.version, "-"), cmp.Or(it.stage, "-"), cmp.Or(it.source, "-"), cmp.Or(license, "-"))
	}
	_ = w.Flush() // into memory
	return text.Bytes()
}
