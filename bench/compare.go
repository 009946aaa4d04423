package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// bench is the setting of all comparisons.
type bench struct {
	peers
	seconds float64 // of a turn
	rounds  int
	peak    float64 // flops per second of one core; 0 if unknown
}

// result compares one workload at one number of threads. What was not measured is 0.
type result struct {
	workload
	threads                int
	ours, torch, onnx      float64 // medians of the rounds' medians, in milliseconds
	alone, copies          float64 // of ours on several threads: see child.go
	flops, allocs          float64
	variant, waiting       string // of PyTorch: the form of the workload, and how its threads wait
	ourMemory, torchMemory memory
}

// entrant is a contestant's job with the medians of its turns, and where its figures go.
type entrant struct {
	*contestant
	job     string
	medians []float64
	time    *float64
	memory  *memory // nil for a further job of a contestant
}

// compare lets the contestants take turns. The memory of PyTorch takes a process of its own, so it is measured on demand.
func (b *bench) compare(w workload, threads int, memoryToo bool) (result, error) {
	r := result{workload: w, threads: threads}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	all, err := b.enter(ctx, &r)
	if err != nil {
		return r, err
	}
	if err := b.takeTurns(all); err != nil {
		return r, err
	}
	for _, e := range all {
		*e.time = median(e.medians)
		if e.memory == nil {
			continue
		}
		if *e.memory, err = e.stop(); err != nil {
			return r, err
		}
	}
	if b.python != "" && memoryToo {
		r.torchMemory, err = b.memoryOfTorch(ctx, w, threads, r.variant)
	}
	return r, err
}

// enter starts the contestants of a workload, ours first.
func (b *bench) enter(ctx context.Context, r *result) ([]*entrant, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // what is in it is read before the greeting
	ours, err := b.ours(ctx, r.name, r.threads)
	if err != nil {
		return nil, err
	}
	r.flops, r.allocs = ours.hello.Flops, ours.hello.Allocs
	all := []*entrant{{contestant: ours, job: r.name, time: &r.ours, memory: &r.ourMemory}}
	if r.threads > 1 {
		all = append(all, &entrant{contestant: ours, job: aloneJob, time: &r.alone}, &entrant{contestant: ours, job: copiesJob, time: &r.copies})
	}
	if b.python != "" {
		c, waiting, err := b.startTorch(ctx, dir, r.workload, r.threads)
		if err != nil {
			return nil, err
		}
		r.variant, r.waiting = c.hello.Variant, waiting
		all = append(all, &entrant{contestant: c, job: r.name, time: &r.torch, memory: new(memory)})
	}
	if b.node != "" && r.export != nil {
		c, err := b.startONNX(ctx, dir, r.workload, r.threads)
		if err != nil {
			return nil, err
		}
		all = append(all, &entrant{contestant: c, job: r.name, time: &r.onnx, memory: new(memory)})
	}
	return all, nil
}

func (b *bench) takeTurns(all []*entrant) error {
	for range b.rounds {
		for _, e := range all {
			ms, err := e.turn(b.seconds, e.job)
			if err != nil {
				return err
			}
			e.medians = append(e.medians, ms)
		}
	}
	return nil
}

// memoryOfTorch takes a process that runs one variant only: the one that was timed has tried them all.
func (b *bench) memoryOfTorch(ctx context.Context, w workload, threads int, variant string) (memory, error) {
	c, err := b.torch(ctx, nil, w.name, threads, "--variant", variant)
	if err != nil {
		return memory{}, err
	}
	if _, err := c.turn(0, w.name); err != nil {
		return memory{}, err
	}
	return c.stop()
}

// startTorch starts PyTorch. With several threads, it chooses how they wait by a short turn of each.
func (b *bench) startTorch(ctx context.Context, dir string, w workload, threads int) (best *contestant, waiting string, err error) {
	var check []string
	var losses []float32
	if w.checked {
		if losses, check, err = prepareCheck(dir, w); err != nil {
			return nil, "", err
		}
	}
	var env []string
	if threads > 1 {
		env, waiting = []string{shortSpin}, ", short spin"
	}
	best, err = b.torch(ctx, env, w.name, threads, check...)
	if err != nil {
		return nil, "", err
	}
	// Adam's first steps divide each gradient by its own size, so that rounding shows where a gradient is almost nothing.
	if err := agree(w.name+": loss of PyTorch", losses, best.hello.Losses, 1e-3); err != nil || threads == 1 {
		return best, waiting, err
	}
	other, err := b.torch(ctx, nil, w.name, threads, "--variant", best.hello.Variant)
	if err != nil {
		return nil, "", err
	}
	const seconds = 0.1
	short, err := best.turn(seconds, w.name)
	if err != nil {
		return nil, "", err
	}
	long, err := other.turn(seconds, w.name)
	if err != nil {
		return nil, "", err
	}
	if long < short {
		best, other, waiting = other, best, ""
	}
	_, err = other.stop()
	return best, waiting, err
}

// checkedSteps is how many steps both sides must agree on.
const checkedSteps = 3

