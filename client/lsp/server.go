package lsp

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pkg/errors"
	"github.com/sourcegraph/jsonrpc2"
)

// Error codes of the protocol beside those of JSON-RPC.
const (
	codeNotInitialized = -32002
	codeCancelled      = -32800
)

type requestID = jsonrpc2.ID

// server has the state of a connection. Messages come one after the other; requests about documents
// and checks run beside them, on a snapshot.
type server struct {
	environment
	ctx     context.Context
	now     func() (time.Time, error)
	delay   time.Duration
	version string
	exited  chan struct{}
	exit    func()

	mu      sync.Mutex
	phase   phase
	current *snapshot
	timer   *time.Timer
	// published are the files with diagnostics.
	published map[string]bool
	cancels   map[requestID]context.CancelFunc
}

// phase is where the server is in its life.
type phase int

const (
	starting phase = iota
	running
	shutDown
)

func newServer(ctx context.Context, o Options) (*server, error) {
	language, err := readLanguage()
	if err != nil {
		return nil, err
	}
	e := environment{o.Local, &flavorFiles{catalog: o.Local.Catalog}, language}
	exited := make(chan struct{})
	return &server{
		ctx: ctx, environment: e, now: o.Now, delay: o.Delay, version: o.Version,
		exited: exited, exit: sync.OnceFunc(func() { close(exited) }),
		current:   newSnapshot(e, map[string]document{}),
		published: map[string]bool{}, cancels: map[requestID]context.CancelFunc{},
	}, nil
}

// close leaves nothing behind.
func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.flavors.remove()
}

// result is what the end of the connection means.
func (s *server) result() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == shutDown {
		return nil
	}
	return ErrNoShutdown
}

// Handle implements jsonrpc2.Handler.
func (s *server) Handle(_ context.Context, conn *jsonrpc2.Conn, req *jsonrpc2.Request) {
	if req.Notif {
		s.notified(conn, req)
		return
	}
	result, err := s.asked(req)
	if later, ok := result.(laterResult); ok {
		ctx, done := s.cancellable(req.ID)
		go func() {
			defer done()
			result, err := later.wait(ctx)
			answer(s.ctx, conn, req.ID, result, err)
		}()
		return
	}
	answer(s.ctx, conn, req.ID, result, err)
}

// cancellable returns a context that ends when the editor cancels a request.
func (s *server) cancellable(id requestID) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancels[id] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.cancels, id)
	}
}

// laterResult makes the result of a request that takes time.
type laterResult func() any

// wait returns the result, or an error as soon as the request is canceled.
func (r laterResult) wait(ctx context.Context) (any, error) {
	done := make(chan any, 1)
	go func() { done <- r() }()
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return nil, &jsonrpc2.Error{Code: codeCancelled, Message: "the request was canceled"}
	}
}

// asked handles a request.
func (s *server) asked(req *jsonrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Method == "initialize" && s.phase == starting {
		s.phase = running
		return s.abilities(), nil
	}
	switch {
	case s.phase == starting:
		return nil, &jsonrpc2.Error{Code: codeNotInitialized, Message: "the first request must be initialize"}
	case s.phase == shutDown:
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "the server is shut down"}
	case req.Method == "initialize":
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "the server is initialized already"}
	case req.Method == "shutdown":
		s.phase = shutDown
		return nil, nil
	}
	about := map[string]func(*view, position) any{
		"textDocument/hover":      (*view).hover,
		"textDocument/completion": (*view).complete,
		"textDocument/definition": (*view).definition,
	}[req.Method]
	if about == nil {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "unknown method " + req.Method}
	}
	var p documentParams
	if err := params(req, &p); err != nil {
		return nil, err
	}
	snapshot := s.current
	return laterResult(func() any {
		if v, ok := snapshot.view(s.ctx, p.TextDocument.URI); ok {
			return about(v, p.Position)
		}
		return nil
	}), nil
}

