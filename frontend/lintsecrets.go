package frontend

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// secretForm is a form of text that is secret wherever it stands.
type secretForm struct {
	title string
	form  *regexp.Regexp
}

// secretForms are the prefixes that publishers gave their secrets to be found by.
func secretForms() []secretForm {
	form := func(title, expr string) secretForm { return secretForm{title, regexp.MustCompile(expr)} }
	return []secretForm{
		form("a private key", `-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----`),
		form("a key of age", `\bAGE-SECRET-KEY-1[0-9A-Z]{20,}`),
		form("an access key of AWS", `\b(AKIA|ASIA)[0-9A-Z]{16}\b`),
		form("a token of GitHub", `\b(gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{36,})`),
		form("a token of GitLab", `\bgl(pat|ptt|rt|dt)-[0-9A-Za-z_-]{20,}`),
		form("a token of Slack", `\bxox[abeprs]-[0-9A-Za-z-]{10,}`),
		form("an API key of Google", `\bAIza[0-9A-Za-z_-]{35}`),
		form("a token of Tailscale", `\btskey-[a-z]+-[0-9A-Za-z-]{10,}`),
		form("a token of k3s", `\bK10[0-9a-f]{64}::[^\s"']+`),
		form("a password in a URL", `\b[a-z][a-z0-9+.-]*://[^\s/:@"']+:[^\s/@"'${<]+@`),
	}
}

// secretValue is a value whose name says that it is secret, in YAML, JSON, a file of settings or an
// option of a command.
var secretValue = regexp.MustCompile(`(?i)(?:^|[\s"'{,_-])(?:password|passphrase|token|psk|client[_-]?secret|(?:api|access|auth|private|secret|encryption)[_-]?key)["']?[ \t]*[:=][ \t]*["']?([^\s"',}]+)`)

// secretInSpec warns about secrets in the text of the specs and of the cloud-configs that become part
// of the image, comments included. Specs have the texts of their files. The message does not repeat a
// secret.
func secretInSpec(s subject) specs.Diagnostics {
	forms := secretForms()
	found := secretsIn(forms, s.plan.Origin.Sources, "is in the spec, which the provenance of an image publishes")
	for _, c := range configsOf(s.plan) {
		if src := s.configs[c.key].Source; src != nil && !c.medium && len(src.Lines) == 0 {
			found = append(found, secretsIn(forms, []*specs.Source{src}, "is in the cloud-config of the image, and whoever gets the image can read it")...)
		}
	}
	return found
}

// secretsIn finds the first secret in each line of files. why is what is wrong with it.
func secretsIn(forms []secretForm, sources []*specs.Source, why string) (found specs.Diagnostics) {
	for _, src := range sources {
		for i, line := range strings.Split(string(src.Data), "\n") {
			title, at := secretIn(forms, line)
			if title == "" {
				continue
			}
			column := func(offset int) specs.Position {
				return specs.Position{Line: i + 1, Column: utf8.RuneCountInString(strings.TrimPrefix(line[:offset], "\ufeff")) + 1}
			}
			r := specs.Range{Source: src, Start: column(at[0]), End: column(at[1])}
			r.End.Column--
			found = append(found, specs.Diagnostic{
				Rule: rules.SecretInSpec, Range: r,
				Message: title + " " + why,
				Hint:    "remove it and replace the secret; machines can get it from --cloud-config or from user data",
			})
		}
	}
	return found
}

// secretIn finds the first secret in a line: what it is, and its first byte and the one after.
func secretIn(forms []secretForm, line string) (title string, at []int) {
	for _, f := range forms {
		if at := f.form.FindStringIndex(line); at != nil {
			return f.title, at
		}
	}
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return "", nil // prose
	}
	for _, m := range secretValue.FindAllStringSubmatchIndex(line, -1) {
		if !harmless(line[m[2]:m[3]]) {
			return "a secret", m[2:4]
		}
	}
	return "", nil
}

// harmless reports whether a value is none: a variable, a template, a hash, a path, a YAML
// indicator, or a yes or no.
func harmless(value string) bool {
	return strings.ContainsAny(value[:1], "$`{<%/[!*&|>#~") ||
		slices.Contains([]string{"true", "false", "yes", "no", "null", "none"}, strings.ToLower(value))
}
