package specs

import (
	"fmt"
	"strings"

	"github.com/pkg/errors"
	"mvdan.cc/sh/v3/syntax"
)

// ShellMistake says what is wrong with the syntax of a shell script; empty for nothing. It accepts
// all that bash does: which shell a machine has as sh depends on its distribution.
func ShellMistake(script string) string {
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	var mistake syntax.ParseError
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &mistake):
		return err.Error()
	case strings.Contains(strings.TrimSuffix(script, "\n"), "\n"):
		return fmt.Sprintf("%s, in line %d of it", mistake.Text, mistake.Pos.Line())
	default:
		return mistake.Text
	}
}
