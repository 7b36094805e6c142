package artifact

import (
	_ "embed"

	"github.com/flavorkit/flavorkit/llb/graph"
)

var (
	//go:embed esp.sh
	espText []byte
	//go:embed grub.sh
	grubText []byte
	//go:embed checksum.sh
	checksumText []byte
)

// ESPLibrary makes EFI system partitions.
func ESPLibrary() graph.Script { return graph.Script{Name: "esp.sh", Text: espText} }

// GRUBLibrary makes GRUB for BIOS.
func GRUBLibrary() graph.Script { return graph.Script{Name: "grub.sh", Text: grubText} }

// ChecksumLibrary writes checksums.
func ChecksumLibrary() graph.Script { return graph.Script{Name: "checksum.sh", Text: checksumText} }
