// Package layercache is a registry on a machine that passes requests on to the registries of images,
// and keeps what they send: an upgrade then downloads only the layers that changed.
package layercache

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Options of a cache. Only Dir and Size are required.
type Options struct {
	// Dir is the store. It is made if it is missing.
	Dir string
	// Size is what the store may take, in bytes.
	Size int64
	// Insecure are registries without a certificate, as HOST or HOST:PORT.
	Insecure []string
	// Keychain has the credentials. The default is that of docker login.
	Keychain authn.Keychain
	// Transport to the registries. The default uses the certificates and the proxy of the machine.
	Transport http.RoundTripper
	// Machine says which images the machine runs. Without it, only the last image is never removed.
	Machine Machine
	// Retry says how to go on with a download that broke off. The default is DefaultRetry.
	Retry Retry
	// Log is what happens. The default is nothing.
	Log *slog.Logger
}

// Retry says how often to try again.
type Retry struct {
	// Tries in a row that bring nothing.
	Tries int
	// Pause before the second try. It doubles with every other.
	Pause time.Duration
	// Stall is how long a registry may send nothing.
	Stall time.Duration
}

// DefaultRetry bridges a bit more than a minute without a network.
func DefaultRetry() Retry { return Retry{Tries: 7, Pause: time.Second, Stall: time.Minute} }

// Cache is the handler of a registry. Close ends its downloads.
type Cache struct {
	upstream upstream
	store    *store
	images   *images
	log      *slog.Logger

	ctx   context.Context
	close context.CancelFunc
	wait  sync.WaitGroup

	mu        sync.Mutex
	downloads map[v1.Hash]*download
}

// New opens the store and returns its cache.
func New(opt Options) (*Cache, error) {
	if opt.Keychain == nil {
		opt.Keychain = authn.DefaultKeychain
	}
	if opt.Transport == nil {
		opt.Transport = http.DefaultTransport
	}
	if opt.Retry == (Retry{}) {
		opt.Retry = DefaultRetry()
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s, err := openStore(opt.Dir, opt.Size, opt.Log)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		upstream:  upstream{keychain: opt.Keychain, transport: opt.Transport, insecure: opt.Insecure, retry: opt.Retry},
		store:     s,
		images:    openImages(s, opt.Machine, opt.Log),
		log:       opt.Log,
		downloads: map[v1.Hash]*download{},
	}
	c.ctx, c.close = context.WithCancel(context.Background())
	return c, nil
}

// Close ends all downloads. Their parts stay in the store.
func (c *Cache) Close() {
	c.close()
	c.wait.Wait()
}
