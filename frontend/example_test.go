package frontend_test

import (
	"fmt"
	"os"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"

	"github.com/flavorkit/flavorkit/frontend"
	"github.com/flavorkit/flavorkit/specs/catalog"
)

// A frontend image of your own: it knows one more flavor than the published one. The files can be
// an embed.FS.
func ExampleNew() {
	files := fstest.MapFS{
		"flavors/acme.spec": {Data: []byte("extends: debian-12\npackages: {add: [htop]}\n")},
	}
	cat, err := catalog.Builtin()
	if err == nil {
		cat, err = cat.With(catalog.Layer{Name: "acme", FS: files})
	}
	if err == nil {
		err = grpcclient.RunFromEnvironment(appcontext.Context(), frontend.New(frontend.Options{Catalog: cat}).Build)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "acme:", err)
		os.Exit(1)
	}
}

// The kind of output decides what to do with the result of a target.
func ExampleTargetByName() {
	for _, name := range []string{"iso", "img-image", "ios"} {
		t, err := frontend.TargetByName(name)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(t.Name, t.IsImage())
	}
	// Output:
	// iso false
	// img-image true
	// unknown target "ios"; valid: confext, gce, image, img, img-image, iso, netboot, packages, qcow2, sbom, sysext, test, vhd, vmdk
}
