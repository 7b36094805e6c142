// Package look holds what the scripts share that check a root filesystem from
// the outside.
package look

import (
	_ "embed"

	"github.com/flavorkit/flavorkit/llb/graph"
)

//go:embed look.sh
var text []byte

// Script is sourced by the scripts of checks, which lies beside them.
func Script() graph.Script { return graph.Script{Name: "look.sh", Text: text} }
