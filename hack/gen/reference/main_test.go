package main

import (
	"testing"

	"github.com/flavorkit/flavorkit/test/golden"
)

func TestReferenceIsCurrent(t *testing.T) {
	golden.Generated(t, "../../../docs/spec.md", run)
}
