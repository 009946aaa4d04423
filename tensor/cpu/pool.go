package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// pool runs the parts of one launch on a fixed number of threads. Parts are numbered and their results do not depend on
// who runs them, so the number of threads changes nothing but time.
//
// Each thread has a lane of parts that lie side by side, the same of every launch with as many parts, and takes from others
// only when its own is empty. So what a thread has written stays in its core's cache until it reads it again, in the next
// launch or the next step: with parts taken in turn by whoever came first, Adam was slower on two threads than on one.
//
// A thread takes half of what is left in a lane at once, as in guided self-scheduling (C. Polychronopoulos and D. Kuck,
// IEEE Transactions on Computers, 1987): large pieces first, which convolutions like, and small ones last, so that nobody
// waits long for a core that is slow for a moment.
type pool struct {
	threads int
	busy    sync.Mutex
	workers []*worker // workers[0] belongs to the caller of run
	number  uint64    // of the launch

	lanes []lane       // of the launch in progress
	_     [64]byte     // what threads write in turn is on a cache line of its own
	done  atomic.Int32 // parts
	_     [60]byte
}

// lane is one thread's parts of a launch, and all that a thread needs to know of it, in a single cache line, as it takes up to a
// microsecond to come from another core. The state is the launch's number in the upper half and how many parts are not yet taken
// in the lower, so that to take a part and to learn which launch it belongs to is one compare-and-swap. The rest may be read
// only by who holds a part.
type lane struct {
	state atomic.Uint64
	job   func(w *worker, from, to int)
	end   int // of the parts
	_     [40]byte
}

// worker is what one thread owns.
type worker struct {
	index  int
	ws     *kernel.Workspace
	tile   tileMemory
	rows   []float32 // scratch for a block of rows
	state  atomic.Int32
	wake   chan bool   // says to a worker that slept that it is awake, and whether there is work
	retire *time.Timer // wakes a worker that nobody has needed for a while
	serve  func()
}

// A worker's states.
const (
	absent int32 = iota // it has no goroutine
	awake               // it works, or watches for work
	asleep              // its goroutine waits to be woken
)

func newPool(threads int) *pool {
	p := &pool{threads: threads, workers: make([]*worker, threads), lanes: make([]lane, threads)}
	for i := range p.workers {
		w := newWorker()
		w.index = i
		w.wake = make(chan bool, 1)
		w.retire = time.AfterFunc(idleSleep, func() { w.rouse(false) })
		w.serve = func() { p.serve(w) }
		p.workers[i] = w
	}
	return p
}

func newWorker() *worker { return &worker{ws: &kernel.Workspace{}} }

// spare serves a goroutine that finds the pool busy with another executable's launch.
var spare = sync.Pool{New: func() any { return newWorker() }}

// run calls job(w, from, to) for ranges of parts that make up [0, parts).
func (p *pool) run(parts int, job func(w *worker, from, to int)) {
	if parts == 0 {
		return
	}
	if !p.busy.TryLock() {
		w := spare.Get().(*worker)
		job(w, 0, parts)
		spare.Put(w)
		return
	}
	defer p.busy.Unlock()
	if parts <= 1 || p.threads == 1 {
		job(p.workers[0], 0, parts)
		return
	}
	p.done.Store(0)
	p.number++
	for i := range p.lanes {
		l := &p.lanes[i]
		l.job, l.end = job, parts*(i+1)/p.threads
		l.state.Store(p.number<<32 | uint64(l.end-parts*i/p.threads))
	}
	for _, w := range p.workers[1:] {
		if !w.rouse(true) && w.state.CompareAndSwap(absent, awake) {
			go w.serve()
		}
	}
	p.work(p.workers[0])
	for spins := 1; p.done.Load() < int32(parts); spins++ {
		if spins%512 == 0 {
			runtime.Gosched()
		}
	}
	for i := range p.lanes {
		p.lanes[i].job = nil
	}
}

