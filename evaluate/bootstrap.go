package evaluate

import (
	"context"
	"math"
	"slices"

	"github.com/likely-ml/likely/measure"
)

// measures is how many measures a Classification has.
const measures = 9

// values are the measures of a Classification, in the order of its Measures; NaN where one is not defined.
type values [measures]float64

// weighing computes the measures of examples that count several times or never, without sorting or exponentials.
type weighing struct {
	classes        int
	truth, decided []int32
	loss, brier    []float64
	excess         []float64 // [decided rightly] - confidence
	bin            []int32   // of the confidence
	rankings       []*ranking
}

func newWeighing(p *Posteriors) *weighing {
	n, k := len(p.Truth), len(p.Classes)
	w := &weighing{classes: k, truth: p.Truth, decided: make([]int32, n), loss: make([]float64, n), brier: make([]float64, n),
		excess: make([]float64, n), bin: make([]int32, n)}
	for i, y := range p.Truth {
		row := p.LogP[i*k : (i+1)*k]
		w.loss[i], w.brier[i] = losses(row, y)
		w.decided[i] = mostProbable(row)
		confidence := math.Exp(row[w.decided[i]])
		w.excess[i] = float64(indicator(w.decided[i] == y)) - confidence
		w.bin[i] = int32(binOf(confidence))
	}
	for c := firstArea(k); c < k; c++ {
		w.rankings = append(w.rankings, newRanking(against(p.Truth, p.LogP, k, c)))
	}
	return w
}

// of are the measures where example i counts weight[i] times.
func (w *weighing) of(weight []int32) values {
	m := &margins{right: make([]int, w.classes), truth: make([]int, w.classes), decided: make([]int, w.classes)}
	var loss, brier float64
	var excess [CalibrationBins]float64
	for i, count := range weight {
		if count == 0 {
			continue
		}
		m.add(int(w.truth[i]), int(w.decided[i]), int(count))
		c := float64(count)
		loss += c * w.loss[i]
		brier += c * w.brier[i]
		excess[w.bin[i]] += c * w.excess[i]
	}
	n, gap := float64(m.n), 0.0
	for _, e := range excess {
		gap += math.Abs(e)
	}
	var roc, precision, defined float64
	for _, r := range w.rankings {
		if a, p := r.areas(weight); !math.IsNaN(a) {
			roc, precision, defined = roc+a, precision+p, defined+1
		}
	}
	return values{float64(m.hits) / n, m.balancedAccuracy(), loss / n, brier / n, gap / n, roc / defined, precision / defined, m.macroF1(), m.mcc()}
}

// intervals are 95% BCa intervals of the measures (B. Efron, Better bootstrap confidence intervals, JASA 82, 1987): quantiles of the
// measure over resamples of n examples out of the n with replacement, moved for the bias and the skewness of the measure. There is
// none where the measure is infinite, is not defined in any resample, or is the same in all: an accuracy of 1 is, and says nothing of
// its error. That of the ECE, which is biased upwards, holds the ECE that n examples scatter about.
//
// Every resample draws from its own stream, so that the threads that share the work change no bit.
func (p *Posteriors) intervals(ctx context.Context, resamples int, seed uint64) (list [measures]*measure.Interval, err error) {
	w := newWeighing(p)
	drawn, err := resample(ctx, len(p.Truth), resamples, seed, w.of)
	if err != nil {
		return list, err
	}
	left := make([]values, groups(len(p.Truth)))
	err = eachRow(ctx, len(left), func(g int) {
		weight := make([]int32, len(p.Truth))
		for i := range weight {
			weight[i] = int32(indicator(i%len(left) != g))
		}
		left[g] = w.of(weight)
	})
	if err != nil {
		return list, err
	}
	whole := make([]int32, len(p.Truth))
	for i := range whole {
		whole[i] = 1
	}
	column := func(rows []values, j int) (v []float64) {
		for _, row := range rows {
			if !math.IsNaN(row[j]) {
				v = append(v, row[j])
			}
		}
		return v
	}
	for j, value := range w.of(whole) {
		list[j] = bca(value, column(drawn, j), acceleration(column(left, j)))
	}
	return list, nil
}

// resample computes f of the weights of so many bootstrap resamples of n examples.
func resample[T any](ctx context.Context, n, resamples int, seed uint64, f func(weight []int32) T) ([]T, error) {
	drawn := make([]T, resamples)
	err := eachRow(ctx, resamples, func(b int) {
		r := (streamBootstrap + stream(b)).rand(seed)
		weight := make([]int32, n)
		for range n {
			weight[r.IntN(n)]++
		}
		drawn[b] = f(weight)
	})
	return drawn, err
}

// groups is how many groups of examples are left out in turn to find the skewness of a measure. Each example alone would be no
// better: the sums of acceleration have the same mean for groups, with a standard deviation of about 0.65/groups.
func groups(n int) int { return min(n, 200) }

// acceleration is Efron's a, a sixth of the skewness of a measure, from its values v without each group of examples,
//
//	a = 1/6 sum_g u_g^3 / (sum_g u_g^2)^(3/2),   u_g = mean v - v_g
func acceleration(v []float64) float64 {
	m := mean(v).Value
	var squares, cubes float64
	for _, x := range v {
		u := m - x
		squares += u * u
		cubes += u * u * u
	}
	if !(squares > 0) {
		return 0
	}
	return cubes / (6 * squares * math.Sqrt(squares))
}

// bca is the 95% interval of a value from those of resamples: their quantiles at
//
//	Phi(z0 + (z0 + z)/(1 - a (z0 + z))),   z = Phi^-1(0.025), Phi^-1(0.975)
//
// where Phi(z0) is the share of resamples below the value, equal ones counting one half. It is nil where there is none.
func bca(value float64, drawn []float64, a float64) *measure.Interval {
	slices.Sort(drawn)
	if len(drawn) == 0 || math.IsInf(value, 0) || math.IsNaN(value) {
		return nil
	}
	if spread := drawn[len(drawn)-1] - drawn[0]; !(spread > 1e-12*max(1, math.Abs(value))) { // less is rounding
		return nil
	}
	less := 0.0
	for _, v := range drawn {
		switch {
		case v < value:
			less++
		case v == value:
			less += 0.5
		}
	}
	b := float64(len(drawn))
	z0 := normalQuantile(max(0.5, min(less, b-0.5)) / b) // none below leaves the bias unknown, not infinite
	end := func(p float64) float64 {
		z := z0 + normalQuantile(p)
		return quantile(drawn, math.Erfc(-(z0+z/max(1-a*z, 1e-3))/math.Sqrt2)/2) // a few examples may have any skewness
	}
	return &measure.Interval{Low: end(0.025), High: end(0.975)}
}

// normalQuantile is Phi^-1(p).
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
