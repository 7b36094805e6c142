package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/flavorkit/flavorkit/client/starter"
)

// prompt asks questions in plain lines, which screen readers read, too.
type prompt struct {
	lines chan string
	out   io.Writer
}

// newPrompt reads answers from in. Reading cannot be interrupted, so it goes on in the background
// until the process ends.
func newPrompt(in io.Reader, out io.Writer) *prompt {
	p := &prompt{lines: make(chan string), out: out}
	go func() {
		defer close(p.lines)
		for scan := bufio.NewScanner(in); scan.Scan(); {
			p.lines <- strings.TrimSpace(scan.Text())
		}
	}()
	return p
}

// ask implements starter.Asker. A choice is answered by its name or its number.
func (p *prompt) ask(ctx context.Context, q starter.Question, o starter.Offer, wrong error) (string, error) {
	if wrong != nil {
		fmt.Fprintln(p.out, wrong)
	} else {
		fmt.Fprintf(p.out, "\n%s\n", q.Text)
		for i, c := range o.Choices {
			line := fmt.Sprintf("  %2d  %s", i+1, c.Name)
			if c.Title != "" {
				line += "  (" + c.Title + ")"
			}
			fmt.Fprintln(p.out, line)
		}
	}
	if o.Default != "" {
		fmt.Fprintf(p.out, "[%s] ", o.Default)
	}
	fmt.Fprint(p.out, "> ")
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.out)
		return "", context.Cause(ctx)
	case line, ok := <-p.lines:
		if !ok {
			return "", errors.New("the input ended before the last question; answer with flags, or use --defaults")
		}
		if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(o.Choices) {
			return o.Choices[n-1].Name, nil
		}
		return line, nil
	}
}
