package data

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls do(0) … do(n-1) on all processors. Of the errors it returns the one with the lowest index, as a plain loop
// would: indices are handed out in order, so every lower one has been tried. No call starts after a failure, or once ctx
// is done.
func parallel(ctx context.Context, n int, do func(i int) error) error {
	var (
		next, stop atomic.Int64
		mu         sync.Mutex
		wg         sync.WaitGroup
		first      error
		at         = n
	)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for stop.Load() == 0 && ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					stop.Store(1)
					mu.Lock()
					if i < at {
						first, at = err, i
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if first != nil {
		return first
	}
	return ctx.Err()
}
