//go:build linux

package engine

import (
	"runtime/debug"
	"strings"

	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/version"
)

// product is the program's name in BuildKit's messages and for frontends.
const product = "flavorkit"

// nameProduct sets the variables of BuildKit that its daemon sets in main and at link time. The
// version is that of the BuildKit in this program; it appears in the worker's information and in
// provenance attestations.
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
