//go:build linux

package engine

import (
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/version"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc/grpclog"
)

// product is what BuildKit calls the program in messages and tells frontends it is driven by.
const product = "flavorkit"

// process is this package's only variable, because what it looks after exists once in a process: the logger of
// BuildKit and containerd (logrus' standard logger), gRPC's logger, and BuildKit's name and version variables.
var process processState

type processState struct {
	once sync.Once
	mu   sync.Mutex
	open []*logSink // of the open engines, the newest last
}

// attachLog directs the process' loggers to w, and returns a writer to w for what is known to belong to this
// engine. After detach neither writes to w any more: BuildKit leaves goroutines behind that log now and then.
func attachLog(w io.Writer) (sink io.Writer, detach func() error) {
	process.once.Do(func() {
		logrus.SetOutput(&process)
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, &process))
		nameProduct()
	})
	if w == nil {
		w = io.Discard
	}
	s := &logSink{w: w}
	process.mu.Lock()
	defer process.mu.Unlock()
	process.open = append(process.open, s)
	return s, func() error {
		process.mu.Lock()
		defer process.mu.Unlock()
		process.open = slices.DeleteFunc(process.open, func(o *logSink) bool { return o == s })
		s.w = io.Discard
		return nil
	}
}

// Write passes on what the process' loggers say to the newest engine, and drops it when there is none.
func (p *processState) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.open); n > 0 {
		return p.open[n-1].w.Write(b)
	}
	return len(b), nil
}

// logSink is one engine's log.
type logSink struct{ w io.Writer }

func (s *logSink) Write(b []byte) (int, error) {
	process.mu.Lock()
	defer process.mu.Unlock()
	return s.w.Write(b)
}

// nameProduct fills in BuildKit's variables that its own daemon sets in main and at link time. The version is the
// one this program was built with; it ends up in the worker's information and in provenance attestations.
func nameProduct() {
	if apicaps.ExportedProduct == "" {
		apicaps.ExportedProduct = product
	}
	if !strings.HasSuffix(version.Version, "+unknown") {
		return
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	for _, m := range info.Deps {
		if m.Path != version.Package {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		version.Version = m.Version
	}
}
