package model

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/likely-ml/likely/internal/suggest"
)

// Kind is one of the two kinds of model.
type Kind string

const (
	Discriminative Kind = "discriminative" // learns p(y|x) from pairs (x_i, y_i)
	Generative     Kind = "generative"     // learns p(x), or p(x|y) where there are labels
)

// Entry is a registered model.
type Entry struct {
	Name    string // lower case, as on the command line
	Kind    Kind
	Summary string // one line, without a full stop
	Paper   string // where it comes from
	// New returns a recipe with its defaults, a pointer to a struct that Fields can describe; see NewRecipe.
	New func() Spec
	// Load makes the fitted model of a file that the model's Save wrote. The file's card has been read and checked; its
	// Recipe is of New's type.
	Load func(*File) (Model, error)
}

var registry = struct {
	sync.RWMutex
	entries map[string]Entry
}{entries: map[string]Entry{}}

// Register makes a model known by its name. A model's package calls it from init. An incomplete entry, a recipe whose
// tags are wrong, and a name that is taken are mistakes of the programmer, and panic.
func Register(e Entry) {
	if e.Name == "" || e.Name != strings.ToLower(e.Name) || e.Summary == "" || e.New == nil || e.Load == nil ||
		(e.Kind != Discriminative && e.Kind != Generative) {
		panic(fmt.Sprintf("model.Register: incomplete entry %q", e.Name))
	}
	if err := Validate(e.New()); err != nil {
		panic(fmt.Sprintf("model.Register: %s: %v", e.Name, err))
	}
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.entries[e.Name]; taken {
		panic(fmt.Sprintf("model.Register: the name %q is taken", e.Name))
	}
	registry.entries[e.Name] = e
}

// List returns the registered models of a kind, or all if kind is empty, sorted by name.
func List(kind Kind) []Entry {
	registry.RLock()
	defer registry.RUnlock()
	var list []Entry
	for _, e := range registry.entries {
		if kind == "" || e.Kind == kind {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Lookup finds a registered model. The error names the nearest one, or all.
func Lookup(name string) (Entry, error) {
	registry.RLock()
	e, ok := registry.entries[name]
	registry.RUnlock()
	if ok {
		return e, nil
	}
	var names []string
	for _, e := range List("") {
		names = append(names, e.Name)
	}
	hint := suggest.Hint(name, names)
	if hint == "" {
		hint = ", expected one of " + strings.Join(names, ", ")
	}
	return Entry{}, fmt.Errorf("unknown model %q%s", name, hint)
}
