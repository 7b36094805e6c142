// Command standin is a substitute for a program with unreachable releases and source: k3s and
// provider-kairos. It only prints the name and the version of the program, which are set at link
// time, and that it is a substitute.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

var name, version string //nolint:gochecknoglobals // set with -X

func main() {
	args := os.Args[1:]
	switch {
	case len(args) > 0 && (args[0] == "--version" || args[0] == "version"):
		fmt.Printf("%s version %s (stand-in of flavorkit, not the real program)\n", name, version)
	case filepath.Base(os.Args[0]) == "agent-provider-kairos":
		// kairos-agent calls its plugins with an event and reads a JSON response.
		fmt.Println("{}")
	default:
		fmt.Fprintf(os.Stderr, "%s: this is a stand-in of flavorkit, which can tell its version and nothing else\n", name)
		os.Exit(1)
	}
}
