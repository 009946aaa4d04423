package tensor

import (
	"context"
	"fmt"
	"sort"
	"strings"
)

// Vars are the arrays behind a program's variables, by name. Programs compiled with the same Vars share them: a
// training step updates what an evaluation reads.
type Vars map[string]*Array

// Backend turns programs into executables.
type Backend interface {
	// Name is what a user calls the backend: cpu, reference, xla.
	Name() string
	// Compile binds the program's variables to vars, which must hold each of them in its shape.
	Compile(p *Program, vars Vars) (Executable, error)
}

// Executable is a compiled program. It is not safe for concurrent use; compile once per goroutine.
type Executable interface {
	// Input is the array to fill before Run. It panics for a name that the program does not have.
	Input(name string) *Array
	// Run computes outputs and then updates variables. If ctx ends first, variables are unchanged and its error is
	// returned.
	Run(ctx context.Context) error
	// Output is a result of the last Run, valid until the next.
	Output(name string) *Array
}

// Holder is a backend whose device has a memory of its own, in which variables can stay between runs.
type Holder interface {
	// Hold copies the arrays to the device. Until Release, programs of this backend that are bound to them read and update what
	// is there, and the arrays are out of date.
	Hold(vars Vars) (Held, error)
}

// Held are variables that a [Holder] keeps on its device.
type Held interface {
	// Fetch brings the arrays up to date.
	Fetch() error
	// Release does so too, and ends the holding.
	Release() error
}

// Bind finds the array of each variable and checks its shape; backends call it first.
func (p *Program) Bind(vars Vars) ([]*Array, error) {
	bound := make([]*Array, len(p.Variables))
	for i, v := range p.Variables {
		a := vars[v.Name()]
		if a == nil {
			return nil, fmt.Errorf("tensor: variable %q %v has no array", v.Name(), v.shape)
		}
		if !a.Shape.Equal(v.shape) {
			return nil, fmt.Errorf("tensor: variable %q is %v in the program, its array %v", v.Name(), v.shape, a.Shape)
		}
		bound[i] = a
	}
	return bound, nil
}

// Freeze is the program with constants in place of its variables: the very arrays of vars, which must not change any more,
// as those of a fitted network. A backend may then prepare once, while it compiles, what it would else make of them in every
// run. It fails as [Program.Bind] does, and for a program that updates variables.
func (p *Program) Freeze(vars Vars) (*Program, error) {
	if len(p.Updates) > 0 {
		return nil, fmt.Errorf("tensor: a program that updates %q cannot be frozen", p.Updates[0].Variable.Name())
	}
	bound, err := p.Bind(vars)
	if err != nil {
		return nil, err
	}
	frozen := map[*Node]*Node{}
	for i, v := range p.Variables {
		frozen[v] = &Node{graph: v.graph, id: v.id, op: OpConstant, shape: v.shape, attr: bound[i]}
	}
	q := &Program{}
	for _, n := range p.Nodes {
		c := frozen[n]
		if c == nil {
			c = &Node{graph: n.graph, id: n.id, op: n.op, shape: n.shape, attr: n.attr}
			for _, x := range n.in {
				c.in = append(c.in, frozen[x])
			}
			frozen[n] = c
		}
		q.Nodes = append(q.Nodes, c)
		if c.op == OpInput {
			q.Inputs = append(q.Inputs, c)
		}
	}
	for _, o := range p.Outputs {
		q.Outputs = append(q.Outputs, Output{o.Name, frozen[o.Value]})
	}
	return q, nil
}

// String lists the program, one node a line.
func (p *Program) String() string {
	var b strings.Builder
	for _, n := range p.Nodes {
		fmt.Fprintf(&b, "%%%d = %s", n.id, n.op)
		for _, x := range n.in {
			fmt.Fprintf(&b, " %%%d", x.id)
		}
		if a, ok := n.attr.(*Array); ok && a.Shape.Size() > 8 {
			fmt.Fprintf(&b, " : %v\n", n.shape)
			continue
		} else if ok {
			fmt.Fprintf(&b, " %v%v%v", a.F32, a.F64, a.I32)
		} else if n.attr != nil {
			fmt.Fprintf(&b, " %v", n.attr)
		}
		fmt.Fprintf(&b, " : %v\n", n.shape)
	}
	for _, o := range p.Outputs {
		fmt.Fprintf(&b, "output %s = %%%d\n", o.Name, o.Value.id)
	}
	for _, u := range p.Updates {
		fmt.Fprintf(&b, "update %s = %%%d\n", u.Variable.Name(), u.Value.id)
	}
	return b.String()
}

// Names are the names of vars in order.
func (v Vars) Names() []string {
	names := make([]string, 0, len(v))
	for n := range v {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
