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

// Result is what a command in the machine left behind.
type Result struct {
	// Output is standard output and standard error as they came, without the newlines at the end.
	Output string
	// ExitCode is 0 for success, as the shell counts.
	ExitCode int
}

// maxTyped is the longest line that is typed, in bytes: a tty drops what goes beyond 4095.
const maxTyped = 4000

// Run runs a command at a shell prompt and waits for its end. Any POSIX shell will do. The command may have several
// lines; it runs in a shell of its own, so that a cd, a set or an exit in it does not change the next one, and reads
// /dev/null. Something it leaves running in the background must not keep its output open.
//
// The result is exact whatever the kernel prints in between: the shell tells the length of the output, and where the
// text on the console does not agree it is fetched once more in base64. A failure exit code is not an error. After an
// error the shell may still be busy.
func (c *Console) Run(ctx context.Context, command string, within time.Duration) (Result, error) {
	id := rand.Text()[:8] // never seen before, whatever the console shows
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

// runLine is what is typed. What it prints is marked with an id that the line itself does not contain in that place,
// so its echo, wrapped or not, cannot be taken for the answer. The end mark comes twice for the case that something
// else is printed into the first.
func runLine(id, command string) string {
	quoted := "'" + strings.ReplaceAll(command, "'", `'\''`) + "'"
	return fmt.Sprintf(`_o=$(sh -c %s </dev/null 2>&1); _c=$?; `+
		`printf '\n@%%s<%%s@%%s>%%s:%%s;\n@%%s>%%s:%%s;\n' %s "$_o" %s $_c ${#_o} %s $_c ${#_o}`+"\n",
		quoted, id, id, id)
}

// checkTyped refuses what would not arrive as it was sent.
func checkTyped(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > maxTyped {
			return errors.Errorf("a line of %d bytes is too long to type, %d is the limit", len(line), maxTyped)
		}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < 0x20 && r != '\n' || r == 0x7f }); i >= 0 {
		return errors.Errorf("control character %q would be an editing key", text[i])
	}
	return nil
}

// answer is what a run line printed.
type answer struct {
	code  int
	size  int // of the output, as the shell counts
	whole bool
	// output is meaningful if whole.
	output string
}

// parseAnswer looks for the answer to a run line; end is where it ends.
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

// isSize compares with what ${#var} says, which is characters in some shells and locales and bytes in others.
func isSize(text []byte, size int) bool {
	return len(text) == size || utf8.RuneCount(text) == size
}

// fetch asks for the output of the last command in base64. It reports false if that came garbled.
func (c *Console) fetch(ctx context.Context, id string, size int, within time.Duration) (string, bool, error) {
	err := c.Send(fmt.Sprintf(`printf '\n@%%s<' %s; printf %%s "$_o" | base64; printf '@%%s>\n@%%s>\n' %s %s`+"\n",
		id, id, id))
	if err != nil {
		return "", false, err
	}
	var (
		start, end = []byte("@" + id + "<"), []byte("@" + id + ">")
		// The kernel starts its lines wherever the cursor is.
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

// decode reads base64 in lines of any length, and reports whether it is what was sent.
func decode(text []byte, size int) ([]byte, bool) {
	text = bytes.Join(bytes.Fields(text), nil)
	out, err := base64.StdEncoding.DecodeString(string(text))
	return out, err == nil && isSize(out, size)
}
