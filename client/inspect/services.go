package inspect

import (
	"path"
	"slices"
	"strings"
)

// Service is a service that starts, or one that cannot.
type Service struct {
	Name string `json:"name"`
	// In are the targets or runlevels that start it.
	In     []string `json:"in,omitempty"`
	Masked bool     `json:"masked,omitempty"`
}

// services lists what administrators and packages have enabled: links of systemd (systemctl(1),
// enable) and of OpenRC (rc-update(8)).
func services(tree map[string]node) []Service {
	found := map[string]*Service{}
	service := func(name string) *Service {
		if found[name] == nil {
			found[name] = &Service{Name: name}
		}
		return found[name]
	}
	for name, n := range tree {
		dir, base := path.Split(name)
		dir = strings.TrimSuffix(dir, "/")
		switch {
		case n.link == "":
		case dir == "etc/systemd/system" && n.link == "/dev/null":
			service(base).Masked = true
		case path.Dir(dir) == "etc/systemd/system" && (path.Ext(dir) == ".wants" || path.Ext(dir) == ".requires"):
			s := service(base)
			s.In = append(s.In, strings.TrimSuffix(path.Base(dir), path.Ext(dir)))
		case path.Dir(dir) == "etc/runlevels":
			s := service(base)
			s.In = append(s.In, path.Base(dir))
		}
	}
	all := []Service{}
	for _, s := range found {
		slices.Sort(s.In)
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	return all
}
