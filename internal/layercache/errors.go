package layercache

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/pkg/errors"
)

// problem is an error with a status and a code of the registry's API.
type problem struct {
	status  int
	code    transport.ErrorCode
	message string
}

func (p *problem) Error() string { return p.message }

func nameInvalid(format string, args ...any) error {
	return &problem{http.StatusBadRequest, transport.NameInvalidErrorCode, fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &problem{http.StatusMethodNotAllowed, transport.UnsupportedErrorCode, fmt.Sprintf(format, args...)}
}

func digestInvalid(format string, args ...any) error {
	return &problem{http.StatusBadGateway, transport.DigestInvalidErrorCode, fmt.Sprintf(format, args...)}
}

// explain makes a problem of an error, with what the registry said if it said something.
func explain(registry string, err error) *problem {
	var known *problem
	if errors.As(err, &known) {
		return known
	}
	p := &problem{http.StatusBadGateway, transport.UnavailableErrorCode, fmt.Sprintf("cannot reach %s: %v", registry, err)}
	var said *transport.Error
	if !errors.As(err, &said) {
		return p
	}
	p.message = fmt.Sprintf("%s: %v", registry, err)
	switch said.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		p.status = said.StatusCode
	}
	if len(said.Errors) > 0 {
		p.code, p.message = said.Errors[0].Code, fmt.Sprintf("%s: %s", registry, said.Errors[0].Message)
	}
	return p
}

// permanent reports whether it is no use to ask again.
func permanent(err error) bool {
	var known *problem
	var said *transport.Error
	switch {
	case errors.As(err, &known):
		return true
	case errors.As(err, &said):
		return said.StatusCode >= 400 && said.StatusCode < 500 && said.StatusCode != http.StatusTooManyRequests
	default:
		return false
	}
}

// noRange reports whether a registry does not send a part of a blob.
func noRange(err error) bool {
	var said *transport.Error
	return errors.As(err, &said) && said.StatusCode == http.StatusRequestedRangeNotSatisfiable
}

// fail answers with an error.
func fail(w http.ResponseWriter, p *problem) {
	body, err := json.Marshal(map[string]any{"errors": []map[string]string{{"code": string(p.code), "message": p.message}}})
	if err != nil {
		http.Error(w, p.message, p.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	_, _ = w.Write(body) // the client is gone
}
