package hosts

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/pkg/errors"
)

// Prober asks each host once.
type Prober struct {
	client http.Client
	mu     sync.Mutex
	known  map[string]error
}

// NewProber returns a Prober that waits 15 seconds for each host.
func NewProber() *Prober { return &Prober{client: http.Client{Timeout: 15 * time.Second}} }

// Reach says whether a host answers over HTTPS. Any answer will do.
func (p *Prober) Reach(ctx context.Context, host string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err, ok := p.known[host]; ok {
		return err
	}
	err := p.ask(ctx, "https://"+host+"/")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if p.known == nil {
		p.known = map[string]error{}
	}
	p.known[host] = err
	return err
}

func (p *Prober) ask(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return err
	}
	res, err := p.client.Do(req)
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	if err != nil {
		return err
	}
	return res.Body.Close()
}