// abilities tell the editor what the server does.
func (s *server) abilities() initializeResult {
	return initializeResult{
		Capabilities: capabilities{
			PositionEncoding:   "utf-16",
			TextDocumentSync:   syncOptions{OpenClose: true, Change: fullSync},
			HoverProvider:      true,
			DefinitionProvider: true,
			CompletionProvider: completionOptions{TriggerCharacters: []string{" ", "/", "[", "{", ",", "="}},
		},
		ServerInfo: serverInfo{"flavorkit", s.version},
	}
}

// answer sends the response to a request. Nobody waits for one when the connection has ended.
func answer(ctx context.Context, conn *jsonrpc2.Conn, id requestID, result any, err error) {
	if err == nil {
		_ = conn.Reply(ctx, id, result)
		return
	}
	var e *jsonrpc2.Error
	if !errors.As(err, &e) {
		e = &jsonrpc2.Error{Code: jsonrpc2.CodeInternalError, Message: err.Error()}
	}
	_ = conn.ReplyWithError(ctx, id, e)
}

// params reads the parameters of a message.
func params(req *jsonrpc2.Request, into any) error {
	if req.Params == nil || string(*req.Params) == "null" {
		return &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: req.Method + " has no parameters"}
	}
	if err := json.Unmarshal(*req.Params, into); err != nil {
		return &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
	}
	return nil
}

// notified handles a notification. Unknown ones are ignored, as the protocol asks, and those with
// wrong parameters are, as nobody waits for an answer.
func (s *server) notified(conn *jsonrpc2.Conn, req *jsonrpc2.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Method == "exit" {
		s.exit()
		return
	}
	if s.phase != running {
		return
	}
	switch req.Method {
	case "$/cancelRequest":
		var p cancelParams
		if params(req, &p) == nil && s.cancels[p.ID] != nil {
			s.cancels[p.ID]()
		}
	case "textDocument/didOpen":
		var p didOpenParams
		if params(req, &p) == nil {
			d := p.TextDocument
			s.change(conn, d.URI, &document{d.URI, d.Version, []byte(d.Text)})
		}
	case "textDocument/didChange":
		var p didChangeParams
		if params(req, &p) != nil || len(p.ContentChanges) == 0 {
			return
		}
		if last := p.ContentChanges[len(p.ContentChanges)-1]; last.Range == nil {
			d := p.TextDocument
			s.change(conn, d.URI, &document{d.URI, d.Version, []byte(last.Text)})
		}
	case "textDocument/didClose":
		var p documentParams
		if params(req, &p) == nil {
			s.change(conn, p.TextDocument.URI, nil)
		}
	case "textDocument/didSave", "workspace/didChangeWatchedFiles":
		s.renew(conn, s.current.documents)
	}
}

// change takes a new text of a document, or nil for one that was closed.
func (s *server) change(conn *jsonrpc2.Conn, uri string, d *document) {
	path, ok := pathOf(uri)
	if !ok {
		return
	}
	documents := maps.Clone(s.current.documents)
	if d == nil {
		delete(documents, path)
	} else {
		documents[path] = *d
	}
	s.renew(conn, documents)
}

// renew makes a new snapshot, because documents or files have changed, and checks it once nobody
// types any more.
func (s *server) renew(conn *jsonrpc2.Conn, documents map[string]document) {
	snapshot := newSnapshot(s.environment, documents)
	s.current = snapshot
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(s.delay, func() { s.publish(conn, snapshot) })
}

// publish checks a snapshot and sends what was found, unless it is out of date by then.
func (s *server) publish(conn *jsonrpc2.Conn, snapshot *snapshot) {
	found := snapshot.check(s.ctx, s.now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != snapshot || s.phase != running {
		return
	}
	for path := range s.published {
		if _, ok := found[path]; !ok {
			found[path] = nil
		}
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		p := publishDiagnosticsParams{URI: uriOf(path), Diagnostics: append([]diagnostic{}, found[path]...)}
		if d, open := snapshot.documents[path]; open {
			p.URI, p.Version = d.uri, &d.version
		}
		_ = conn.Notify(s.ctx, "textDocument/publishDiagnostics", p)
		if s.published[path] = len(found[path]) > 0; !s.published[path] {
			delete(s.published, path)
		}
	}
}
