package cpu

import (
	"sync/atomic"
	"testing"
	"time"
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

// A worker that nobody needs ends, and starts again for a later launch.
func TestIdleWorkersEnd(t *testing.T) {
	p := newPool(3)
	var taken atomic.Int32
	count := func(_ *worker, from, to int) { taken.Add(int32(to - from)) }
	for launch := range int32(2) {
		p.run(300, count)
		if n := taken.Load(); n != 300*(launch+1) {
			t.Fatalf("%d parts were taken by launch %d", n, launch)
		}
		for _, w := range p.workers[1:] {
			for end := time.Now().Add(time.Minute); w.state.Load() != absent; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("worker %d has not ended after a minute", w.index)
				}
			}
		}
	}
}
