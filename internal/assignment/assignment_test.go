package assignment

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The prices prove that no other assignment costs less: whatever it is, its cost is at least the sum of all prices.
func TestPricesProveTheAssignment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		cost := make([]float64, n*n)
		most := rapid.SampledFrom([]float64{1, 3, 1000}).Draw(t, "most")
		whole := rapid.Bool().Draw(t, "whole numbers")
		for i := range cost {
			if cost[i] = rapid.Float64Range(-most, most).Draw(t, "cost"); whole {
				cost[i] = math.Round(cost[i])
			}
		}
		a, err := Solve(context.Background(), n, cost)
		if err != nil {
			t.Fatal(err)
		}
		seen := make([]bool, n)
		tol := 1e-12 * most * float64(n)
		for i, c := range a.Column {
			if seen[c] {
				t.Fatalf("column %d is given twice: %v", c, a.Column)
			}
			seen[c] = true
			for j := range n {
				reduced := cost[i*n+j] - a.RowPrice[i] - a.ColumnPrice[j]
				if !(reduced >= -tol) || j == c && !(reduced <= tol) {
					t.Fatalf("row %d and column %d have the reduced cost %v (column of the row: %d)", i, j, reduced, c)
				}
			}
		}
	})
}

func TestRefuses(t *testing.T) {
	for _, cost := range [][]float64{nil, {1, 2, 3}, {1, 2, 3, math.NaN()}, {1, 2, 3, math.Inf(1)}, {1e308, -1e308, 1e308, -1e308}} {
		if _, err := Solve(context.Background(), 2, cost); err == nil {
			t.Errorf("no error for the costs %v", cost)
		}
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Solve(done, 2, []float64{1, 1, 1, 1}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}
