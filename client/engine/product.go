//go:build linux

package engine

import (
	"runtime/debug"
	"strings"

	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/version"
)

// product is what BuildKit calls the program in messages and tells frontends it
// is driven by.
const product = "flavorkit"

// nameProduct fills in BuildKit's variables that its own daemon sets in main and
// at link time. The version is the one this program was built with; it ends up
// in the worker's information and in provenance attestations.
func nameProduct() {
	apicaps.ExportedProduct = product
	if !strings.HasSuffix(version.Version, "+unknown") {
		return
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	for _, m := range info.Deps {
		if m.Path != version.Package {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		version.Version = m.Version
	}
}
