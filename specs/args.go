package specs

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// The types of build arguments.
const (
	argString  = "string"
	argBool    = "bool"
	argInteger = "integer"
)

const (
	// referenceStart begins a reference to a build argument.
	referenceStart = "${"
	// escapedReference stands for the text ${.
	escapedReference = "$${"
)

var (
	argPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// referencePattern finds ${NAME}, also without an end, and escapedReference.
	referencePattern = regexp.MustCompile(`\$\$\{|\$\{[^}]*\}?`)
)

// About describes a build argument to users: what it is for, its default and its values.
func (a Arg) About() string {
	var notes []string
	if a.Default != "" {
		notes = append(notes, "default: "+string(a.Default))
	}
	if expected, _ := a.fits("", a.Values); expected != "" {
		notes = append(notes, expected)
	}
	if len(notes) == 0 {
		return a.Description
	}
	return strings.TrimSpace(a.Description + " (" + strings.Join(notes, "; ") + ")")
}

// TypeName is the type of its values.
func (a Arg) TypeName() string { return cmp.Or(a.Type, argString) }

// use is a value with build arguments.
type use struct {
	node *yaml.Node
	// typ is the type that the value must have.
	typ reflect.Type
	// key of the value in its file.
	key string
}

// hasArgs reports whether build arguments in a value are replaced. Texts of files, scripts, what a
// spec extends and the declarations themselves are taken as they are written.
func hasArgs(n *yaml.Node, t reflect.Type, key string) bool {
	verbatim := []reflect.Type{reflect.TypeFor[Text](), reflect.TypeFor[Script](), reflect.TypeFor[Scalar]()}
	return n.Kind == yaml.ScalarNode && strings.Contains(n.Value, referenceStart) &&
		!slices.Contains(verbatim, t) && !within(key, "extends") && !within(key, "args")
}

// argument is a declared build argument and its value.
type argument struct {
	Arg
	value string
	// known is false when a mistake leaves it without a value.
	known bool
}

// replaceArgs replaces the build arguments in all files of the chain.
func (c *chain) replaceArgs(src *Source, given map[string]string) error {
	args, err := c.declared(src, given)
	if err != nil {
		return err
	}
	c.args, c.used = map[string]string{}, map[string]bool{}
	for _, t := range c.trees {
		for _, u := range t.uses {
			c.replace(u, t.ranges[u.node], args)
		}
	}
	for name, a := range args {
		c.args[name] = a.value
	}
	return nil
}

// declared returns the build arguments that the chain declares, with their values.
func (c *chain) declared(src *Source, given map[string]string) (map[string]argument, error) {
	declarations := chain{whole: c.whole}
	for _, t := range c.trees {
		declarations.trees = append(declarations.trees, t.only("extends", "args"))
	}
	doc, err := newDocument(src, declarations)
	if err != nil {
		return nil, err
	}
	v := &validator{doc: doc, whole: c.whole}
	args := map[string]argument{}
	for name, a := range doc.Spec.Args {
		if !c.read(name) {
			args[name] = argument{Arg: a}
			continue
		}
		before := len(v.found)
		value, known := v.arg(name, a, given)
		args[name] = argument{a, value, known && len(v.found) == before}
	}
	c.found = append(c.found, v.found...)
	return args, nil
}

// read reports whether all that the files declare of a build argument could be read.
func (c *chain) read(name string) bool {
	return c.whole && !slices.ContainsFunc(c.found, func(d Diagnostic) bool { return d.Key == "args" || within(d.Key, "args."+name) })
}

// only returns a tree with some of the keys at the top.
func (t *tree) only(keys ...string) *tree {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range keys {
		if at := findKey(t.root, key); at >= 0 {
			root.Content = append(root.Content, t.root.Content[at:at+2]...)
		}
	}
	return &tree{root: root, source: t.source, ranges: t.ranges, index: t.index}
}

