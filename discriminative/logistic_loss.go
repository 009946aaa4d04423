package discriminative

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/floats"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/tensor/cpu/gonumblas"
)

// logisticLoss is what [Logistic] minimises, divided by the number n of examples so that a tolerance means the same for
// all data:
//
//	f(θ) = (1/n) (Σ_i −log p(y_i|x_i) + |b|²/(2C))
//
// θ holds the coefficients b, [functions, p] row-major, then the intercepts of centred x, a + bᵀm with the mean m of x,
// [functions]. The minimum is the same, since the intercepts are not penalised, and pixels, which are far from centred,
// take fewer iterations to it: the digits 63 in place of 323. With r_ik = p(k|x_i) − 1{y_i=k}, the gradient is
// (1/n) (Rᵀ (X − 1mᵀ) + b/C) for b and (1/n) Rᵀ 1 for the intercepts.
//
// It is not safe for concurrent use.
type logisticLoss struct {
	x       data.Batch // transformed, with labels
	mean    []float64  // of x
	count   int        // of functions h
	penalty float64    // 1/C

	last      lossPoint // the optimiser asks for value and gradient of one point in two calls
	sums      []partialLoss
	functions [][]float64 // h of some examples, for each thread
}

// lossPoint is the value and gradient of a loss at θ.
type lossPoint struct {
	theta, gradient []float64
	value, logLoss  float64 // with and without the penalty
}

// partialLoss is a sum over some of the examples, with the memory that it takes to compute it.
type partialLoss struct {
	logLoss  float64
	gradient []float64
}

// The sums over examples have an order that depends on the number of examples alone: within each of lossParts parts one
// after another, then part by part. Threads take whole parts.
const lossParts = 16

// lossRows is how many examples go through functions, residuals and gradient together.
const lossRows = 128

func newLogisticLoss(x data.Batch, classes int, c float64, threads int) *logisticLoss {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	l := &logisticLoss{x: x, mean: meanOf(x), count: functions(classes), penalty: 1 / c, sums: make([]partialLoss, lossParts)}
	l.last.gradient = make([]float64, l.dim())
	for i := range l.sums {
		l.sums[i].gradient = make([]float64, l.dim())
	}
	for range min(threads, lossParts) {
		l.functions = append(l.functions, make([]float64, lossRows*l.count))
	}
	return l
}

// meanOf is the mean of the examples.
func meanOf(x data.Batch) []float64 {
	m := make([]float64, x.Shape.Size())
	for i := range x.Len() {
		for j, v := range x.Row(i) {
			m[j] += float64(v)
		}
	}
	floats.Scale(1/float64(x.Len()), m)
	return m
}

// dim is the length of θ.
func (l *logisticLoss) dim() int { return l.count * (l.x.Shape.Size() + 1) }

// split returns the coefficients and intercepts of θ, which share its memory. The intercepts are of centred x.
func (l *logisticLoss) split(theta []float64) linear {
	at := l.count * l.x.Shape.Size()
	return linear{coef: theta[:at], intercept: theta[at:]}
}

// fitted is h of x itself, given θ.
func (l *logisticLoss) fitted(theta []float64) linear {
	h := l.split(slices.Clone(theta))
	p := len(l.mean)
	for k := range h.intercept {
		h.intercept[k] -= floats.Dot(h.coef[k*p:(k+1)*p], l.mean)
	}
	return h
}

// at computes value and gradient at θ. The slices are valid until the next call; the result means nothing once ctx has
// ended.
func (l *logisticLoss) at(ctx context.Context, theta []float64) lossPoint {
	if l.last.theta != nil && slices.Equal(l.last.theta, theta) {
		return l.last
	}
	var work sync.WaitGroup
	part := make(chan int, lossParts)
	for i := range lossParts {
		part <- i
	}
	close(part)
	for _, h := range l.functions {
		work.Go(func() {
			for i := range part {
				l.sum(ctx, theta, i, h)
			}
		})
	}
	work.Wait()

	n := float64(l.x.Len())
	l.last.theta = append(l.last.theta[:0], theta...)
	logLoss, gradient := 0.0, l.last.gradient
	clear(gradient)
	for _, s := range l.sums {
		logLoss += s.logLoss
		floats.Add(gradient, s.gradient)
	}
	b := l.split(theta).coef
	floats.AddScaled(gradient[:len(b)], l.penalty, b)
	floats.Scale(1/n, gradient)
	l.last.logLoss = logLoss / n
	l.last.value = (logLoss + l.penalty/2*floats.Dot(b, b)) / n
	return l.last
}

// sum computes part i of the log-loss and its gradient.
func (l *logisticLoss) sum(ctx context.Context, theta []float64, i int, h []float64) {
	s := &l.sums[i]
	s.logLoss = 0
	clear(s.gradient)
	from, to := i*l.x.Len()/lossParts, (i+1)*l.x.Len()/lossParts
	for ; from < to && ctx.Err() == nil; from += lossRows {
		l.add(s, theta, l.x.Slice(from, min(from+lossRows, to)), h)
	}
}

// add adds examples to s. h is memory for the functions of at least as many, which then turn into the residuals R.
func (l *logisticLoss) add(s *partialLoss, theta []float64, examples data.Batch, h []float64) {
	at, sum := l.split(theta), l.split(s.gradient)
	h = h[:examples.Len()*l.count]
	for i := range examples.Len() {
		copy(h[i*l.count:], at.intercept)
	}
	gonumblas.LinearFunctions(h, examples.X, l.mean, at.coef)
	for i, own := range examples.Y {
		row := h[i*l.count : (i+1)*l.count]
		s.logLoss += residuals(row, int(own))
		floats.Add(sum.intercept, row)
	}
	gonumblas.LinearGradient(sum.coef, examples.X, l.mean, h)
}

// residuals turns the functions h of one example of class y into its residuals r and returns −log p(y|x).
func residuals(h []float64, y int) (logLoss float64) {
	if len(h) == 1 {
		// p(A|x) − 1 is computed as −p(B|x), which loses no digits where p(A|x) is near 1.
		if y == 1 {
			logLoss, h[0] = softplus(-h[0]), -sigmoid(-h[0])
		} else {
			logLoss, h[0] = softplus(h[0]), sigmoid(h[0])
		}
		return logLoss
	}
	most, own := floats.Max(h), h[y]
	rest := 0.0 // of the exponentials of the other functions
	for k, v := range h {
		h[k] = math.Exp(v - most)
		if k != y {
			rest += h[k]
		}
	}
	// Where y is the most probable class, neither its loss nor its residual loses digits near p = 1.
	total := h[y] + rest
	if own == most {
		logLoss = math.Log1p(rest)
	} else {
		logLoss = most - own + math.Log(total)
	}
	floats.Scale(1/total, h)
	h[y] = -rest / total
	return logLoss
}

// sigmoid is 1/(1 + e^−h).
func sigmoid(h float64) float64 { return 1 / (1 + math.Exp(-h)) }
