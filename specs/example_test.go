package specs_test

import (
	"context"
	"fmt"

	"github.com/flavorkit/flavorkit/specs"
)

// A spec is loaded as far as it can be read, and tells all of its mistakes with
// their place. This one extends nothing, so that it needs no reader.
func ExampleLoad() {
	src := &specs.Source{Name: "kairos.spec", Data: []byte(`distro: debian-12
version: "1.0"
packages: {add: htop}
`)}
	doc, err := specs.Load(context.Background(), src, nil)
	if err != nil {
		fmt.Println("cannot read:", err)
		return
	}
	fmt.Println(doc.Err())
	// Output:
	// kairos.spec:2:10: version: "1.0" is not a version; write semantic versioning with a leading v, such as "version: v1.0.0"
	// kairos.spec:3:17: packages.add: must be a list, not the text "htop"; write it as [htop]
}
