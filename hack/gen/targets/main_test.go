package main

import (
	"testing"

	"github.com/flavorkit/flavorkit/test/golden"
)

func TestPageIsCurrent(t *testing.T) {
	golden.Generated(t, "../../../docs/targets.md", run)
}