// arg checks a build argument and returns its value; ok is false when it has none.
func (v *validator) arg(name string, a Arg, given map[string]string) (value string, ok bool) {
	key := "args." + name
	if !argPattern.MatchString(name) {
		v.report(rules.InvalidValue, key, "use letters, digits and _, such as CHANNEL", "%s is not the name of a build argument", quote(name))
	}
	field, _ := reflect.TypeFor[Arg]().FieldByName("Type")
	if types := enum(field); a.Type != "" && !slices.Contains(types, a.Type) {
		v.report(rules.InvalidValue, key+".type", Suggest(a.Type, types), "%s is not valid", quote(a.Type))
		return "", false
	}
	for i, allowed := range a.Values {
		if expected, ok := a.fits(string(allowed), nil); !ok {
			v.report(rules.InvalidValue, fmt.Sprintf("%s.values[%d]", key, i), expected, "%s is not of the type %s", quote(string(allowed)), a.Type)
		}
	}
	hasDefault := v.doc.Has(key + ".default")
	if expected, ok := a.fits(string(a.Default), a.Values); hasDefault && !ok {
		v.report(rules.InvalidValue, key+".default", expected, "%s is not allowed", quote(string(a.Default)))
	}
	value, ok = given[name]
	switch expected, fits := a.fits(value, a.Values); {
	case ok && !fits:
		v.report(rules.InvalidValue, key, expected, "the build argument has the value %s, which is not allowed", quote(value))
	case !ok && !hasDefault:
		v.missing(rules.MissingValue, key, "pass it with --build-arg "+name+"=…, or give it a default", "has no value")
	case !ok:
		return string(a.Default), true
	}
	return value, ok
}

// fits reports whether a build argument can have a value. If not, expected says what to write.
func (a Arg) fits(value string, allowed []Scalar) (expected string, ok bool) {
	if len(allowed) > 0 {
		words := make([]string, len(allowed))
		for i, w := range allowed {
			words[i] = string(w)
		}
		return "valid: " + strings.Join(words, ", "), slices.Contains(words, value)
	}
	switch a.Type {
	case argBool:
		return "valid: true, false", value == "true" || value == "false"
	case argInteger:
		n, err := strconv.Atoi(value)
		return "valid: whole numbers", err == nil && strconv.Itoa(n) == value
	default:
		return "", true
	}
}

// replace replaces the build arguments in a value. A value with a mistake is removed.
func (c *chain) replace(u use, at Range, args map[string]argument) {
	value, wrong, unknown := c.replaced(u, args)
	switch {
	case wrong != nil:
		c.found = append(c.found, Diagnostic{Rule: wrong.rule, Range: at, Key: u.key, Message: wrong.message, Hint: wrong.hint, unread: true})
	case unknown:
		c.unread = append(c.unread, Diagnostic{Range: at, Key: u.key, unread: true})
	default:
		tags := map[reflect.Kind]string{reflect.String: "!!str", reflect.Bool: "!!bool", reflect.Int: "!!int"}
		u.node.Value, u.node.Tag, u.node.Style = value, tags[u.typ.Kind()], 0
		return
	}
	u.node.Value, u.node.Tag = "", "!!null"
}

// replaced returns a value with its build arguments replaced. unknown is true when one of them has
// no value.
func (c *chain) replaced(u use, args map[string]argument) (value string, wrong *problem, unknown bool) {
	text := u.node.Value
	value = referencePattern.ReplaceAllStringFunc(text, func(reference string) string {
		if reference == escapedReference {
			return referenceStart
		}
		name, closed := strings.CutSuffix(strings.TrimPrefix(reference, referenceStart), "}")
		a, ok := args[name]
		c.used[name] = true
		switch {
		case wrong != nil:
		case !closed || !argPattern.MatchString(name):
			wrong = &problem{rules.InvalidValue, quote(reference) + " is not a build argument", "write it as ${NAME}; the text ${ is written as " + escapedReference}
		case !ok && c.read(name):
			wrong = &problem{rules.UnknownArgument, fmt.Sprintf("no build argument is called %q", name), cmp.Or(Suggest(name, slices.Collect(maps.Keys(args))), "declare it in args")}
		case !a.known:
			unknown = true
		case reference == text:
			wrong = u.takes(a)
		}
		return a.value
	})
	switch {
	case wrong != nil || unknown:
	case value == "":
		wrong = &problem{rules.EmptyValue, "is empty, as " + text + " is", "give the build argument a value"}
	case u.typ.Kind() != reflect.String && (strings.HasPrefix(text, escapedReference) || referencePattern.FindString(text) != text):
		wrong = &problem{rules.WrongType, "must be " + describe(u.typ) + ", not " + quote(text), "write ${NAME} alone"}
	}
	return value, wrong, unknown
}

// takes is the mistake of a build argument that is not of the type of the value; nil if it is.
func (u use) takes(a argument) *problem {
	needed := map[reflect.Kind]string{reflect.Bool: argBool, reflect.Int: argInteger}[u.typ.Kind()]
	if needed == "" || a.Type == needed {
		return nil
	}
	return &problem{rules.WrongType, "must be " + describe(u.typ) + ", and " + u.node.Value + " is of the type " + a.TypeName(), "declare the build argument with type: " + needed}
}
