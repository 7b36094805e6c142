package inspect

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes a report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(r.Name, r.Format)
	if r.Image != nil {
		r.Image.rows(t)
	}
	if r.Medium != nil {
		r.Medium.rows(t)
	}
	r.System.rows(t)
	if len(r.Unread) > 0 {
		t.section("not read")
		for _, reason := range r.Unread {
			t.row("", reason)
		}
	}
	return t.Flush()
}

// table writes rows with a name and values.
type table struct{ *tabwriter.Writer }

// section starts a group of rows with other columns.
func (t *table) section(title string) {
	// Columns are aligned between lines without tabs.
	fmt.Fprintf(t, "\n%s\n", title)
}

func (t *table) row(name string, values ...string) {
	fmt.Fprintln(t, strings.Join(append([]string{name}, values...), "\t"))
}

// list writes a row for each value, the name in the first.
func (t *table) list(name string, values []string) {
	for _, v := range values {
		t.row(name, v)
		name = ""
	}
}

func (s *System) rows(t *table) {
	t.section("system")
	release := func(names ...string) string {
		var values []string
		for _, name := range names {
			if v := s.Release[name]; v != "" {
				values = append(values, v)
			}
		}
		return strings.Join(values, " ")
	}
	t.row("  version", release("KAIROS_VERSION", "KAIROS_SOFTWARE_VERSION_PREFIX", "KAIROS_SOFTWARE_VERSION"))
	t.row("  flavor", release("KAIROS_FLAVOR", "KAIROS_FLAVOR_RELEASE", "KAIROS_VARIANT", "KAIROS_ARCH", "KAIROS_MODEL"))
	t.row("  distribution", s.OS["PRETTY_NAME"])
	t.row("  files", fmt.Sprintf("%d, %s", s.Files, size(s.Size)))
	if len(s.Databases) > 0 {
		t.row("  packages", fmt.Sprintf("%d (/%s)", len(s.Packages), strings.Join(s.Databases, ", /")))
	}
	for _, k := range s.Kernels {
		parts := []string{k.Version}
		if k.Path != "" {
			parts = append(parts, "/"+k.Path, size(k.Size))
		}
		parts = append(parts, count(k.Modules, "module")+" of "+size(k.ModulesSize))
		t.row("  kernel", strings.Join(parts, ", "))
	}
	if len(s.Kernels) == 0 {
		t.row("  kernel", "none")
	}
	t.list("  initramfs", sized(s.Initramfs))
	t.list("  loaders", sized(s.Loaders))
	if s.CommandLine != "" {
		t.row("  kernel arguments", s.CommandLine)
	}
	t.list("  cloud-config", sized(s.CloudConfigs))
	var services []string
	for _, service := range s.Services {
		services = append(services, service.Name+" "+service.state())
	}
	t.list("  services", services)
}

// sized are files with their sizes.
func sized(files []File) []string {
	var all []string
	for _, f := range files {
		all = append(all, "/"+f.Path+", "+size(f.Size))
	}
	return all
}

// state says whether and when a service starts, as in a plan.
func (s Service) state() string {
	if s.Masked {
		return "masked"
	}
	return "in " + strings.Join(s.In, ", ")
}

func (i *Image) rows(t *table) {
	t.section("OCI image")
	if i.Digest != "" {
		t.row("  digest", i.Digest)
	}
	t.row("  platform", i.Platform)
	if !i.Created.IsZero() {
		t.row("  created", i.Created.UTC().Format(time.RFC3339))
	}
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(i.Labels)) {
		labels = append(labels, name+"="+i.Labels[name])
	}
	t.list("  labels", labels)
	t.section(fmt.Sprintf("layers, %s", size(i.Size())))
	for _, l := range i.Layers {
		t.row("  "+size(l.Size), short(l.DiffID), oneLine(l.CreatedBy))
	}
}

// short is a digest that is long enough to recognize it.
func short(digest string) string {
	const length = len("sha256:") + 12
	return digest[:min(length, len(digest))]
}

// oneLine is the beginning of a text.
func oneLine(text string) string {
	const most = 100
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

func (m *Medium) rows(t *table) {
	t.section("medium")
	t.row("  size", size(m.Size))
	if m.Label != "" {
		t.row("  label", m.Label)
	}
	t.row("  system", m.SystemAt)
	if len(m.Partitions) > 0 {
		t.section("partitions")
		for _, p := range m.Partitions {
			t.row(fmt.Sprintf("  %d", p.Number), p.Name, p.Label, p.Filesystem, size(p.Size))
			for _, f := range folded(p.Files) {
				t.row("", "", f)
			}
		}
	}
	if len(m.Menu) > 0 {
		t.section("boot menu")
		for _, e := range m.Menu {
			t.row("  "+e.Title, e.CommandLine)
		}
	}
	if len(m.Files) > 0 {
		t.section("files")
		for _, f := range folded(m.Files) {
			t.row("  " + f)
		}
	}
}

// folded lists files, and only the directory where one has many.
func folded(files []File) []string {
	const most = 12
	dirs := map[string][]File{}
	for _, f := range files {
		dir := f.Path[:strings.LastIndex(f.Path, "/")+1]
		dirs[dir] = append(dirs[dir], f)
	}
	var all []string
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if len(dirs[dir]) <= most {
			all = append(all, sized(dirs[dir])...)
			continue
		}
		var bytes int64
		for _, f := range dirs[dir] {
			bytes += f.Size
		}
		all = append(all, fmt.Sprintf("/%s, %s of %s", dir, count(len(dirs[dir]), "file"), size(bytes)))
	}
	return all
}
