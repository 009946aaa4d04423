package main

import (
	"fmt"
	"testing"

	"github.com/likely-ml/likely/tensor/cpu"
)

// BenchmarkStep times one training step of each workload: forward, backward, Adam; batch 128.
func BenchmarkStep(b *testing.B) {
	for _, w := range workloads {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", w.name, threads), func(b *testing.B) {
				step, err := w.compile(cpu.New(threads))
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := step(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
