package evaluate

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// eachRow calls f for 0 <= i < n on all processors, in no particular order, until ctx is cancelled. f writes what
// belongs to i alone, so that the result does not depend on the order.
func eachRow(ctx context.Context, n int, f func(i int)) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}

// A stream names one use of randomness, so that each use draws from its own sequence of the same seed.
type stream uint64

const (
	streamSplit stream = iota
	streamSamples
	streamBound
	streamImportance
	streamAgreement
	streamClassifierScore
	streamAnneal
	streamAnnealPilot
	streamBootstrap // one for each replicate follows

	// These come after all replicates.
	streamPrivacy stream = 1 << 32
	streamRatio   stream = 1<<32 + 1
)

func (s stream) rand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(s))) }
