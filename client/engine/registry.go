//go:build linux

package engine

import (
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/moby/buildkit/util/resolver"
	"github.com/moby/buildkit/util/resolver/config"
)

// registryHosts says where images of a registry are fetched from: its mirrors first, then the registry itself.
// BuildKit speaks plain HTTP to loopback hosts unless it is told otherwise, and we do not.
func registryHosts(mirrors map[string][]string) docker.RegistryHosts {
	registries := make(map[string]config.RegistryConfig, len(mirrors))
	for host, m := range mirrors {
		registries[host] = config.RegistryConfig{Mirrors: m}
	}
	return resolver.NewRegistryConfig(registries)
}
