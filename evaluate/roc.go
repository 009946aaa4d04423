package evaluate

import (
	"math"
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
		hi := lo
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
// Process. Lett. 21 (2014) 1389.) ok is false where one of the kinds does not occur, as the area is then undefined.
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
		influence[i] = (influence[i] - area) / math.Sqrt(count*max(1, count-1))
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

// macroAUC averages the areas of the given problems over the same examples, leaving out those that are undefined. The
// influences of an example on the areas add up, which carries the correlation of the areas into the standard error.
// Where no area is defined the estimate is NaN.
func macroAUC(n int, problems int, problem func(k int) (score []float64, positive []bool)) measure.Estimate {
	total := make([]float64, n)
	sum, defined := 0.0, 0.0
	for k := range problems {
		area, influence, ok := auc(problem(k))
		if !ok {
			continue
		}
		sum += area
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
