package sbom

import (
	_ "embed"
	"slices"
	"strings"
)

// licenseIDs are the identifiers of the SPDX License List 3.17 and its exceptions, one per line
// (spdx.org/licenses, CC0-1.0).
//
//go:embed licenses.txt
var licenseIDs string

// licenses turns licenses as databases spell them into SPDX expressions.
type licenses struct {
	// known are identifiers by their lower-case form, which means the same.
	known map[string]string
	// other are licenses that are not in the list, by the identifier that the document gives them.
	other map[string]string
}

func newLicenses() *licenses {
	l := &licenses{known: map[string]string{}, other: map[string]string{}}
	for id := range strings.Lines(licenseIDs) {
		id = strings.TrimSpace(id)
		l.known[strings.ToLower(id)] = id
	}
	// Debian's short names that differ (debian.org/doc/packaging-manuals/copyright-format/1.0).
	l.known["expat"] = "MIT"
	for _, family := range []string{"GPL", "LGPL", "AGPL", "GFDL"} {
		for _, version := range []string{"1", "1.1", "1.2", "1.3", "2", "2.1", "3"} {
			full := family + "-" + version
			if !strings.Contains(version, ".") {
				full += ".0"
			}
			for suffix, meant := range map[string]string{"": "-only", "+": "-or-later"} {
				if id, ok := l.known[strings.ToLower(full+meant)]; ok {
					l.known[strings.ToLower(family+"-"+version+suffix)] = id
				}
			}
		}
	}
	return l
}

// expression joins the licenses of the parts of a package; empty when there are none. complete is
// false when one of them is not in the list.
func (l *licenses) expression(parts []string) (text string, complete bool) {
	var all []string
	complete = true
	for _, part := range parts {
		e, listed := l.one(part)
		complete = complete && listed
		if strings.Contains(e, " ") && len(parts) > 1 {
			e = "(" + e + ")"
		}
		if !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return strings.Join(all, " AND "), complete
}

// one returns an SPDX expression for a license, or a reference to it in the document if it is not
// an expression of what is in the list.
func (l *licenses) one(license string) (text string, listed bool) {
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(license))
	// A simple grammar: operands and operators take turns.
	depth, operand, valid := 0, true, len(words) > 0
	for i, word := range words {
		switch upper := strings.ToUpper(word); {
		case operand && word == "(":
			depth++
		case !operand && word == ")":
			depth--
			valid = valid && depth >= 0
		case operand:
			words[i], operand = l.identifier(word), false
			valid = valid && words[i] != ""
		case upper == "AND" || upper == "OR" || upper == "WITH":
			words[i], operand = upper, true
		default:
			valid = false
		}
	}
	if !valid || operand || depth != 0 {
		id := "LicenseRef-" + identifier(license, license)
		l.other[id] = license
		return id, false
	}
	return strings.NewReplacer("( ", "(", " )", ")").Replace(strings.Join(words, " ")), true
}

// identifier returns the identifier as it is in the list, or nothing. A plus after it means later
// versions, too.
func (l *licenses) identifier(word string) string {
	if id, ok := l.known[strings.ToLower(word)]; ok {
		return id
	}
	if base, plus := strings.CutSuffix(word, "+"); plus {
		if id, ok := l.known[strings.ToLower(base)]; ok {
			return id + "+"
		}
	}
	return ""
}

// conjuncts are the parts of an SPDX expression that AND joins, without parentheses around one.
func conjuncts(expression string) (all []string) {
	var part []string
	depth := 0
	end := func() {
		text := strings.Join(part, " ")
		if inner, ok := strings.CutPrefix(text, "("); ok && strings.HasSuffix(inner, ")") && !strings.ContainsAny(inner[:len(inner)-1], "()") {
			text = inner[:len(inner)-1]
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
		part = nil
	}
	for _, word := range strings.Fields(expression) {
		if word == "AND" && depth == 0 {
			end()
			continue
		}
		depth += strings.Count(word, "(") - strings.Count(word, ")")
		part = append(part, word)
	}
	end()
	return all
}
