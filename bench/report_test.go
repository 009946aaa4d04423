package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResultsFile(t *testing.T) {
	b := &bench{seconds: 1, rounds: 3, peak: 200e9}
	r := result{workload: workloads[0], threads: 1, ours: 2, torch: 7, flops: 100e6, ourMemory: memory{Start: 1024, Peak: 3072}, variant: "plain Adam"}
	second := r
	second.threads, second.ours, second.alone, second.copies = 2, 1.25, 2, 2.5
	times, memory, products := newTimes(), newMemory(), newGEMM()
	b.addTimes(times, r)
	addMemory(memory, []result{r, second})
	b.addGEMM(products, gemmResult{gemmShape: gemmShape{what: "cube", m: 2, k: 2, n: 2}, threads: 2, ours: 300e9, torch: 150e9, numpy: 200e9, peak: 200e9})
	path := filepath.Join(t.TempDir(), "RESULTS.md")
	if err := b.writeResults(path, "0.01", times, memory, products); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| softmax | 1 | 2 | 7 | 3.50 | 3.00 |  |  | 50.0 | 25 | plain Adam |", // 100 Mflop in 2 ms
		"| softmax | 0; 0 | 3 | 2 |  |  | 0.80 | 0.80 |",
		"| cube | 2 | 300.0 | 75 | 150.0 | 200.0 | 1.50 | 2x2x2nn |",
		"PyTorch none",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
