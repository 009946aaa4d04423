package evaluate

import (
	"math"

	"github.com/likely-ml/likely/measure"
)

// Confusion counts decisions: Confusion[k][l] examples of class k were taken for class l.
type Confusion [][]int

// NewConfusion returns the count of decisions among the given number of classes. truth and decided have one class per
// example.
func NewConfusion(classes int, truth, decided []int32) Confusion {
	c := make(Confusion, classes)
	for k := range c {
		c[k] = make([]int, classes)
	}
	for i, y := range truth {
		c[y][decided[i]]++
	}
	return c
}

// margins is all that the measures below need of a confusion matrix: its diagonal and its sums.
type margins struct {
	n       int
	hits    int
	right   []int // right[k] examples of class k were taken for k
	truth   []int // truth[k] examples are of class k
	decided []int // decided[k] examples were taken for k
}

func (c Confusion) margins() *margins {
	m := &margins{right: make([]int, len(c)), truth: make([]int, len(c)), decided: make([]int, len(c))}
	for k, row := range c {
		for l, count := range row {
			m.add(k, l, count)
		}
	}
	return m
}

// add counts more examples of class k that were taken for l.
func (m *margins) add(k, l, count int) {
	m.n += count
	m.truth[k] += count
	m.decided[l] += count
	if k == l {
		m.right[k] += count
		m.hits += count
	}
}

// balancedAccuracy is the share of right decisions within each class, averaged over the classes that occur.
func (m *margins) balancedAccuracy() float64 {
	sum, classes := 0.0, 0
	for k, n := range m.truth {
		if n > 0 {
			sum += float64(m.right[k]) / float64(n)
			classes++
		}
	}
	return sum / float64(classes)
}

// macroF1 is the F1 score 2TP/(2TP+FP+FN) of each class against the rest, averaged over the classes that occur, as
// truth or as decision.
func (m *margins) macroF1() float64 {
	sum, classes := 0.0, 0
	for k, right := range m.right {
		if total := m.truth[k] + m.decided[k]; total > 0 {
			sum += 2 * float64(right) / float64(total)
			classes++
		}
	}
	return sum / float64(classes)
}

// mcc is the correlation of decisions with truth for any number of classes (J. Gorodkin, Comput. Biol. Chem. 28 (2004)
// 367),
//
//	(n c - sum_k t_k d_k) / sqrt((n^2 - sum_k t_k^2) (n^2 - sum_k d_k^2))
//
// with c right decisions, t_k examples of class k and d_k decisions for it. It is 0 where all examples, or all
// decisions, are of one class. With two classes it is Matthews' coefficient.
func (m *margins) mcc() float64 {
	n := float64(m.n)
	cov, truth, decided := n*float64(m.hits), n*n, n*n
	for k := range m.truth {
		t, d := float64(m.truth[k]), float64(m.decided[k])
		cov -= t * d
		truth -= t * t
		decided -= d * d
	}
	if truth == 0 || decided == 0 {
		return 0
	}
	return cov / math.Sqrt(truth) / math.Sqrt(decided)
}

// jackknife estimates f with the standard error
//
//	sqrt((n-1)/n sum_i (f_i - mean f_i)^2)
//
// where f_i is f without example i (B. Efron, C. Stein, Ann. Statist. 9 (1981) 586). Examples in the same cell have the
// same f_i, so that it takes one evaluation per occupied cell.
func (c Confusion) jackknife(f func(*margins) float64) measure.Estimate {
	m := c.margins()
	e := measure.Estimate{Value: f(m), StandardError: math.NaN(), N: m.n}
	if m.n < 2 {
		return e
	}
	n := float64(m.n)
	var sum, squares float64 // of f_i - f, which is small, so that the squares lose no digits
	for k, row := range c {
		for l, count := range row {
			if count == 0 {
				continue
			}
			m.add(k, l, -1)
			d := f(m) - e.Value
			m.add(k, l, 1)
			sum += float64(count) * d
			squares += float64(count) * d * d
		}
	}
	e.StandardError = math.Sqrt((n - 1) / n * max(0, squares-sum*sum/n))
	return e
}
