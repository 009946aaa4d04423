package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/likely-ml/likely/tensor/cpu"
)

// Every contestant, this program's own among them, is a process that speaks lines of JSON: one greeting when it is ready;
// one timing for each line "SECONDS JOB" that it reads; and at the end of its input its memory. So each side has its own
// process whose memory can be measured, and keeps what it has prepared while the other side has its turn.

// greeting is a contestant's first line.
type greeting struct {
	Version string    `json:"version"`
	Variant string    `json:"variant"` // the peer's own forms of which it found this one the fastest
	Losses  []float64 `json:"losses"`  // of the first steps from given parameters
	Outputs []float64 `json:"outputs"` // for the given input
	Flops   float64   `json:"flops"`
	Allocs  float64   `json:"allocs"` // Go's heap allocations in a step
}

// timing is what a turn gives.
type timing struct {
	Median float64 `json:"median_ms"`
}

// memory is a contestant's last line, in kilobytes.
type memory struct {
	Start int `json:"start_kb"` // when its libraries were loaded
	Peak  int `json:"peak_kb"`
}

const gemmJobs = "gemm" // the name that asks for all matrix products

// peakJob is how long a core took for peakFlops multiplications and additions in registers, in slices between the runs of the product
// that had the last turn. A core's clock changes within milliseconds, by some per cent, so that the share of the peak that a product
// reaches takes slices beside the runs, and medians of both. After a slice, which takes as long as a worker thread waits for work, the
// next run starts that thread again, as hardly any run of a program does: so most runs follow each other at once, as the peers' do.
const (
	peakJob      = "peak"
	peakFlops    = 1e9
	runsPerSlice = 8
)

// Jobs of our own contestant on several threads, to say what of a second core's speed is to be had: the workload on one
// thread, and that on as many cores at once, which share nothing.
const (
	aloneJob  = "alone"
	copiesJob = "copies"
)

// timer gives the milliseconds of a run, from runs of about so many seconds.
type timer func(seconds float64) (float64, error)

// runChild is this project's contestant.
func runChild(name string, threads int, in io.Reader, out io.Writer) error {
	start := residentKB("VmRSS")
	var hello greeting
	jobs := map[string]timer{}
	b := cpu.New(threads)
	if name == gemmJobs {
		var peak float64
		jobs[peakJob] = func(float64) (float64, error) { return peak, nil }
		for _, s := range gemmShapes {
			j, err := compileGEMM(b, s)
			if err != nil {
				return err
			}
			jobs[s.job()] = func(seconds float64) (float64, error) {
				var slices []float64
				runs := 0
				times, err := timeRuns(j.run, seconds, func() {
					if runs%runsPerSlice == 0 {
						slices = append(slices, 1e3*peakFlops/cpu.PeakFLOPS(0))
					}
					runs++
				})
				if err != nil {
					return 0, err
				}
				peak = median(slices)
				return median(times), nil
			}
		}
	} else {
		w, err := workloadNamed(name)
		if err != nil {
			return err
		}
		j, err := w.compile(b)
		if err != nil {
			return err
		}
		jobs[name] = timerOf(j.run)
		if threads > 1 {
			if jobs[aloneJob], jobs[copiesJob], err = w.aloneAndCopies(threads); err != nil {
				return err
			}
		}
		hello.Flops = j.flops()
		if hello.Allocs, err = allocations(j.run); err != nil {
			return err
		}
	}
	reply := json.NewEncoder(out)
	if err := reply.Encode(hello); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		seconds, job, _ := strings.Cut(lines.Text(), " ")
		budget, err := strconv.ParseFloat(seconds, 64)
		if err != nil || jobs[job] == nil {
			return fmt.Errorf("cannot serve %q: %w", lines.Text(), err)
		}
		ms, err := jobs[job](budget)
		if err != nil {
			return err
		}
		if err := reply.Encode(timing{ms}); err != nil {
			return err
		}
	}
	return reply.Encode(memory{start, residentKB("VmHWM")})
}

// timerOf is the median of single runs.
func timerOf(run func() error) timer {
	return func(seconds float64) (float64, error) {
		times, err := timeRuns(run, seconds, func() {})
		if err != nil {
			return 0, err
		}
		return median(times), nil
	}
}

// aloneAndCopies time the workload on one thread, and n of these beside each other: then n over the sum of their rates.
func (w workload) aloneAndCopies(n int) (alone, copies timer, err error) {
	runs := make([]func() error, n)
	for i := range runs {
		j, err := w.compile(cpu.New(1))
		if err != nil {
			return nil, nil, err
		}
		runs[i] = j.run
	}
	return timerOf(runs[0]), func(seconds float64) (float64, error) {
		rates, errs := make([]float64, n), make([]error, n)
		var group sync.WaitGroup
		for i, run := range runs {
			group.Go(func() {
				times, err := timeRuns(run, seconds, func() {})
				if errs[i] = err; err == nil {
					rates[i] = 1 / median(times)
				}
			})
		}
		group.Wait()
		rate := 0.0
		for _, r := range rates {
			rate += r
		}
		return float64(n) / rate, errors.Join(errs...)
	}, nil
}

// allocations is how many objects a steady run puts on the heap: the median of windows of runs, as Go's runtime allocates by itself
// when, once in a while, it starts a thread of the system.
func allocations(run func() error) (float64, error) {
	const warm, windows, runs = 20, 5, 10
	var counts []float64
	var before, after runtime.MemStats
	for i := range warm + windows*runs {
		if i >= warm && (i-warm)%runs == 0 {
			runtime.ReadMemStats(&before)
		}
		if err := run(); err != nil {
			return 0, err
		}
		if i >= warm && (i-warm)%runs == runs-1 {
			runtime.ReadMemStats(&after)
			counts = append(counts, float64(after.Mallocs-before.Mallocs)/runs)
		}
	}
	return median(counts), nil
}

// timeRuns gives the milliseconds of single runs, of at least one, after a short warm-up. It calls after when each has been timed.
func timeRuns(run func() error, seconds float64, after func()) ([]float64, error) {
	timed := func() (time.Duration, error) {
		start := time.Now()
		err := run()
		return time.Since(start), err
	}
	budget := time.Duration(seconds * float64(time.Second))
	for spent, n := time.Duration(0), 0; n == 0 || n < 5 && spent < budget/5; n++ {
		d, err := timed()
		if err != nil {
			return nil, err
		}
		spent += d
	}
	var times []float64
	for end := time.Now().Add(budget); len(times) == 0 || time.Now().Before(end); {
		d, err := timed()
		if err != nil {
			return nil, err
		}
		times = append(times, float64(d)/1e6)
		after()
	}
	return times, nil
}

// residentKB reads a figure of this process's memory where the system has /proc, and is 0 elsewhere. getrusage is no
// substitute: across exec, Linux hands on the peak of the process that forked.
func residentKB(what string) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, what+":"); ok {
			kb, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return kb
		}
	}
	return 0
}

func median(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	return x[len(x)/2]
}
