package specs

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/flavorkit/flavorkit/specs/rules"
)

const (
	// leastMemory and mostMemory of the machine, in MiB.
	leastMemory = 256
	mostMemory  = 64 << 10
	// mostTime is the longest timeout.
	mostTime = 24 * time.Hour
	// mostAssertions can be numbered with two digits, as the machine reports them.
	mostAssertions = 100
)

var (
	// servicePattern accepts names of systemd units (systemd.unit(5)) and OpenRC services, but
	// nothing that looks like an option.
	servicePattern = regexp.MustCompile(`^[A-Za-z0-9_.@:\\][A-Za-z0-9_.@:\\-]*$`)
	// escapePattern finds a backslash and the character after it.
	escapePattern = regexp.MustCompile(`(?s)\\.`)
	// foreignEscape is an escape that Go knows and POSIX leaves undefined.
	foreignEscape = regexp.MustCompile(`^\\[A-Za-z0-9]`)
)

// test checks the boot test.
func (v *validator) test(t Test) {
	if mib, ok := ParseSize(t.Memory); t.Memory != "" && (!ok || mib < leastMemory || mib > mostMemory) {
		v.report(rules.InvalidValue, "test.memory", "write a number and MiB or GiB, such as 2GiB, from 256MiB to 64GiB", "%s is not a size of memory", quote(t.Memory))
	}
	v.timeout("test.timeout", t.Timeout)
	if n := len(t.Assertions); n > mostAssertions {
		v.report(rules.InvalidValue, fmt.Sprintf("test.assertions[%d]", mostAssertions), "put several commands into one run", "is one too many; a test can have %d assertions, and this one has %d", mostAssertions, n)
	}
	for i, a := range t.Assertions {
		v.assertion(fmt.Sprintf("test.assertions[%d]", i), a)
	}
}

func (v *validator) assertion(key string, a Assertion) {
	given := 0
	for _, s := range []string{string(a.Run), a.File, a.Service, a.Extension} {
		if s != "" {
			given++
		}
	}
	switch {
	case given == 0:
		v.missing(rules.MissingValue, key, "give run, a shell script, file, a path, or service or extension, a name", "asserts nothing")
	case given > 1:
		v.report(rules.ConflictingValues, key, "make an assertion of each", "has more than one of run, file, service and extension")
	case a.Service+a.Extension != "" && a.Matches != "":
		what := "a service"
		if a.Extension != "" {
			what = "an extension"
		}
		v.report(rules.InapplicableKey, key+".matches", "matches applies to the output of run and the content of file", "%s has no output to match", what)
	}
	if strings.ContainsFunc(a.Name, unicode.IsControl) {
		v.report(rules.InvalidValue, key+".name", "write one line", "%s is not valid", quote(a.Name))
	}
	if a.File != "" && (!path.IsAbs(a.File) || path.Clean(a.File) != a.File || strings.ContainsFunc(a.File, unicode.IsControl)) {
		v.report(rules.InvalidPath, key+".file", "write an absolute path without . and .. in it, such as /etc/os-release", "%s is not a path", quote(a.File))
	}
	v.match(key+".service", a.Service, servicePattern, "write the name of one service, such as ssh")
	v.regexp(key+".matches", a.Matches)
	v.timeout(key+".timeout", a.Timeout)
}

// regexp checks a POSIX extended regular expression, as grep -E of every userland takes it. It
// refuses what Go and POSIX read differently.
func (v *validator) regexp(key, expr string) {
	const hint = "write an extended regular expression of POSIX, as for grep -E"
	if expr == "" {
		return
	}
	if strings.ContainsFunc(expr, unicode.IsControl) {
		v.report(rules.InvalidValue, key, "it must match a single line", "%s has more than one line, or a control character", quote(expr))
		return
	}
	for _, escape := range escapePattern.FindAllString(expr, -1) {
		if foreignEscape.MatchString(escape) {
			v.report(rules.InvalidValue, key, "write a class, such as [[:digit:]], [[:alnum:]_] or [[:space:]]", "%s is not the same for every grep", escape)
			return
		}
	}
	if _, err := regexp.CompilePOSIX(expr); err != nil {
		v.report(rules.InvalidValue, key, hint, "%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
}

func (v *validator) timeout(key, timeout string) {
	if _, ok := ParseTimeout(timeout); timeout != "" && !ok {
		v.report(rules.InvalidValue, key, "write whole seconds, minutes or hours, such as 90s or 10m, and at most 24h", "%s is not a timeout", quote(timeout))
	}
}

// ParseTimeout reads a timeout, in seconds.
func ParseTimeout(timeout string) (seconds int, ok bool) {
	d, err := time.ParseDuration(timeout)
	return int(d / time.Second), err == nil && d >= time.Second && d%time.Second == 0 && d <= mostTime
}
