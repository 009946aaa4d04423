// Package nn holds layers, losses and optimisers as plain functions over package tensor.
//
// A layer is a struct of parameters with an Apply method that reads like its equation. It has no state besides: the
// arrays behind parameters live in a [tensor.Vars], made by [Params.Init]. Pictures are [N, H, W, C].
package nn

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"strings"
	"unicode"

	"github.com/likely-ml/likely/tensor"
)

// Param is one learned array: its name, shape and how it begins.
type Param struct {
	Name          string // given by [Collect]
	Dims          []int
	Init          Init
	FanIn, FanOut int
	Fixed         bool // not learned by gradient: running statistics, optimiser state
}

// Node is the parameter in a graph: the variable of its name or, after an update in this graph, the new value. So what
// is built after an optimiser's step sees what the step made. A parameter that [Collect] has not named is a mistake in the module that
// holds it, and panics.
func (p *Param) Node(g *tensor.Graph) *tensor.Node {
	if p.Name == "" {
		panic(fmt.Sprintf("nn: a parameter %v has no name; Collect finds those in exported fields", p.Dims))
	}
	return g.Latest(p.variable(g))
}

func (p *Param) variable(g *tensor.Graph) *tensor.Node {
	return g.Variable(p.Name, tensor.Float32, p.Dims...)
}

// Params are parameters in a fixed order.
type Params []*Param

// Collect finds the parameters of a module, a pointer to a struct whose exported fields are parameters, layers, or slices
// of them, in their order, and names each by its path: the field Conv1 of a module with a Weight gives conv1.weight,
// element 2 of a slice Hidden gives hidden.2.weight. Modules that are collected again keep their names. It panics on a
// parameter with two places, since it would have two names.
func Collect(module any) Params {
	var ps Params
	seen := map[*Param]bool{}
	collect("", reflect.ValueOf(module), &ps, seen)
	return ps
}

func collect(path string, v reflect.Value, ps *Params, seen map[*Param]bool) {
	if !v.IsValid() {
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		if p, ok := v.Interface().(*Param); ok {
			if seen[p] {
				panic(fmt.Sprintf("nn: parameter %q stands in two places, the other is %q", p.Name, path))
			}
			seen[p] = true
			p.Name = path
			*ps = append(*ps, p)
			return
		}
		collect(path, v.Elem(), ps, seen)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() {
				name := path
				if !f.Anonymous {
					name = join(path, snake(f.Name))
				}
				collect(name, v.Field(i), ps, seen)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			collect(join(path, fmt.Sprint(i)), v.Index(i), ps, seen)
		}
	case reflect.Interface:
		collect(path, v.Elem(), ps, seen)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// snake turns LogVariance into log_variance.
func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Init makes the arrays of the parameters. The values of each depend on the seed and its name alone.
func (ps Params) Init(seed uint64) tensor.Vars {
	vars := tensor.Vars{}
	for _, p := range ps {
		h := fnv.New64a()
		h.Write([]byte(p.Name))
		a := tensor.NewArray(tensor.ShapeOf(tensor.Float32, p.Dims...))
		p.Init(a.F32, p.FanIn, p.FanOut, rand.New(rand.NewPCG(seed, h.Sum64())))
		vars[p.Name] = a
	}
	return vars
}

// Trainable are those that a gradient changes.
func (ps Params) Trainable() Params {
	var out Params
	for _, p := range ps {
		if !p.Fixed {
			out = append(out, p)
		}
	}
	return out
}

// Under are those of the module at a path, such as "generator".
func (ps Params) Under(path string) Params {
	var out Params
	for _, p := range ps {
		if strings.HasPrefix(p.Name, path+".") {
			out = append(out, p)
		}
	}
	return out
}

// Nodes are the parameters in a graph, see [Param.Node].
func (ps Params) Nodes(g *tensor.Graph) []*tensor.Node {
	nodes := make([]*tensor.Node, len(ps))
	for i, p := range ps {
		nodes[i] = p.Node(g)
	}
	return nodes
}

// Count is the number of learned numbers.
func (ps Params) Count() int {
	n := 0
	for _, p := range ps.Trainable() {
		n += tensor.ShapeOf(tensor.Float32, p.Dims...).Size()
	}
	return n
}
