package layercache

import (
	"encoding/json"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pkg/errors"
)

// images is what the cache knows about images: which were asked for, and which the machine runs. Their
// layers are the last to be removed.
type images struct {
	store   *store
	machine Machine
	log     *slog.Logger

	mu    sync.Mutex
	state state
}

// state is the file of images in the store.
type state struct {
	// Asked are the images that were asked for, by name.
	Asked map[string]asked `json:"asked"`
	// Systems are those of the machine.
	Systems systems `json:"systems"`
}

// asked is an image as it was when somebody last asked for it.
type asked struct {
	Digest v1.Hash   `json:"digest"`
	Time   time.Time `json:"time"`
}

// openImages reads the file of the store. Without it, nothing is known.
func openImages(s *store, m Machine, log *slog.Logger) *images {
	i := &images{store: s, machine: m, log: log, state: state{Asked: map[string]asked{}}}
	data, err := os.ReadFile(i.file())
	if err == nil {
		err = json.Unmarshal(data, &i.state)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("forgetting the images", "because", err.Error())
		i.state = state{}
	}
	if i.state.Asked == nil {
		i.state.Asked = map[string]asked{}
	}
	i.look()
	i.state.Systems.Booted = m.booted()
	i.save()
	return i
}

func (i *images) file() string { return filepath.Join(i.store.dir, "images.json") }

// note remembers that an image was asked for.
func (i *images) note(name string, h v1.Hash) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.look()
	maps.DeleteFunc(i.state.Asked, func(_ string, a asked) bool {
		_, err := os.Stat(i.store.blob(a.Digest))
		return errors.Is(err, fs.ErrNotExist)
	})
	i.state.Asked[name] = asked{h, time.Now()}
	i.save()
}

// look asks what the agent did, and updates which images the machine runs.
func (i *images) look() {
	upgrade, err := i.machine.upgrade()
	if err != nil {
		i.log.Warn("cannot tell which images the machine runs", "because", err.Error())
		return
	}
	// The source is the address of this cache and the name.
	_, name, _ := strings.Cut(strings.TrimPrefix(upgrade.source, "oci://"), "/")
	if !strings.ContainsAny(path.Base(name), ":@") {
		name += ":latest"
	}
	i.state.Systems.upgraded(upgrade.time, i.state.Asked[name].Digest)
}

func (i *images) save() {
	data, err := json.MarshalIndent(i.state, "", "  ")
	if err == nil {
		err = i.store.write(i.file(), append(data, '\n'))
	}
	if err != nil {
		i.log.Warn("cannot remember the images", "because", err.Error())
	}
}

// keep are the blobs that are never removed: those of the images of the active and the passive system,
// and of the image that was asked for last.
func (i *images) keep() map[v1.Hash]bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.look()
	var last asked
	for _, a := range i.state.Asked {
		if a.Time.After(last.Time) {
			last = a
		}
	}
	keep := map[v1.Hash]bool{}
	for _, h := range []v1.Hash{i.state.Systems.Active, i.state.Systems.Passive, last.Digest} {
		i.mark(keep, h)
	}
	return keep
}

// mark adds an image, and what is in it.
func (i *images) mark(keep map[v1.Hash]bool, h v1.Hash) {
	if h == (v1.Hash{}) || keep[h] {
		return
	}
	keep[h] = true
	data, err := i.store.read(h)
	if err != nil {
		return // another architecture, or removed because it was corrupted
	}
	m, err := readManifest(data)
	if err != nil {
		return
	}
	for _, image := range m.Manifests {
		i.mark(keep, image.Digest)
	}
	if m.Config != nil {
		keep[m.Config.Digest] = true
	}
	for _, layer := range m.Layers {
		keep[layer.Digest] = true
	}
}
