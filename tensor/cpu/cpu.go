// Package cpu compiles programs of package tensor for the processor it runs on and executes them.
//
// Compiling goes through these steps, each in its file: the program becomes values without views, duplicates and
// scalar arithmetic (value.go); elementwise values are gathered into clusters, each run tile by tile while its
// intermediate results stay in the first-level cache (cluster.go, tile.go); every cluster and every other op becomes a
// launch (launch*.go); the memory of each intermediate array is placed in one arena (arena.go). A run then walks the
// list of launches. It allocates nothing.
//
// Every sum has an order that depends on shapes only, so results are the same bits at any number of threads and with
// any of the instruction sets of internal/kernel.
package cpu

import (
	"context"
	"fmt"
	"runtime"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// New returns the backend. Its executables share one pool of worker threads; 0 threads means one for each core.
func New(threads int) tensor.Backend { return Without(Passes{}, threads) }

// Passes names the compiler's passes. None of them changes a bit of any result, which tests show by leaving each out.
type Passes struct {
	Constants  bool // arithmetic of constants is done while compiling
	Common     bool // what is computed twice is computed once
	Composites bool // a composite is one kernel, not its definition
	Clusters   bool // elementwise values are computed together, tile by tile
	Ends       bool // a reduction takes a cluster's tiles while they are in the first-level cache
	Batches    bool // launches that work picture by picture take turns on a few pictures at a time
	InPlace    bool // a variable's new value is written over the old one
	Sharing    bool // arrays that are not needed at the same time share memory
}

// Without is [New] without some of the passes.
func Without(skip Passes, threads int) tensor.Backend {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &backend{newPool(threads), skip}
}

// Info says in one line which kernels run here: "avx512", and why if not the best of the machine.
func Info() string {
	s := kernel.Active().String()
	if note := kernel.ActiveNote(); note != "" {
		s += " (" + note + ")"
	}
	return s
}

type backend struct {
	pool *pool
	skip Passes
}

func (b *backend) Name() string { return "cpu" }

func (b *backend) Compile(p *tensor.Program, vars tensor.Vars) (tensor.Executable, error) {
	bound, err := p.Bind(vars)
	if err != nil {
		return nil, err
	}
	c := newCompiler(p, bound, b.skip, b.pool.threads)
	c.plan()
	return c.link(b.pool), nil
}

// executable is a plan bound to memory.
type executable struct {
	inputs, outputs map[string]*tensor.Array
	launches        []launch
	updates         []func() // variables whose new value was computed beside the old one
	firstInPlace    int      // the first launch that overwrites a variable
	plan            Plan
	profile         *profile // nil if nobody asked for it
}

func (e *executable) Input(name string) *tensor.Array {
	if a := e.inputs[name]; a != nil {
		return a
	}
	panic(fmt.Sprintf("cpu: the program has no input %q", name))
}

func (e *executable) Output(name string) *tensor.Array {
	if a := e.outputs[name]; a != nil {
		return a
	}
	panic(fmt.Sprintf("cpu: the program has no output %q", name))
}

func (e *executable) Run(ctx context.Context) error {
	for i := range e.launches {
		// A run that has begun to overwrite variables goes on to its end, so that they are never half updated.
		if i <= e.firstInPlace {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if e.profile != nil {
			e.profile.run(i, &e.launches[i])
			continue
		}
		e.launches[i].run()
	}
	if len(e.launches) <= e.firstInPlace {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	for _, u := range e.updates {
		u()
	}
	return nil
}
