package train

import (
	"context"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
)

// Rand gives a preparation its random numbers; it is nil outside training.
type Rand = *rand.Rand

// The streams of random numbers of a run, told apart so that none depends on how many another has drawn.
const (
	streamOrder uint64 = iota + 1
	streamPrepare
	streamNoise
	streamValidation
)

func generator(seed, stream uint64, number int) *rand.Rand {
	return rand.New(rand.NewPCG(seed^stream*0x9e3779b97f4a7c15, uint64(number)))
}

// order is the permutation in which an epoch goes through n examples.
func order(seed uint64, epoch, n int) []int { return generator(seed, streamOrder, epoch).Perm(n) }

// batches prepares the mini-batches of an epoch ahead of the step that needs them.
type batches struct {
	full chan prepared
	free chan data.Batch
}

type prepared struct {
	batch data.Batch
	err   error
}

// drain waits for the end of the preparation, whose ctx must have ended: nothing reads the set afterwards.
func (b *batches) drain() {
	for range b.full {
	}
}

// load starts preparing the batches of steps [from, to) of an epoch. It ends when all are taken or ctx ends.
func (t *trainer) load(ctx context.Context, epoch, from, to int) *batches {
	b := &batches{full: make(chan prepared), free: make(chan data.Batch, 2)}
	for range cap(b.free) {
		b.free <- data.NewBatch(t.problem.Out, t.options.Batch, t.problem.Labelled)
	}
	index := order(t.run.Seed, epoch, t.set.Len())
	go func() {
		defer close(b.full)
		raw := data.NewBatch(t.set.Schema().Shape, t.options.Batch, t.problem.Labelled)
		for i := from; i < to; i++ {
			var dst data.Batch
			select {
			case dst = <-b.free:
			case <-ctx.Done():
				return
			}
			err := t.set.Read(ctx, raw, index[i*t.options.Batch:(i+1)*t.options.Batch])
			if err == nil {
				err = t.problem.Prepare(dst, raw, generator(t.run.Seed, streamPrepare, epoch*t.steps+i))
				copy(dst.Y, raw.Y)
			}
			select {
			case b.full <- prepared{dst, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return b
}
