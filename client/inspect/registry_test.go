package inspect_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flavorkit/flavorkit/client/inspect"
)

// TestRegistries reads an image at a mirror with a certificate of its own.
func TestRegistries(t *testing.T) {
	server := httptest.NewTLSServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "https://")
	ref, err := name.ParseReference(host + "/copies/kairos:v1")
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image(t, "amd64", kairos()), remote.WithTransport(server.Client().Transport)))

	const asked = "quay.example/kairos:v1"
	opt := inspect.Options{Arch: "amd64", Registries: inspect.Registries{
		Mirrors:   map[string]string{"quay.example": host + "/copies"},
		Authority: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}}
	r, err := inspect.Read(t.Context(), asked, opt)
	require.NoError(t, err)
	assert.Equal(t, asked, r.Name)

	opt.Registries.Authority = nil
	_, err = inspect.Read(t.Context(), asked, opt)
	require.ErrorContains(t, err, "certificate")
	opt.Registries.Authority = []byte("nothing")
	_, err = inspect.Read(t.Context(), asked, opt)
	assert.ErrorContains(t, err, "the authority has no certificate in PEM")
}
