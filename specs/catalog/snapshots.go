package catalog

import (
	"strings"
	"time"
)

// Snapshots are the URLs of a file of a distribution's archive in the snapshots of the archive and at its
// other mirrors. day is one on which the archive had the file, as 2026-11-27; without it, there are only
// the mirrors. The snapshot is that of the end of the day: those of snapshot.debian.org and
// snapshot.ubuntu.com are taken several times a day.
func (c *Catalog) Snapshots(distro, address, day string) (urls []string) {
	d := c.Distros[distro]
	if d == nil {
		return nil
	}
	seen, err := time.Parse(time.DateOnly, day)
	at := seen.AddDate(0, 0, 1).Format("20060102T150405Z")
	_, address, _ = strings.Cut(address, "://")
	for _, name := range Names(d.Snapshots) {
		for _, archive := range d.Archives[name] {
			file, ok := strings.CutPrefix(address, archive+"/")
			if !ok {
				continue
			}
			for _, url := range d.Snapshots[name] {
				if err == nil || !strings.Contains(url, "{time}") {
					urls = append(urls, strings.TrimSuffix(strings.ReplaceAll(url, "{time}", at), "/")+"/"+file)
				}
			}
		}
	}
	return urls
}
