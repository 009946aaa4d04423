// Command bench times whole training steps (forward, backward, Adam; batch 128) of this project beside PyTorch's on the
// same machine: each workload is run by one, then the other, in turn, and the medians are compared.
//
//	go run ./bench                      both, 1 and 2 threads
//	go run ./bench -torch ""            only this project
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/likely-ml/likely/tensor/cpu"
)

func main() {
	python := flag.String("torch", "/usr/bin/python3", "the Python that has PyTorch; empty for none")
	seconds := flag.Float64("seconds", 4, "time for each workload, side and round")
	rounds := flag.Int("rounds", 3, "how often the sides take turns")
	only := flag.String("workload", "", "only this one")
	threads := flag.Int("threads", 0, "only this number of threads")
	flag.Parse()
	fmt.Printf("%-8s %7s %12s %12s %12s %7s\n", "workload", "threads", "likely ms", "mean ms", "PyTorch ms", "ratio")
	for _, w := range workloads {
		if *only != "" && *only != w.name {
			continue
		}
		for _, n := range []int{1, 2} {
			if *threads != 0 && *threads != n {
				continue
			}
			if err := compare(w, n, *rounds, *seconds, *python); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				os.Exit(1)
			}
		}
	}
}

// compare prints one line of the table.
func compare(w workload, threads, rounds int, seconds float64, python string) error {
	step, err := w.compile(cpu.New(threads))
	if err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	var ours, theirs []float64
	for range rounds {
		times, err := timeSteps(step, seconds)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		ours = append(ours, times...)
		if python == "" {
			continue
		}
		// PyTorch at its best: of its two memory layouts, the faster in each round.
		best := 0.0
		for _, layout := range []string{"contiguous", "channels_last"} {
			median, err := torchStep(python, w.name, layout, threads, seconds)
			if err != nil {
				return err
			}
			if best == 0 || median < best {
				best = median
			}
		}
		theirs = append(theirs, best)
	}
	mean := 0.0
	for _, t := range ours {
		mean += t / float64(len(ours))
	}
	line := fmt.Sprintf("%-8s %7d %12.3f %12.3f", w.name, threads, median(ours), mean)
	if len(theirs) > 0 {
		line += fmt.Sprintf(" %12.3f %7.2f", median(theirs), median(theirs)/median(ours))
	}
	fmt.Println(line)
	return nil
}

// timeSteps gives the milliseconds of single steps.
func timeSteps(step func() error, seconds float64) ([]float64, error) {
	for range 5 {
		if err := step(); err != nil {
			return nil, err
		}
	}
	var times []float64
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); len(times) < 3 || time.Now().Before(end); {
		start := time.Now()
		if err := step(); err != nil {
			return nil, err
		}
		times = append(times, float64(time.Since(start))/1e6)
	}
	return times, nil
}

// torchStep is the median of PyTorch's steps in milliseconds, in the environment that makes it fastest.
func torchStep(python, workload, layout string, threads int, seconds float64) (float64, error) {
	c := exec.Command(python, "bench/torch/steps.py", "--workload", workload, "--layout", layout,
		"--threads", fmt.Sprint(threads), "--seconds", fmt.Sprint(seconds))
	c.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "OPENBLAS_CORETYPE=") || strings.HasPrefix(s, "OPENBLAS_L2_SIZE=")
	})
	c.Env = append(c.Env, "ATEN_CPU_CAPABILITY=avx512", "MALLOC_TRIM_THRESHOLD_=2000000000", "MALLOC_MMAP_THRESHOLD_=2000000000")
	var message bytes.Buffer
	c.Stderr = &message
	out, err := c.Output()
	if err != nil {
		return 0, fmt.Errorf("PyTorch, %s: %w: %s", workload, err, bytes.TrimSpace(message.Bytes()))
	}
	var result struct {
		Median float64 `json:"median_ms"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return 0, fmt.Errorf("PyTorch, %s: %w in %q", workload, err, out)
	}
	return result.Median, nil
}

func median(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	return x[len(x)/2]
}
