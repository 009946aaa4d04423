package data

import (
	"context"
	"math"
)

// ColumnStats sums up one column of a table. The moments of a categorical column, and of one without any value, are 0.
type ColumnStats struct {
	Column
	Missing int     `json:"missing"`
	Mean    float64 `json:"mean"`
	SD      float64 `json:"sd"` // the maximum-likelihood one, divided by n
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
}

// moments accumulates mean and variance in one pass, by Welford's update:
//
//	d = x - mean;  mean += d/n;  m2 += d (x - mean)
//
// which loses no digits where the mean is large beside the deviation. (B. P. Welford, Technometrics 4 (1962) 419.)
type moments struct {
	missing   int
	count     int
	mean, m2  float64
	low, high float64
}

func (m *moments) add(v float32) {
	if v != v {
		m.missing++
		return
	}
	x := float64(v)
	if m.count == 0 {
		m.low, m.high = x, x
	}
	m.low, m.high = min(m.low, x), max(m.high, x)
	m.count++
	d := x - m.mean
	m.mean += d / float64(m.count)
	m.m2 += d * (x - m.mean)
}

func (m *moments) sd() float64 {
	if m.count == 0 {
		return 0
	}
	return math.Sqrt(m.m2 / float64(m.count))
}

// columnStats reads the whole of s and accumulates each column.
func columnStats(ctx context.Context, s Set) ([]moments, error) {
	stats := make([]moments, s.Schema().Size())
	err := Each(ctx, s, func(_ int, b Batch) error {
		for i := range b.Len() {
			for j, v := range b.Row(i) {
				stats[j].add(v)
			}
		}
		return nil
	})
	return stats, err
}
