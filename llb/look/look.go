// Package look has the shell library for scripts that check a root filesystem from outside.
package look

import (
	_ "embed"

	"github.com/flavorkit/flavorkit/llb/graph"
)

//go:embed look.sh
var text []byte

// Script is the library, which scripts source from their own directory.
func Script() graph.Script { return graph.Script{Name: "look.sh", Text: text} }
