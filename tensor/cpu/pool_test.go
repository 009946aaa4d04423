package cpu

import (
	"sync/atomic"
	"testing"
)

// Every part of a launch is taken once, however many there are and however slow one thread is.
func TestPartsAreTakenOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 7} {
		p := newPool(threads)
		for parts := range 70 {
			taken := make([]atomic.Int32, parts)
			p.run(parts, func(w *worker, from, to int) {
				for range 1000 * (w.index % 2) { // the odd threads are slow
					taken[from].Load()
				}
				for i := from; i < to; i++ {
					taken[i].Add(1)
				}
			})
			for i := range taken {
				if n := taken[i].Load(); n != 1 {
					t.Fatalf("%d threads, part %d of %d: taken %d times", threads, i, parts, n)
				}
			}
		}
	}
}