// prepareCheck gives our losses of the first steps, and the arguments that have PyTorch find them from our parameters and
// inputs.
func prepareCheck(dir string, w workload) (losses []float32, args []string, err error) {
	j, err := w.compile(cpu.New(1))
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "given")
	if err := os.WriteFile(file, j.given(), 0o600); err != nil {
		return nil, nil, err
	}
	for range checkedSteps {
		if err := j.run(); err != nil {
			return nil, nil, err
		}
		losses = append(losses, j.executable.Output("loss").F32[0])
	}
	return losses, []string{"--check", file}, nil
}

// startONNX starts ONNX Runtime with the workload's network, whose outputs must be ours.
func (b *bench) startONNX(ctx context.Context, dir string, w workload, threads int) (*contestant, error) {
	j, err := w.compile(cpu.New(1))
	if err != nil {
		return nil, err
	}
	if err := j.run(); err != nil {
		return nil, err
	}
	e := j.executable
	model, input := filepath.Join(dir, "model.onnx"), filepath.Join(dir, "input")
	var x bytes.Buffer
	writeArray(&x, e.Input("x"))
	if err := os.WriteFile(model, w.export(j.vars), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(input, x.Bytes(), 0o600); err != nil {
		return nil, err
	}
	c, err := b.onnx(ctx, threads, "--model", model, "--input", input)
	if err != nil {
		return nil, err
	}
	return c, agree(w.name+": output of ONNX Runtime", e.Output("y").F32, c.hello.Outputs, 1e-4)
}

// agree reports numbers that differ by more than tol·max(1, |ours|). NaN differs from everything.
func agree(what string, ours []float32, theirs []float64, tol float64) error {
	if len(ours) != len(theirs) {
		return fmt.Errorf("%s: %d numbers, ours %d", what, len(theirs), len(ours))
	}
	for i, v := range ours {
		if diff := math.Abs(theirs[i] - float64(v)); !(diff <= tol*max(1, math.Abs(float64(v)))) {
			return fmt.Errorf("%s %d is %v, ours %v", what, i, theirs[i], v)
		}
	}
	return nil
}

// given is what a peer needs to do the same: a line of JSON with names, types and extents of the learned parameters, in
// the order of the network's fields, and of the inputs; then their elements, little-endian, in that order.
func (j *job) given() []byte {
	type entry struct {
		Name  string `json:"name"`
		DType string `json:"dtype"`
		Dims  []int  `json:"dims"`
	}
	var header struct {
		Parameters []entry `json:"parameters"`
		Inputs     []entry `json:"inputs"`
	}
	var data bytes.Buffer
	add := func(to *[]entry, name string, a *tensor.Array) {
		*to = append(*to, entry{name, a.Shape.DType.String(), a.Shape.Dims})
		writeArray(&data, a)
	}
	for _, p := range j.params.Trainable() {
		add(&header.Parameters, p.Name, j.vars[p.Name])
	}
	for _, in := range j.program.Inputs {
		if name := in.Name(); name != "key" && name != "hyper" {
			add(&header.Inputs, name, j.executable.Input(name))
		}
	}
	line, err := json.Marshal(header)
	if err != nil {
		panic(err) // strings and integers only
	}
	return append(append(line, '\n'), data.Bytes()...)
}

func writeArray(w io.Writer, a *tensor.Array) {
	for _, elements := range []any{a.F32, a.I32} {
		binary.Write(w, binary.LittleEndian, elements)
	}
}

// gemmResult compares a matrix product at one number of threads, in flops per second.
type gemmResult struct {
	gemmShape
	threads            int
	ours, torch, numpy float64
	peak               float64 // of one core, in the same turns
}

// compareGEMM lets the contestants take turns at every product.
func (b *bench) compareGEMM(threads int) ([]gemmResult, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ours, err := b.ours(ctx, gemmJobs, threads)
	if err != nil {
		return nil, err
	}
	var torch *contestant
	if b.python != "" {
		if torch, err = b.torch(ctx, nil, gemmJobs, threads); err != nil {
			return nil, err
		}
	}
	var results []gemmResult
	for _, s := range gemmShapes {
		r := gemmResult{gemmShape: s, threads: threads}
		turns := []struct {
			*contestant
			job     string
			to      *float64
			medians []float64
		}{
			{ours, s.job(), &r.ours, nil}, {torch, "torch " + s.job(), &r.torch, nil}, {torch, "numpy " + s.job(), &r.numpy, nil},
			{ours, peakJob, &r.peak, nil},
		}
		for range b.rounds {
			for i := range turns {
				if t := &turns[i]; t.contestant != nil {
					ms, err := t.turn(b.seconds/10, t.job)
					if err != nil {
						return nil, err
					}
					t.medians = append(t.medians, ms)
					flops := s.flops()
					if t.job == peakJob {
						flops = peakFlops
					}
					*t.to = flops / (median(t.medians) / 1e3)
				}
			}
		}
		results = append(results, r)
	}
	return results, nil
}
