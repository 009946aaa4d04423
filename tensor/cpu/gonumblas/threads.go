package gonumblas

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// threadsFor returns how many goroutines share work of that many multiplications.
func threadsFor(work int) int {
	if work < 2*worthThread {
		return 1
	}
	return min(runtime.GOMAXPROCS(0), work/worthThread)
}

// share calls do once for every part in [0, parts), on that many goroutines at most, each with memory of its own. The
// caller's goroutine is one of them.
func (k *kit[T]) share(threads, parts int, do func(mem *memory[T], part int)) {
	var next atomic.Int64
	take := func() {
		mem := k.memory()
		for part := int(next.Add(1)) - 1; part < parts; part = int(next.Add(1)) - 1 {
			do(mem, part)
		}
		k.spare.Put(mem)
	}
	var others sync.WaitGroup
	for range min(threads, parts) - 1 {
		others.Go(take)
	}
	take()
	others.Wait()
}

// memory returns memory that nobody uses. It goes back by k.spare.Put.
func (k *kit[T]) memory() *memory[T] {
	if m, ok := k.spare.Get().(*memory[T]); ok {
		return m
	}
	return new(memory[T])
}

// reserve returns buf with at least n elements, whose values are undefined.
func reserve[T any](buf []T, n int) []T {
	if len(buf) >= n {
		return buf
	}
	return make([]T, n)
}
