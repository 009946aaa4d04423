package train

import (
	"context"
	"sync"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
)

// Function is a program over variables that no longer change, such as a fitted network, for any number of rows at a time.
// It is safe for concurrent use.
type Function struct {
	run   model.Run
	vars  tensor.Vars
	build func(g *tensor.Graph, n int)

	lock sync.Mutex
	idle map[int][]tensor.Executable // by batch size
}

// Sizes of the programs that a Function compiles: one row answers at once, many go through the widest.
var functionBatches = []int{1, 16, 128}

// NewFunction makes a function of what build declares for a batch of n: inputs and outputs whose first axis is n. Row i of
// a result must depend on row i of the inputs alone. It computes on run.Backend with run.Threads.
func NewFunction(run model.Run, vars tensor.Vars, build func(g *tensor.Graph, n int)) *Function {
	return &Function{run: run, vars: vars, build: build, idle: map[int][]tensor.Executable{}}
}

// Call computes rows [0, n). For each piece, load fills the inputs for rows [from, to), which are the first of the
// executable's arrays; store takes the same rows of the outputs.
func (f *Function) Call(n int, load, store func(e tensor.Executable, from, to int)) error {
	for from := 0; from < n; {
		size := functionBatches[len(functionBatches)-1]
		for _, s := range functionBatches {
			if n-from <= s {
				size = s
				break
			}
		}
		to := min(n, from+size)
		e, err := f.take(size)
		if err != nil {
			return err
		}
		load(e, from, to)
		if err := e.Run(context.Background()); err != nil {
			return err
		}
		store(e, from, to)
		f.give(size, e)
		from = to
	}
	return nil
}

func (f *Function) take(size int) (tensor.Executable, error) {
	f.lock.Lock()
	if free := f.idle[size]; len(free) > 0 {
		e := free[len(free)-1]
		f.idle[size] = free[:len(free)-1]
		f.lock.Unlock()
		return e, nil
	}
	f.lock.Unlock()
	prog, err := tensor.Build(func(g *tensor.Graph) { f.build(g, size) })
	if err != nil {
		return nil, err
	}
	b, err := Backend(f.run.Backend, f.run.Threads)
	if err != nil {
		return nil, err
	}
	if prog, err = prog.Freeze(f.vars); err != nil {
		return nil, err
	}
	return b.Compile(prog, nil)
}

func (f *Function) give(size int, e tensor.Executable) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.idle[size] = append(f.idle[size], e)
}
