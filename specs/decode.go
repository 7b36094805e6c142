package specs

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// decode sets v from a checked node. It leaves keys without a value unset.
func decode(n *yaml.Node, v reflect.Value) error {
	if n.Tag == "!!null" {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decode(n, v.Elem())
	case reflect.Struct:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if err := decode(n.Content[i+1], fieldByKey(v, n.Content[i].Value)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i+1].Tag == "!!null" {
				continue
			}
			item := reflect.New(v.Type().Elem()).Elem()
			if err := decode(n.Content[i+1], item); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key()), item)
		}
		return nil
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			if err := decode(item, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.String:
		// Verbatim: the YAML library would turn 0644 into 420.
		v.SetString(n.Value)
		return nil
	default:
		return n.Load(v.Addr().Interface())
	}
}

// fieldsOf returns the YAML keys of a struct type with their types, and the keys in the order of
// the struct.
func fieldsOf(t reflect.Type) (map[string]reflect.Type, []string) {
	fields, names := map[string]reflect.Type{}, []string{}
	for field := range keyedFields(t) {
		name := yamlName(field)
		fields[name] = field.Type
		names = append(names, name)
	}
	return fields, names
}

// keyedFields are the fields of a struct that have a key, with those of embedded structs, whose
// keys are on the same level.
func keyedFields(t reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) { yieldFields(t, nil, yield) }
}

// yieldFields yields the fields of a struct type at an index path. reflect.VisibleFields does the same,
// and takes a quarter of the time of reading the catalog.
func yieldFields(t reflect.Type, at []int, yield func(reflect.StructField) bool) bool {
	for i := range t.NumField() {
		field := t.Field(i)
		field.Index = append(slices.Clip(at), i)
		if field.Anonymous {
			if !yieldFields(field.Type, field.Index, yield) {
				return false
			}
		} else if name := yamlName(field); name != "" && name != "-" && !yield(field) {
			return false
		}
	}
	return true
}

// ShorthandOf returns the key that a plain text in place of a mapping sets, such as distro.name for
// distro; ok is false when the key takes no such text.
func ShorthandOf(key string) (full string, ok bool) {
	t := reflect.TypeFor[Spec]()
	for part := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '.' || r == '[' }) {
		switch {
		case t == nil:
			return "", false
		case t.Kind() == reflect.Slice:
			t = t.Elem()
		case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
			t = elemType(t, part)
		default:
			return "", false
		}
	}
	if t == nil {
		return "", false
	}
	s, ok := reflect.Zero(t).Interface().(Shorthander)
	if !ok {
		return "", false
	}
	return joinKey(key, s.Shorthand()), true
}

func fieldByKey(v reflect.Value, key string) reflect.Value {
	for field := range keyedFields(v.Type()) {
		if yamlName(field) == key {
			return v.FieldByIndex(field.Index)
		}
	}
	panic("specs: the checker left the unknown key " + key)
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func joinKey(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}

// itemKey is the key of an item of a list, counted from 0.
func itemKey(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }
