package frontend

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestContextKey(t *testing.T) {
	for name, want := range map[string]string{
		"kairos-agent":                          "kairos-agent",
		"debian:12-slim":                        "debian:12-slim",
		"docker.io/library/debian:12-slim":      "debian:12-slim",
		"debian:latest":                         "debian",
		"ghcr.io/flavorkit/frontend:1":          "ghcr.io/flavorkit/frontend:1",
		"docker.io/library/debian::linux/arm64": "debian::linux/arm64",
		"Not An Image":                          "Not An Image",
	} {
		assert.Equal(t, want, ContextKey(name), name)
	}
}
