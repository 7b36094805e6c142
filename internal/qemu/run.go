package qemu

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Result is the result of a command in the VM.
type Result struct {
	// Output is standard output and standard error, interleaved, without trailing newlines.
	Output string
	// ExitCode as in the shell: 0 for success.
	ExitCode int
}

// maxTyped is the length in bytes of the longest line to type: a tty drops everything after 4095
// bytes.
const maxTyped = 4000

// Run runs a command at the prompt of a POSIX shell and waits for its end. The command may have
// several lines. It runs in a separate shell, so a cd, set or exit does not affect the next
// command, and reads /dev/null. Background processes that it leaves must not keep its output open.
//
// The result is exact, whatever the kernel prints in between: the shell prints the length of the
// output, and if the text on the console does not match, it is fetched again in base64. A nonzero
// exit code is not an error. After an error, the shell may still be busy.
func (c *Console) Run(ctx context.Context, command string, within time.Duration) (Result, error) {
	id := rand.Text()[:8] // never on the console before
	line := runLine(id, command)
	if err := checkTyped(line); err != nil {
		return Result{}, errors.Wrapf(err, "running %q", command)
	}
	if err := c.Send(line); err != nil {
		return Result{}, err
	}
	var answer answer
	err := c.await(ctx, fmt.Sprintf("running %q", command), within, func(text []byte) (from, to int) {
		var ok bool
		if answer, to, ok = parseAnswer(id, text); !ok {
			return 0, -1
		}
		return 0, to
	})
	if err != nil {
		return Result{}, err
	}
	if answer.whole {
		return Result{Output: answer.output, ExitCode: answer.code}, nil
	}

	const attempts = 3
	for i := range attempts {
		output, ok, err := c.fetch(ctx, fmt.Sprintf("%s.%d", id, i), answer.size, within)
		if err != nil {
			return Result{}, errors.WithMessagef(err, "output of %q", command)
		}
		if ok {
			return Result{Output: output, ExitCode: answer.code}, nil
		}
	}
	return Result{}, c.failure(fmt.Sprintf("running %q", command),
		errors.Errorf("its output was garbled %d times (or the machine has no base64)", attempts))
}

// runLine returns the line to type. It marks its output with an id that the line itself does not
// contain in one piece, so its echo, wrapped or not, cannot be mistaken for the output. It prints
// the end mark twice, in case another program prints into the first one.
func runLine(id, command string) string {
	quoted := "'" + strings.ReplaceAll(command, "'", `'\''`) + "'"
	return fmt.Sprintf(`_o=$(sh -c %s </dev/null 2>&1); _c=$?; `+
		`printf '\n@%%s<%%s@%%s>%%s:%%s;\n@%%s>%%s:%%s;\n' %s "$_o" %s $_c ${#_o} %s $_c ${#_o}`+"\n",
		quoted, id, id, id)
}

// checkTyped rejects lines that would not arrive as they were sent.
func checkTyped(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > maxTyped {
			return errors.Errorf("a line of %d bytes is too long to type; the limit is %d", len(line), maxTyped)
		}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < 0x20 && r != '\n' || r == 0x7f }); i >= 0 {
		return errors.Errorf("control character %q would be an editing key", text[i])
	}
	return nil
}

// answer is the output of a run line.
type answer struct {
	code  int
	size  int // of the output, according to the shell
	whole bool
	// output is valid if whole is true.
	output string
}

// parseAnswer finds the output of a run line; end is its end.
func parseAnswer(id string, text []byte) (a answer, end int, ok bool) {
	mark := regexp.MustCompile(`@` + regexp.QuoteMeta(id) + `>(\d+):(\d+);`)
	at := mark.FindSubmatchIndex(text)
	if at == nil {
		return answer{}, 0, false
	}
	code, err := strconv.Atoi(string(text[at[2]:at[3]]))
	if err != nil {
		return answer{}, 0, false
	}
	size, err := strconv.Atoi(string(text[at[4]:at[5]]))
	if err != nil {
		return answer{}, 0, false
	}
	a = answer{code: code, size: size}
	start := []byte("@" + id + "<")
	if i := bytes.Index(text[:at[0]], start); i >= 0 {
		output := text[i+len(start) : at[0]]
		a.output, a.whole = string(output), isSize(output, size)
	}
	return a, at[1], true
}

// isSize compares with ${#var}, which counts characters in some shells and locales and bytes in
// others.
func isSize(text []byte, size int) bool {
	return len(text) == size || utf8.RuneCount(text) == size
}

// fetch gets the output of the last command in base64. It returns false if that is garbled.
func (c *Console) fetch(ctx context.Context, id string, size int, within time.Duration) (string, bool, error) {
	err := c.Send(fmt.Sprintf(`printf '\n@%%s<' %s; printf %%s "$_o" | base64; printf '@%%s>\n@%%s>\n' %s %s`+"\n",
		id, id, id))
	if err != nil {
		return "", false, err
	}
	var (
		start, end = []byte("@" + id + "<"), []byte("@" + id + ">")
		// The kernel starts its lines at the cursor.
		kernelLine = regexp.MustCompile(`\[ *\d+\.\d{6}\] [^\n]*\n`)
		output     []byte
		whole      bool
	)
	err = c.await(ctx, "fetching output in base64", within, func(text []byte) (from, to int) {
		stop := bytes.Index(text, end)
		if stop < 0 {
			return 0, -1
		}
		sent := kernelLine.ReplaceAll(text[:stop], nil)
		if i := bytes.Index(sent, start); i >= 0 {
			output, whole = decode(sent[i+len(start):], size)
		}
		return 0, stop + len(end)
	})
	return string(output), whole, err
}

// decode decodes base64 in lines of any length, and reports whether it is complete.
func decode(text []byte, size int) ([]byte, bool) {
	text = bytes.Join(bytes.Fields(text), nil)
	out, err := base64.StdEncoding.DecodeString(string(text))
	return out, err == nil && isSize(out, size)
}
