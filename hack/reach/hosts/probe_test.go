package hosts

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProber asks a server once, whatever it answers, and a name that does not exist.
func TestProber(t *testing.T) {
	asked := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer s.Close()
	p := &Prober{client: *s.Client()}
	host := strings.TrimPrefix(s.URL, "https://")
	require.NoError(t, p.Reach(t.Context(), host))
	require.NoError(t, p.Reach(t.Context(), host))
	assert.Equal(t, 1, asked)
	assert.Error(t, p.Reach(t.Context(), "nowhere.invalid"))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, p.Reach(ended, "elsewhere.invalid"), context.Canceled)
	assert.NotContains(t, p.known, "elsewhere.invalid")
}
