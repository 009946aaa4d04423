// Command bench times training steps, answers of fitted networks and matrix products of this project beside PyTorch's and
// ONNX Runtime's on the same machine: the sides take turns, and medians are compared.
//
//	go run ./bench                      everything, on 1 and 2 threads; writes bench/RESULTS.md
//	go run ./bench -only mlp,cnn        only these; gemm is the table of matrix products
//	go run ./bench -torch "" -onnx ""   only this project
//	go run ./bench -profile cnn         what each launch of our plan costs
//	go run ./bench -plan cnn            the plan itself; -dot draws it, for Graphviz
//
// ONNX Runtime comes from npm: (cd bench/onnx && npm ci --ignore-scripts).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// options are the command line.
type options struct {
	python, node     string
	seconds          float64
	rounds, threads  int
	only             string
	out              string
	child, profiling string
	plan, dot        string
}

func main() {
	var o options
	flag.StringVar(&o.python, "torch", "/usr/bin/python3", "the Python that has PyTorch; empty for none")
	flag.StringVar(&o.node, "onnx", "node", "the Node.js that runs ONNX Runtime; empty for none")
	flag.Float64Var(&o.seconds, "seconds", 0.8, "time for each workload, side and round")
	flag.IntVar(&o.rounds, "rounds", 3, "how often the sides take turns")
	flag.IntVar(&o.threads, "threads", 0, "only this number of threads")
	flag.StringVar(&o.only, "only", "", "only these workloads, by comma")
	flag.StringVar(&o.out, "out", "bench/RESULTS.md", "where results go when everything has run")
	flag.StringVar(&o.child, "child", "", "be a contestant with this job, for the comparison's own use")
	flag.StringVar(&o.profiling, "profile", "", "print the profile of this workload instead")
	flag.StringVar(&o.plan, "plan", "", "print the plan of this workload instead")
	flag.StringVar(&o.dot, "dot", "", "draw the plan of this workload instead, in the DOT language of Graphviz")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	switch {
	case o.child != "":
		return runChild(o.child, o.threads, os.Stdin, os.Stdout)
	case o.profiling != "":
		return writeProfile(os.Stdout, o.profiling, max(o.threads, 1))
	case o.plan != "":
		p, err := planOf(o.plan, max(o.threads, 1))
		if err == nil {
			_, err = fmt.Print(p)
		}
		return err
	case o.dot != "":
		p, err := planOf(o.dot, max(o.threads, 1))
		if err != nil {
			return err
		}
		return p.WriteDot(os.Stdout)
	}
	return o.compareAll()
}

// chosen are the workloads to run, and whether the matrix products are.
func (o *options) chosen() (ws []workload, gemm bool, err error) {
	if o.only == "" {
		return workloads, true, nil
	}
	for name := range strings.SplitSeq(o.only, ",") {
		if name == gemmJobs {
			gemm = true
			continue
		}
		w, err := workloadNamed(name)
		if err != nil {
			return nil, false, err
		}
		ws = append(ws, w)
	}
	return ws, gemm, nil
}

func (o *options) compareAll() error {
	ws, gemm, err := o.chosen()
	if err != nil {
		return err
	}
	counts := []int{1, 2}
	if o.threads != 0 {
		counts = []int{o.threads}
	}
	b := &bench{seconds: o.seconds, rounds: o.rounds}
	if b.peers, err = findPeers(o.python, o.node); err != nil {
		return err
	}
	b.peak = measuredPeak()
	times, memory, products := newTimes(), newMemory(), newGEMM()
	if gemm {
		if err := b.runGEMM(products, counts); err != nil {
			return err
		}
	}
	if len(ws) > 0 {
		if err := b.runWorkloads(times, memory, ws, counts); err != nil {
			return err
		}
	}
	if o.only != "" || o.threads != 0 {
		return nil
	}
	empty, err := b.emptyONNX()
	if err != nil {
		return err
	}
	return b.writeResults(o.out, empty, times, memory, products)
}

func (b *bench) runGEMM(t *table, counts []int) error {
	t.begin()
	for _, threads := range counts {
		results, err := b.compareGEMM(threads)
		if err != nil {
			return err
		}
		for _, r := range results {
			b.addGEMM(t, r)
		}
	}
	return nil
}

func (b *bench) runWorkloads(times, memory *table, ws []workload, counts []int) error {
	var all [][]result
	times.begin()
	for _, w := range ws {
		var results []result
		for i, threads := range counts {
			r, err := b.compare(w, threads, i == 0)
			if err != nil {
				return err
			}
			b.addTimes(times, r)
			results = append(results, r)
		}
		all = append(all, results)
	}
	memory.begin()
	for _, results := range all {
		addMemory(memory, results)
	}
	return nil
}

// emptyONNX is the time of ONNX Runtime's call of a network that does nothing, which its other times include.
func (b *bench) emptyONNX() (string, error) {
	if b.node == "" {
		return "", nil
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	o := newONNX(nil, 1, 784)
	o.node("Identity", nil)
	model, input := filepath.Join(dir, "model.onnx"), filepath.Join(dir, "input")
	if err := os.WriteFile(model, o.finish(1, 784), 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(input, make([]byte, 4*784), 0o600); err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := b.onnx(ctx, 1, "--model", model, "--input", input)
	if err != nil {
		return "", err
	}
	ms, err := c.turn(b.seconds, "empty")
	return number("%.4g", ms), err
}
