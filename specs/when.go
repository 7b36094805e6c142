package specs

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/specs/rules"
)

// whenKey is the key of a condition, in any mapping but the Unconditional ones.
const whenKey = "when"

// When is a condition: the mapping or item that has it is left out of other systems. Each key has a
// value, or a list of which one has to match, and all keys have to match.
type When struct {
	// The architecture, such as arm64.
	Arch OneOf `yaml:"arch,omitempty" json:"arch,omitempty"`
	// The model, such as rpi4.
	Model OneOf `yaml:"model,omitempty" json:"model,omitempty"`
	// The variant.
	Variant OneOf `yaml:"variant,omitempty" json:"variant,omitempty"`
	// The init system.
	Init OneOf `yaml:"init,omitempty" json:"init,omitempty"`
	// A distribution, such as debian-12, or all its releases, such as debian.
	Distro OneOf `yaml:"distro,omitempty" json:"distro,omitempty"`
}

// OneOf are values of which one has to match. A spec may write one alone.
type OneOf []string

// ConditionalText is an item of a list of texts that has a condition.
type ConditionalText struct {
	// The text.
	Value string `yaml:"value" json:"value"`
}

// Unconditional are the types of the mappings that cannot have a condition, and why.
func Unconditional() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[Spec]():        "write it into the parts of the spec that depend on it",
		reflect.TypeFor[Distro]():      "conditions are about the distribution, so it cannot depend on one",
		reflect.TypeFor[SourceImage](): "conditions are about what the image is, so it cannot depend on one; an image can be for several architectures",
		reflect.TypeFor[Arg]():         "build arguments are replaced before conditions apply, so they cannot depend on one",
		reflect.TypeFor[When]():        "a condition cannot depend on another one",
	}
}

// Facts are what conditions are about, by the keys of When.
type Facts map[string]Fact

// Fact is one property of a system.
type Fact struct {
	// Values are its names; none if a mistake in the spec leaves it unknown.
	Values []string
	// Valid are the names that a condition may have.
	Valid []string
}

// Enum are the valid values of a key at the top of a spec that has a fixed set of them.
func Enum(key string) []string {
	for field := range keyedFields(reflect.TypeFor[Spec]()) {
		if yamlName(field) == key {
			return enum(field)
		}
	}
	return nil
}

// LeftOut is a part of a spec that is not in the system, because its condition does not hold.
type LeftOut struct {
	Range Range
	// Key of the part in its file.
	Key string
	// Text is the part itself if it is a text.
	Text string
	// Why says what does not match, such as "arch is amd64, not arm64".
	Why string
}

// Condition is the condition of a part of a spec.
type Condition struct {
	// Range and Key are where the part is, in its file.
	Range Range
	Key   string
	// Text is the part itself if it is a text.
	Text string
	// When has the values that it is for, by the keys of When.
	When map[string][]string
}

// condition of a node.
type condition struct {
	when *yaml.Node
	// key of the part that has the condition, in its file.
	key string
	// wrong is true for a condition with a mistake, which holds for no system.
	wrong bool
}

// condition takes note of the condition of a node.
func (c *checker) condition(of, when *yaml.Node, key string) {
	before := len(c.found)
	switch ok := c.check(when, reflect.TypeFor[When](), joinKey(key, whenKey)); {
	case !ok:
		when.Content = nil
	case len(when.Content) == 0 && len(c.found) == before:
		c.report(rules.EmptyValue, when, joinKey(key, whenKey), "write what it is about, such as {arch: arm64}, or remove it", "is empty")
	}
	c.conditions[of] = condition{when: when, key: key, wrong: len(c.found) > before}
}

// whyUnconditional is a hint about a value that is written as a mapping with a condition, and is
// none; empty for any other.
func (c *checker) whyUnconditional(n *yaml.Node, key string) string {
	about, _ := fieldsOf(reflect.TypeFor[When]())
	switch _, ok := about[key]; {
	case !c.spec || findKey(n, whenKey) < 0:
		return ""
	case ok:
		return "conditions are about it, so it cannot depend on one"
	default:
		return "only mappings and items of lists can have a condition"
	}
}

// checkItem checks an item of a list. The node that it returns has the value: a text with a
// condition is written as a mapping.
func (c *checker) checkItem(item *yaml.Node, t reflect.Type, key string) (value *yaml.Node, ok bool) {
	if !c.spec || t != reflect.TypeFor[string]() || findKey(item, whenKey) < 0 {
		return item, c.check(item, t, key)
	}
	if value = find(item, "value"); value == nil {
		c.report(rules.MissingValue, item, key, "write the text of the item, such as {value: htop, when: {arch: arm64}}", "has no value")
		return item, false
	}
	ok = c.check(item, reflect.TypeFor[ConditionalText](), key) && find(item, "value") != nil
	c.conditions[value] = c.conditions[item]
	delete(c.conditions, item)
	return value, ok
}

