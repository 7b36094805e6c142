package catalog

import (
	"strings"
	"time"
)

// Snapshot is the URL of a file of a distribution's archive in the snapshot of the archive; empty if
// there is none. day is one on which the archive had the file, as 2026-11-27. The snapshot is that of
// its end: those of snapshot.debian.org and snapshot.ubuntu.com are taken several times a day.
func (c *Catalog) Snapshot(distro, address, day string) string {
	seen, err := time.Parse(time.DateOnly, day)
	if err != nil || c.Distros[distro] == nil {
		return ""
	}
	d := c.Distros[distro]
	_, address, _ = strings.Cut(address, "://")
	for name, url := range d.Snapshots {
		for _, archive := range d.Archives[name] {
			if file, ok := strings.CutPrefix(address, archive+"/"); ok {
				return strings.ReplaceAll(url, "{time}", seen.AddDate(0, 0, 1).Format("20060102T150405Z")) + "/" + file
			}
		}
	}
	return ""
}
