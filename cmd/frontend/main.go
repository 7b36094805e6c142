// Command frontend is the entrypoint of the frontend image, which BuildKit runs for a spec with "#
// syntax=…/frontend:1" on top.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the codec that BuildKit's own frontend uses

	"github.com/flavorkit/flavorkit/frontend"
)

func main() {
	// Standard output is the connection to BuildKit (grpcclient).
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.New(frontend.Options{}).Build); err != nil {
		fmt.Fprintln(os.Stderr, "flavorkit:", err)
		os.Exit(1)
	}
}