// launch is run with its arguments given, so that a step of a plan makes no closure each time.
func (p *pool) launch(parts int, job func(w *worker, from, to int)) func() {
	return func() { p.run(parts, job) }
}

// eachPart is launch for a job that takes the parts one by one.
func (p *pool) eachPart(parts int, job func(w *worker, part int)) func() {
	return p.launch(parts, func(w *worker, from, to int) {
		for part := from; part < to; part++ {
			job(w, part)
		}
	})
}

// work takes parts until none is left: of the worker's own lane, then of the others.
func (p *pool) work(w *worker) {
	for k := range p.threads {
		i := (w.index + k) % p.threads
		for l := &p.lanes[i]; ; {
			s := l.state.Load()
			left := int(uint32(s))
			if left == 0 {
				break
			}
			take := (left + 1) / 2
			if l.state.CompareAndSwap(s, s-uint64(take)) {
				from := l.end - left
				l.job(w, from, from+take)
				p.done.Add(int32(take))
			}
		}
	}
}

// rouse wakes the worker if it sleeps.
func (w *worker) rouse(work bool) bool {
	slept := w.state.CompareAndSwap(asleep, awake)
	if slept {
		w.wake <- work
	}
	return slept
}

// idleSpins bounds how long a worker without work watches for the next launch before it sleeps: some 100 µs, longer than
// the gaps between those launches of a training step that are worth a second thread. To wake a worker takes tens
// of µs: with 20 µs here the step of a small dense network on two threads took 0.9 to 1.4 ms, with 100 µs 0.77 ms.
const idleSpins = 100_000

// idleSleep bounds how long a worker sleeps before it ends, so that a pool that is not used has no goroutines. Workers do not
// end sooner, as a new goroutine is memory from the heap whenever the processor that starts it has no dead one to use again.
const idleSleep = time.Second

// serve is the life of a worker thread: take parts while there are any, then watch for a while, giving way to whoever
// wants the core: another goroutine, or another process, lest the time slice is used up when there is work; then sleep.
func (p *pool) serve(w *worker) {
	own := &p.lanes[w.index].state
	for {
		for spins := 1; uint32(own.Load()) == 0; spins++ {
			if spins%4096 == 0 {
				runtime.Gosched()
				giveWay()
			}
			if spins < idleSpins {
				continue
			}
			w.state.Store(asleep)
			if p.late(w, asleep) {
				break
			}
			w.retire.Reset(idleSleep)
			work := <-w.wake
			w.retire.Stop()
			if !work {
				w.state.Store(absent)
				if !p.late(w, absent) {
					return
				}
			}
			spins = 0
		}
		p.work(w)
	}
}

// late says that a launch was published before the worker's state became that one, so that it found the worker awake and
// did not wake it. The worker then is awake again.
func (p *pool) late(w *worker, state int32) bool {
	return uint32(p.lanes[w.index].state.Load()) != 0 && w.state.CompareAndSwap(state, awake)
}

// worthwhile is the work in nanoseconds below which a part is not worth handing to another thread; handing over costs
// about 1 µs.
const worthwhile = 4000

// partsPerThread is how many parts a lane has at most. With 4, each taken by itself, a U-Net step on two threads took 1.02 to
// 1.07 times as long.
const partsPerThread = 16

// chunks cuts n units of about cost nanoseconds each into parts of size units. How many never changes a result.
func (p *pool) chunks(n int, cost float64) (parts, size int) {
	if n == 0 {
		return 0, 1
	}
	parts = 1
	if p.threads > 1 {
		parts = min(n, partsPerThread*p.threads, max(1, int(float64(n)*cost/worthwhile)))
		if parts > p.threads { // as many for each, so that a thread has the same share of an array in every launch
			parts -= parts % p.threads
		}
	}
	size = (n + parts - 1) / parts
	return (n + size - 1) / size, size
}
