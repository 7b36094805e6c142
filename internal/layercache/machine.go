package layercache

import (
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"
	"go.yaml.in/yaml/v4"
)

// Machine is where a machine says which systems it has. The zero Machine says nothing.
type Machine struct {
	// Agent is the file in which kairos-agent notes what it did (kairos-agent, pkg/state).
	Agent string
	// Boot is the directory in which immucore notes what was booted: an empty file active_mode,
	// passive_mode …
	Boot string
}

// systems are the images that the machine runs.
type systems struct {
	// Active and Passive are empty for an image that did not come from the cache.
	Active  v1.Hash `json:"active,omitzero"`
	Passive v1.Hash `json:"passive,omitzero"`
	// Booted is the system that runs: active or passive; empty for any other.
	Booted string `json:"booted,omitempty"`
	// Upgrade is when the last upgrade was, as the agent writes it.
	Upgrade string `json:"upgrade,omitempty"`
}

const passive = "passive"

// upgraded follows an upgrade to an image, as the agent does: the active system becomes the passive
// one, unless the passive one runs.
func (s *systems) upgraded(time string, image v1.Hash) {
	if time == s.Upgrade {
		return
	}
	if s.Booted != passive {
		s.Passive = s.Active
	}
	s.Active, s.Upgrade = image, time
}

// upgrade is the last upgrade of the active system.
type upgrade struct{ time, source string }

func (m Machine) upgrade() (upgrade, error) {
	const never = "never"
	if m.Agent == "" {
		return upgrade{}, nil
	}
	data, err := os.ReadFile(m.Agent)
	if errors.Is(err, fs.ErrNotExist) {
		return upgrade{}, nil
	}
	if err != nil {
		return upgrade{}, errors.Wrap(err, "read what the agent did")
	}
	var file struct {
		Time   string `yaml:"last-active-upgrade"`
		Source string `yaml:"last-active-source"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return upgrade{}, errors.Wrap(err, "read what the agent did")
	}
	if file.Time == never {
		file.Time = ""
	}
	return upgrade{file.Time, file.Source}, nil
}

// booted is the system that runs.
func (m Machine) booted() string {
	for _, name := range []string{"active", passive} {
		if _, err := os.Stat(filepath.Join(m.Boot, name+"_mode")); m.Boot != "" && err == nil {
			return name
		}
	}
	return ""
}
