package artifact

import "strconv"

// ESP describes an EFI system partition to esp.sh.
type ESP struct {
	// Label and ID of the filesystem; the ID has 8 hexadecimal digits.
	Label, ID string
	// Config is the directory in which GRUB looks for its configuration; empty if a file beside the
	// programs says it.
	Config string
	// FAT is the number of bits of an entry of the allocation table; with 0, it depends on the
	// size.
	FAT int
}

// Set passes the description to a step, as environment variables.
func (e ESP) Set(env map[string]string) {
	env["FLAVORKIT_ESP_LABEL"] = e.Label
	env["FLAVORKIT_ESP_ID"] = e.ID
	if e.Config != "" {
		env["FLAVORKIT_ESP_CONFIG"] = e.Config
	}
	if e.FAT > 0 {
		env["FLAVORKIT_ESP_FAT"] = strconv.Itoa(e.FAT)
	}
}
