package disk

import (
	_ "embed"
	"path"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/llb/artifact"
	"github.com/flavorkit/flavorkit/llb/graph"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

var (
	//go:embed measure.sh
	measureText []byte
	//go:embed image.sh
	imageText []byte
	//go:embed table.sh
	tableText []byte
	//go:embed ext.sh
	extText []byte
	//go:embed espart.sh
	espartText []byte
	//go:embed bios.sh
	biosText []byte
	//go:embed disk.sh
	diskText []byte
	//go:embed compress.sh
	compressText []byte
	//go:embed vhd.sh
	vhdText []byte
	//go:embed qcow.sh
	qcowText []byte
	//go:embed vmdk.sh
	vmdkText []byte
	//go:embed gce.sh
	gceText []byte
)

func measureScript() graph.Script { return graph.Script{Name: "measure.sh", Text: measureText} }

func imageScript() graph.Script {
	return graph.Script{Name: "image.sh", Text: imageText, Beside: []graph.Script{extLibrary()}}
}

func espartScript() graph.Script {
	return graph.Script{Name: "espart.sh", Text: espartText, Beside: []graph.Script{artifact.ESPLibrary()}}
}

func biosScript() graph.Script {
	return graph.Script{Name: "bios.sh", Text: biosText, Beside: []graph.Script{artifact.GRUBLibrary()}}
}

func diskScript(sets catalog.Overlays) (graph.Script, error) {
	grubState, err := overlayScript(sets, "common", "/usr/lib/kairos/grub-state")
	return graph.Script{Name: "disk.sh", Text: diskText, Beside: []graph.Script{extLibrary(), {Name: "table.sh", Text: tableText}, grubState}}, err
}

func compressScript() graph.Script { return withChecksum("compress.sh", compressText) }

func vhdScript() graph.Script { return graph.Script{Name: "vhd.sh", Text: vhdText} }

func qcowScript() graph.Script { return withChecksum("qcow.sh", qcowText) }

func vmdkScript() graph.Script { return withChecksum("vmdk.sh", vmdkText) }

func gceScript() graph.Script { return withChecksum("gce.sh", gceText) }

// withChecksum returns a script that writes a file and its checksum.
func withChecksum(name string, text []byte) graph.Script {
	return graph.Script{Name: name, Text: text, Beside: []graph.Script{artifact.ChecksumLibrary()}}
}

func extLibrary() graph.Script { return graph.Script{Name: "ext.sh", Text: extText} }

// overlayScript returns a script of an overlay, to also run it in a step.
func overlayScript(sets catalog.Overlays, set, file string) (graph.Script, error) {
	entries, err := sets.Files(set)
	if err != nil {
		return graph.Script{}, err
	}
	for _, e := range entries {
		if e.Path == file {
			return graph.Script{Name: path.Base(file), Text: e.Data}, nil
		}
	}
	return graph.Script{}, errors.Errorf("the overlay %s has no %s", set, file)
}
