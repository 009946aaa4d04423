package generative

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// classed is what a fitted model has that holds one distribution for each class, or a single one without labels.
type classed struct {
	model.Card
	prior   []float64 // of the classes, nil without labels
	threads int       // 0 for one per CPU
}

// LogPrior is log p(y) of each class, from their frequencies; nil without labels.
func (m *classed) LogPrior() []float64 {
	var log []float64
	for _, p := range m.prior {
		log = append(log, math.Log(p))
	}
	return log
}

// distributions is how many there are.
func (m *classed) distributions() int { return max(1, m.Classes()) }

// class is that of example i, 0 without labels.
func (m *classed) class(y []int32, i int) int {
	if m.prior == nil {
		return 0
	}
	return int(y[i])
}

// byClass lists the examples 0..n-1 of each class.
func (m *classed) byClass(y []int32, n int) [][]int {
	rows := make([][]int, m.distributions())
	for i := range n {
		k := m.class(y, i)
		rows[k] = append(rows[k], i)
	}
	return rows
}

// inClass says which class an error is about.
func (m *classed) inClass(k int, err error) error {
	if err == nil || m.prior == nil {
		return err
	}
	return fmt.Errorf("class %q: %w", m.Schema.Classes[k], err)
}

// mixture sets dst[i] to log p(x_i) = log Σ_y p(y) p(x_i|y) in nats, of the log p(x|y) that given writes; without labels that
// is p(x) itself.
func (m *classed) mixture(dst []float64, x data.Batch, given func(dst []float64, x data.Batch, y []int32) error) error {
	if m.prior == nil {
		return given(dst, x, nil)
	}
	total := newLogMeans(dst)
	y, log := make([]int32, x.Len()), make([]float64, x.Len())
	for k, p := range m.prior {
		for i := range y {
			y[i] = int32(k)
		}
		if err := given(log, x, y); err != nil {
			return err
		}
		addLogs(total, log, math.Log(p))
	}
	total.finish(1)
	return nil
}

// eachPiece calls do side by side with pieces of the examples of each class, at most so many at a time.
func (m *classed) eachPiece(byClass [][]int, most int, do func(k int, piece []int)) {
	room := newRoom(m.threads)
	for k, rows := range byClass {
		for from := 0; from < len(rows); from += most {
			room.run(func() { do(k, rows[from:min(from+most, len(rows))]) })
		}
	}
	room.wait()
}

// room bounds how many functions run at a time.
type room struct {
	free chan struct{}
	all  sync.WaitGroup
}

// newRoom is for so many threads, 0 for one per CPU.
func newRoom(threads int) *room {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &room{free: make(chan struct{}, threads)}
}

// run starts do when there is room for it.
func (r *room) run(do func()) {
	r.free <- struct{}{}
	r.all.Go(func() {
		do()
		<-r.free
	})
}

func (r *room) wait() { r.all.Wait() }
