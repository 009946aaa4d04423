//go:build xla

package main

import (
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/xla"
)

// BenchmarkStep times the training steps of the comparison on the cpu backend with all cores and on a device, there with variables
// copied in every step and held.
func BenchmarkStep(b *testing.B) {
	device, err := xla.New(0)
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range workloads {
		if w.train == nil {
			continue
		}
		for _, c := range []struct {
			name    string
			backend tensor.Backend
			hold    bool
		}{{"cpu", cpu.New(0), false}, {"copied", device, false}, {"held", device, true}} {
			b.Run(w.name+"/"+c.name, func(b *testing.B) {
				j, err := w.compile(c.backend)
				if err != nil {
					b.Fatal(err)
				}
				if c.hold {
					h, err := device.(tensor.Holder).Hold(j.vars)
					if err != nil {
						b.Fatal(err)
					}
					defer h.Release()
				}
				for range 5 {
					if err := j.run(); err != nil {
						b.Fatal(err)
					}
				}
				for b.Loop() {
					if err := j.run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
