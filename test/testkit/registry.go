package testkit

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flavorkit/flavorkit/test/testkit/registry"
)

// RegistryServer is a registry on the loopback interface, for one test.
type RegistryServer struct {
	t      testing.TB
	server *httptest.Server
}

// Registry starts an empty registry.
func Registry(t testing.TB) *RegistryServer {
	t.Helper()
	server := httptest.NewServer(registry.Handler(t.TempDir()))
	t.Cleanup(server.Close)
	return &RegistryServer{t: t, server: server}
}

// Addr is the registry's HOST:PORT; it speaks plain HTTP.
func (r *RegistryServer) Addr() string {
	return strings.TrimPrefix(r.server.URL, "http://")
}

// PushLayout pushes an OCI layout under the path and tag of ref and returns its name on this
// registry, with digest. A daemon that mirrors a registry here finds it under ref.
func (r *RegistryServer) PushLayout(layout, ref string) string {
	r.t.Helper()
	pushed, err := registry.PushLayout(r.t.Context(), r.Addr(), layout, ref)
	if err != nil {
		r.t.Fatalf("pushing %s as %s: %v", layout, ref, err)
	}
	return pushed
}
