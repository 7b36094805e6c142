//go:build linux

package engine

import (
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/moby/buildkit/util/resolver"
	"github.com/moby/buildkit/util/resolver/config"
)

// registryHosts returns the hosts for a registry: its mirrors first, then the registry itself.
// BuildKit uses plain HTTP for loopback hosts by default, and we keep that.
func registryHosts(mirrors map[string][]string) docker.RegistryHosts {
	registries := make(map[string]config.RegistryConfig, len(mirrors))
	for host, m := range mirrors {
		registries[host] = config.RegistryConfig{Mirrors: m}
	}
	return resolver.NewRegistryConfig(registries)
}
