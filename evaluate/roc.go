package evaluate

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/likely-ml/likely/measure"
)

// midranks gives each value its place from 1 to n in ascending order; equal values share the mean of their places.
func midranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return v[order[a]] < v[order[b]] })
	rank := make([]float64, len(v))
	for lo := 0; lo < len(v); {
		hi := lo + 1 // even where v is NaN, which equals nothing
		for hi < len(v) && v[order[hi]] == v[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			rank[i] = float64(lo+1+hi) / 2 // the mean of lo+1 .. hi
		}
		lo = hi
	}
	return rank
}

// auc is the area under the ROC curve, the probability that a random positive example scores above a random negative
// one, ties counting one half:
//
//	AUC = 1/(m n) sum_ij [s_i > s_j] + [s_i = s_j]/2    over m positives i and n negatives j
//
// and the influence of each example on it, (V_i - AUC)/sqrt(m (m-1)) for a positive and /sqrt(n (n-1)) for a negative,
// whose squares add up to DeLong's variance. V_i is the share of the other kind that example i is ranked rightly
// against; it comes from ranks in O(n log n). (E. DeLong et al., Biometrics 44 (1988) 837; X. Sun, W. Xu, IEEE Signal
// Process. Lett. 21 (2014) 1389.) The influence of the only example of its kind is NaN, and so is the standard error: one example
// does not tell how much such examples differ. ok is false where one of the kinds does not occur, as the area is then undefined.
func auc(score []float64, positive []bool) (area float64, influence []float64, ok bool) {
	var kind [2][]float64 // the scores of the negatives, of the positives
	for i, s := range score {
		kind[indicator(positive[i])] = append(kind[indicator(positive[i])], s)
	}
	n, m := float64(len(kind[0])), float64(len(kind[1]))
	if n == 0 || m == 0 {
		return 0, nil, false
	}
	all := midranks(score)
	own := [2][]float64{midranks(kind[0]), midranks(kind[1])}
	influence = make([]float64, len(score))
	var next [2]int
	for i := range score {
		k := indicator(positive[i])
		below := all[i] - own[k][next[k]] // how many of the other kind score less, ties counting one half
		next[k]++
		if k == 1 {
			influence[i] = below / n
			area += influence[i]
		} else {
			influence[i] = 1 - below/m
		}
	}
	area /= m
	for i := range influence {
		count := n
		if positive[i] {
			count = m
		}
		if count == 1 {
			influence[i] = math.NaN() // 0/0, but for rounding
		} else {
			influence[i] = (influence[i] - area) / math.Sqrt(count*(count-1))
		}
	}
	return area, influence, true
}

// indicator is 1 for true and 0 for false.
func indicator(b bool) int {
	if b {
		return 1
	}
	return 0
}

// averagePrecision is the area under the curve of precision against recall as a step function,
//
//	AP = sum_t (R_t - R_(t-1)) P_t,   R = TP/m,   P = TP/(TP+FP)
//
// over the distinct scores t from the highest down, with m positives. (Joining the points by straight lines instead would promise
// decisions that no threshold makes, and flatter: J. Davis, M. Goadrich, ICML 2006.) A random score has about the share of
// positives. influence is that of each example, by the derivative of AP by its weight; the squares add up to the infinitesimal
// jackknife's variance (B. Efron, The jackknife, the bootstrap and other resampling plans, 1982, chapter 6). ok is false where one of
// the kinds does not occur.
func averagePrecision(score []float64, positive []bool) (area float64, influence []float64, ok bool) {
	r := newRanking(score, positive)
	_, area = r.areas(nil)
	if math.IsNaN(area) {
		return 0, nil, false
	}
	// A weight on example i moves the precision at its own score and at all lower ones, (1-P)/(TP+FP) for a positive and
	// -P/(TP+FP) for a negative, and for a positive the steps of recall. So walk upwards with the sums over lower scores.
	n, m := len(score), 0
	for _, p := range positive {
		m += indicator(p)
	}
	tp, all := m, n
	up, down := 0.0, 0.0
	influence = make([]float64, n)
	for last := n; last > 0; {
		first := last - 1
		for first > 0 && !r.ends[first-1] {
			first--
		}
		own := 0
		for _, p := range r.positive[first:last] {
			own += indicator(p)
		}
		precision := float64(tp) / float64(all)
		step := float64(own) / float64(m) / float64(all)
		up += step * (1 - precision)
		down += step * precision
		for j, i := range r.order[first:last] {
			if r.positive[first+j] {
				influence[i] = up + (precision-area)/float64(m)
			} else {
				influence[i] = -down
			}
		}
		tp, all, last = tp-own, first, first
	}
	return area, influence, true
}

// ranking is examples in order of falling scores.
type ranking struct {
	order    []int32 // of the examples
	positive []bool  // in that order
	ends     []bool  // in that order: the next one has a lower score, or there is none
}

func newRanking(score []float64, positive []bool) *ranking {
	n := len(score)
	r := &ranking{make([]int32, n), make([]bool, n), make([]bool, n)}
	for i := range r.order {
		r.order[i] = int32(i)
	}
	slices.SortFunc(r.order, func(a, b int32) int { return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(a, b)) })
	for k, i := range r.order {
		r.positive[k] = positive[i]
		r.ends[k] = k+1 == n || score[r.order[k+1]] != score[i]
	}
	return r
}

// walk calls visit after each distinct score, from the highest down, with the number of positives and negatives so far. Example i
// counts weight[i] times; nil is once each.
func (r *ranking) walk(weight []int32, visit func(k, tp, fp int)) {
	tp, fp := 0, 0
	for k, i := range r.order {
		w := 1
		if weight != nil {
			w = int(weight[i])
		}
		if r.positive[k] {
			tp += w
		} else {
			fp += w
		}
		if r.ends[k] {
			visit(k, tp, fp)
		}
	}
}

// areas are the area under the ROC curve and the average precision of weighted examples, NaN where one of the kinds does not
// occur.
func (r *ranking) areas(weight []int32) (roc, precision float64) {
	tp, fp := 0, 0 // at the last distinct score
	t, f := 0, 0
	for k, i := range r.order { // not walk: a call for each score takes longer than the work
		w := 1
		if weight != nil {
			w = int(weight[i])
		}
		own := w * indicator(r.positive[k])
		t += own
		f += w - own
		if !r.ends[k] {
			continue
		}
		roc += float64(f-fp) * float64(t+tp)
		if t > tp {
			precision += float64(t-tp) * float64(t) / float64(t+f)
		}
		tp, fp = t, f
	}
	if tp == 0 || fp == 0 {
		return math.NaN(), math.NaN()
	}
	return roc / 2 / float64(tp) / float64(fp), precision / float64(tp)
}

// macroArea averages the areas of the given problems over the same examples, leaving out those that are undefined. The
// influences of an example on the areas add up, which carries the correlation of the areas into the standard error.
// Where no area is defined the estimate is NaN.
func macroArea(n, problems int, area func(k int) (area float64, influence []float64, ok bool)) measure.Estimate {
	total := make([]float64, n)
	sum, defined := 0.0, 0.0
	for k := range problems {
		value, influence, ok := area(k)
		if !ok {
			continue
		}
		sum += value
		defined++
		for i, v := range influence {
			total[i] += v
		}
	}
	squares := 0.0
	for _, v := range total {
		squares += v * v
	}
	return measure.Estimate{Value: sum / defined, StandardError: math.Sqrt(squares) / defined, N: n}
}
