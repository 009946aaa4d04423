package model

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/likely-ml/likely/internal/suggest"
)

// Field describes one hyperparameter of a recipe, for help texts and forms. Values are written as Set reads them.
//
// It comes from the struct tags of a field of type bool, int, float64, string (or a type made of it), or []int:
//
//	Hidden []int `json:"hidden" default:"512,256" min:"1" max:"65536" help:"units of each hidden layer"`
//	Loss   Loss  `json:"loss" default:"hinge" choices:"hinge,log" help:"what is minimised"`
//
// json and help are needed; min and max bound numbers, of a list each one. A field without a json name, or "-", is no
// hyperparameter. The fields of an embedded struct count as the recipe's own.
type Field struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"` // bool, int, float, string, choice or ints
	Value   string   `json:"value"`
	Default string   `json:"default"`
	Min     string   `json:"min,omitempty"`
	Max     string   `json:"max,omitempty"`
	Choices []string `json:"choices,omitempty"`
	Help    string   `json:"help"`

	value reflect.Value
}

// NewRecipe returns a recipe of type T with its defaults.
func NewRecipe[T any]() *T {
	recipe := new(T)
	for _, f := range Fields(recipe) {
		if err := f.set(f.Default); err != nil {
			panic(fmt.Sprintf("model.NewRecipe: default of %T: %v", recipe, err))
		}
	}
	return recipe
}

// Fields lists the hyperparameters of a recipe, a pointer to a struct, in the order of its fields. A recipe that is not
// declared as Field describes is a mistake of the programmer, and panics.
func Fields(recipe any) []Field {
	v := reflect.ValueOf(recipe)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("model.Fields: recipe is %T, expected a pointer to a struct", recipe))
	}
	return appendFields(nil, v.Elem())
}

func appendFields(list []Field, v reflect.Value) []Field {
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			list = appendFields(list, v.Field(i))
			continue
		}
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || name == "" || name == "-" {
			continue
		}
		f := Field{
			Name: name, Default: sf.Tag.Get("default"), Min: sf.Tag.Get("min"), Max: sf.Tag.Get("max"),
			Help: sf.Tag.Get("help"), Type: fieldType(sf.Type), value: v.Field(i),
		}
		if choices := sf.Tag.Get("choices"); choices != "" {
			f.Choices, f.Type = strings.Split(choices, ","), "choice"
		}
		if f.Type == "" || f.Help == "" {
			panic(fmt.Sprintf("model.Fields: field %s of %v has type %v and help %q, expected bool, int, float64, string or []int, and a text",
				sf.Name, v.Type(), sf.Type, f.Help))
		}
		if f.Default == "" && f.Type != "string" && f.Type != "ints" {
			f.Default = map[string]string{"bool": "false", "int": "0", "float": "0"}[f.Type]
		}
		f.Value = f.text()
		list = append(list, f)
	}
	return list
}

func fieldType(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Kind() == reflect.Int:
		return "int"
	case t.Kind() == reflect.Float64:
		return "float"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Int:
		return "ints"
	}
	return ""
}

// Range says which values the field takes, such as "a whole number from 1 to 64", "one of adam, sgd".
func (f *Field) Range() string {
	number := map[string]string{"int": "a whole number", "float": "a number", "ints": "whole numbers such as 512,256"}[f.Type]
	switch {
	case f.Type == "bool":
		return "true or false"
	case f.Type == "choice":
		return "one of " + strings.Join(f.Choices, ", ")
	case f.Type == "string":
		return "a text"
	case f.Min != "" && f.Max != "":
		return number + " from " + f.Min + " to " + f.Max
	case f.Min != "":
		return number + ", at least " + f.Min
	case f.Max != "":
		return number + ", at most " + f.Max
	}
	return number
}

// Set changes one hyperparameter of a recipe, a pointer to a struct, as "name=value" says. The recipe stays as it is where
// that is an error: no such name, which suggests the nearest; or a value outside the range, which says the range.
func Set(recipe any, assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" {
		return fmt.Errorf("setting %q, expected name=value", assignment)
	}
	fields := Fields(recipe)
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
	if i >= 0 {
		return fields[i].set(value)
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	hint := suggest.Hint(name, names)
	switch {
	case hint == "" && len(names) == 0:
		hint = ", there are none"
	case hint == "":
		hint = ", expected one of " + strings.Join(names, ", ")
	}
	return fmt.Errorf("unknown setting %q%s", name, hint)
}

// Validate reports the first hyperparameter that lies outside its range, such as one that was set in code or read from a
// file.
func Validate(recipe any) error {
	for _, f := range Fields(recipe) {
		if err := f.check(f.value); err != nil {
			return err
		}
	}
	return nil
}

// text is the present value as Set reads it.
func (f *Field) text() string {
	v := f.value
	switch f.Type {
	case "bool":
		return strconv.FormatBool(v.Bool())
	case "int":
		return strconv.FormatInt(v.Int(), 10)
	case "float":
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case "ints":
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = strconv.FormatInt(v.Index(i).Int(), 10)
		}
		return strings.Join(parts, ",")
	}
	return v.String()
}

// set parses, checks and stores a value.
func (f *Field) set(text string) error {
	v, ok := f.parse(text)
	if !ok {
		return f.wrong(text)
	}
	if err := f.check(v); err != nil {
		return err
	}
	f.value.Set(v)
	return nil
}

func (f *Field) parse(text string) (v reflect.Value, ok bool) {
	v = reflect.New(f.value.Type()).Elem()
	var err error
	switch f.Type {
	case "bool":
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case "int":
		var n int
		n, err = strconv.Atoi(text)
		v.SetInt(int64(n))
	case "float":
		var x float64
		x, err = strconv.ParseFloat(text, 64)
		v.SetFloat(x)
	case "ints":
		list := reflect.MakeSlice(v.Type(), 0, 4)
		for part := range strings.SplitSeq(text, ",") {
			if text == "" {
				break
			}
			n, e := strconv.Atoi(strings.TrimSpace(part))
			if e != nil {
				return v, false
			}
			list = reflect.Append(list, reflect.ValueOf(n))
		}
		v.Set(list)
	default:
		v.SetString(text)
	}
	return v, err == nil
}

// check reports whether v is in the range of the field.
func (f *Field) check(v reflect.Value) error {
	ok := true
	switch f.Type {
	case "int":
		ok = f.within(float64(v.Int()))
	case "float":
		ok = f.within(v.Float())
	case "ints":
		for i := range v.Len() {
			ok = ok && f.within(float64(v.Index(i).Int()))
		}
	case "choice":
		ok = slices.Contains(f.Choices, v.String())
	}
	if !ok {
		shown := *f
		shown.value = v
		return f.wrong(shown.text())
	}
	return nil
}

// within reports whether x lies in [Min, Max]. NaN and infinities never do.
func (f *Field) within(x float64) bool {
	return x-x == 0 && (f.Min == "" || x >= f.bound(f.Min)) && (f.Max == "" || x <= f.bound(f.Max))
}

func (f *Field) bound(text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("model: field %s has the bound %q, expected a number", f.Name, text))
	}
	return x
}

func (f *Field) wrong(text string) error {
	return fmt.Errorf("%s is %q, expected %s", f.Name, text, f.Range())
}