// conditional reports whether any part of the specs has a condition.
func (c chain) conditional() bool {
	return slices.ContainsFunc(c.trees, func(t *tree) bool { return len(t.conditions) > 0 })
}

// Conditions are those of the spec and of what it extends, before it is evaluated: by file, nearest
// first, and in the order of the file.
func (d *Document) Conditions() (all []Condition) {
	for _, t := range d.chain.trees {
		from := len(all)
		for n, c := range t.conditions {
			all = append(all, Condition{Range: t.ranges[n], Key: c.key, Text: n.Value, When: c.wanted()})
		}
		slices.SortFunc(all[from:], func(a, b Condition) int {
			x, y := a.Range.Start, b.Range.Start
			return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
		})
	}
	return all
}

// Evaluate returns the document of one system: without the parts that its conditions leave out.
// Conditions with a value that is not valid are mistakes.
func (d *Document) Evaluate(facts Facts) (*Document, error) {
	if !d.chain.conditional() {
		return d, nil
	}
	return d.chain.evaluate(facts).document(d.Sources[0])
}

// LeftOut are the parts of the spec that the conditions leave out, once it is evaluated.
func (d *Document) LeftOut() []LeftOut { return d.leftOut }

// evaluate returns copies of the specs without conditions and without what they leave out.
func (c chain) evaluate(facts Facts) chain {
	e := &evaluation{facts: facts}
	trees := c.trees
	c.trees, c.found = nil, slices.Clone(c.found)
	for _, t := range trees {
		c.trees = append(c.trees, e.tree(t))
		c.found = append(c.found, t.unknownValues(facts)...)
	}
	c.leftOut = e.leftOut
	return c
}

// all returns copies of the specs with every part, as if all conditions held.
func (c chain) all() chain {
	trees := c.trees
	c.trees = nil
	for _, t := range trees {
		c.trees = append(c.trees, (&evaluation{all: true}).tree(t))
	}
	return c
}

// unknownValues finds the values in conditions that nothing has.
func (t *tree) unknownValues(facts Facts) (found Diagnostics) {
	for _, c := range t.conditions {
		for key, values := range c.pairs() {
			valid := facts[key].Valid
			for _, v := range values {
				if v.Value != "" && !slices.Contains(valid, v.Value) {
					found = append(found, Diagnostic{
						Rule: rules.InvalidValue, Range: t.ranges[v], Key: joinKey(joinKey(c.key, whenKey), key),
						Message: quote(v.Value) + " is not valid", Hint: Suggest(v.Value, valid),
					})
				}
			}
		}
	}
	return found
}

// pairs are the values that a condition has for each key.
func (c condition) pairs() map[string][]*yaml.Node {
	pairs := map[string][]*yaml.Node{}
	for pair := range slices.Chunk(c.when.Content, 2) {
		pairs[pair[0].Value] = pair[1].Content
		if pair[1].Kind == yaml.ScalarNode {
			pairs[pair[0].Value] = pair[1:]
		}
	}
	return pairs
}

// wanted are the texts of the pairs.
func (c condition) wanted() map[string][]string {
	wanted := map[string][]string{}
	for key, values := range c.pairs() {
		for _, v := range values {
			wanted[key] = append(wanted[key], v.Value)
		}
	}
	return wanted
}

// holds reports whether a condition holds. If not, why says what does not match.
func (c condition) holds(facts Facts) (why string, ok bool) {
	wanted := c.wanted()
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		has := facts[key].Values
		if !slices.ContainsFunc(has, func(value string) bool { return slices.Contains(wanted[key], value) }) {
			return fmt.Sprintf("%s is %s, not %s", key, strings.Join(has, " or "), strings.Join(wanted[key], " or ")), false
		}
	}
	return "", !c.wrong
}

// evaluation copies trees without what conditions leave out.
type evaluation struct {
	facts Facts
	// all is true if every condition holds.
	all     bool
	leftOut []LeftOut
}

func (e *evaluation) tree(t *tree) *tree {
	evaluated := *t
	evaluated.ranges, evaluated.index, evaluated.conditions = maps.Clone(t.ranges), maps.Clone(t.index), nil
	evaluated.root = e.node(&evaluated, t.conditions, t.root)
	return &evaluated
}

// node copies a node into a tree; nil if its condition does not hold.
func (e *evaluation) node(t *tree, conditions map[*yaml.Node]condition, n *yaml.Node) *yaml.Node {
	if c, ok := conditions[n]; ok && !e.all {
		if why, ok := c.holds(e.facts); !ok {
			e.leftOut = append(e.leftOut, LeftOut{Range: t.ranges[n], Key: c.key, Text: n.Value, Why: why})
			return nil
		}
	}
	var content []*yaml.Node
	switch n.Kind {
	case yaml.MappingNode:
		for pair := range slices.Chunk(n.Content, 2) {
			if value := e.node(t, conditions, pair[1]); value != nil {
				content = append(content, pair[0], value)
			}
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if item = e.node(t, conditions, item); item != nil {
				content = append(content, item)
			}
		}
	}
	return t.with(n, content)
}
