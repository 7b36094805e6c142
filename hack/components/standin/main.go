// Command standin takes the place of a program of Kairos whose releases and source may both be out
// of reach: k3s and provider-kairos. It does nothing of what the program does, and says so. The name
// and the version that it answers with are set when it is linked.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

var name, version string

func main() {
	args := os.Args[1:]
	switch {
	case len(args) > 0 && (args[0] == "--version" || args[0] == "version"):
		fmt.Printf("%s version %s (stand-in of flavorkit, not the real program)\n", name, version)
	case filepath.Base(os.Args[0]) == "agent-provider-kairos":
		// kairos-agent calls its plugins with an event, and reads an answer in JSON.
		fmt.Println("{}")
	default:
		fmt.Fprintf(os.Stderr, "%s: this is a stand-in of flavorkit, which can tell its version and nothing else\n", name)
		os.Exit(1)
	}
}
