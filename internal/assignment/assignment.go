// Package assignment solves the linear assignment problem.
package assignment

import (
	"context"
	"fmt"
	"math"
)

// Assignment gives each row of a square matrix of costs a column of its own so that the sum of the costs is least. The prices
// prove it: cost[i][j] >= RowPrice[i] + ColumnPrice[j], with equality where j is the column of i.
type Assignment struct {
	Column                []int // of each row
	RowPrice, ColumnPrice []float64
}

// mostCost bounds the costs, so that no price or reduced cost overflows.
const mostCost = 1e300

// Solve solves the problem for n rows of n costs from -1e300 to 1e300, row-major, in O(n³) (Jonker and Volgenant, A shortest augmenting path
// algorithm for dense and sparse linear assignment problems, 1987, by their LAPJV): columns, last to first, take their cheapest
// row; two rounds of bids of the free rows leave few without a column; for each of these the shortest path of reduced costs to
// a free column is found, which takes turns between rows and their columns, and everyone on it moves one column on.
func Solve(ctx context.Context, n int, cost []float64) (*Assignment, error) {
	if n < 1 || len(cost) != n*n {
		return nil, fmt.Errorf("%d costs for %d rows, expected as many columns", len(cost), n)
	}
	for k, c := range cost {
		if !(math.Abs(c) <= mostCost) {
			return nil, fmt.Errorf("the cost of row %d and column %d is %v, expected a number from -%g to %[4]g", k/n, k%n, c, mostCost)
		}
	}
	s := solver{n: n, cost: cost, price: make([]float64, n), column: fill(n), row: fill(n)}
	free := s.reduceColumns()
	for range 2 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		free = s.bid(free)
	}
	s.least, s.before, s.queue = make([]float64, n), make([]int, n), make([]int, n)
	for _, i := range free {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.augment(i)
	}
	a := &Assignment{Column: s.column, RowPrice: make([]float64, n), ColumnPrice: s.price}
	for i, j := range a.Column {
		a.RowPrice[i] = cost[i*n+j] - s.price[j]
	}
	return a, nil
}

type solver struct {
	n           int
	cost        []float64
	price       []float64 // of each column
	column, row []int     // partners, -1 for none
	least       []float64 // length of the shortest path found to each column
	before      []int     // the row before the column on it
	queue       []int     // columns: those done, those at the least length, the rest
}

func fill(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = -1
	}
	return v
}

// reduceColumns prices each column at its least cost and gives it to the row there if that is free; then a row lowers the price
// of its column as far as it would still choose it. It returns the rows without a column.
func (s *solver) reduceColumns() (free []int) {
	n := s.n
	wins := make([]int, n)
	for j := n - 1; j >= 0; j-- {
		best := 0
		for i := 1; i < n; i++ {
			if s.cost[i*n+j] < s.cost[best*n+j] {
				best = i
			}
		}
		s.price[j] = s.cost[best*n+j]
		if wins[best]++; wins[best] == 1 {
			s.column[best], s.row[j] = j, best
		}
	}
	for i := range n {
		switch wins[i] {
		case 0:
			free = append(free, i)
		case 1:
			second := math.Inf(1)
			for j, c := range s.cost[i*n : (i+1)*n] {
				if j != s.column[i] {
					second = min(second, c-s.price[j])
				}
			}
			if n > 1 {
				s.price[s.column[i]] -= second
			}
		}
	}
	return free
}

// mostBids is how many bids a row makes in a round on average, at most: with real costs, price wars over little are longer than
// a search for paths.
const mostBids = 10

// bid lets each free row take its cheapest column at the price at which the second cheapest costs as much. The row that had it is
// free now: it bids next if the price fell, or else in the next round.
func (s *solver) bid(free []int) (still []int) {
	n := s.n
	bids := 0
	for k := 0; k < len(free); bids++ {
		i := free[k]
		k++
		j1, j2 := -1, -1
		u1, u2 := math.Inf(1), math.Inf(1)
		for j, c := range s.cost[i*n : (i+1)*n] {
			switch h := c - s.price[j]; {
			case h < u1:
				u1, u2, j1, j2 = h, u1, j, j1
			case h < u2:
				u2, j2 = h, j
			}
		}
		loser := s.row[j1]
		// A fall too small for the precision of the price would go on for ever.
		fell := j2 >= 0 && s.price[j1]-(u2-u1) < s.price[j1]
		switch {
		case fell:
			s.price[j1] -= u2 - u1
		case loser >= 0 && j2 >= 0:
			j1 = j2
			loser = s.row[j1]
		}
		s.column[i], s.row[j1] = j1, i
		if loser < 0 {
			continue
		}
		s.column[loser] = -1
		if fell && bids < mostBids*n {
			k--
			free[k] = loser
		} else {
			still = append(still, loser)
		}
	}
	return still
}

// augment gives row free a column by the shortest path to a column without a row.
func (s *solver) augment(free int) {
	n := s.n
	for j, c := range s.cost[free*n : (free+1)*n] {
		s.least[j], s.before[j], s.queue[j] = c-s.price[j], free, j
	}
	done, same := 0, 0 // queue[:done] is done, queue[done:same] is at the length reach
	reach := 0.0
	end := -1
	for end < 0 {
		if done == same {
			reach = s.least[s.queue[same]]
			first := same
			for k := first; k < n; k++ {
				j := s.queue[k]
				if s.least[j] > reach {
					continue
				}
				if s.least[j] < reach {
					same, reach = first, s.least[j]
				}
				s.queue[k], s.queue[same] = s.queue[same], j
				same++
			}
			for _, j := range s.queue[first:same] {
				if s.row[j] < 0 {
					end = j
					break
				}
			}
			if end >= 0 {
				break
			}
		}
		j1 := s.queue[done]
		done++
		i := s.row[j1]
		row := s.cost[i*n : (i+1)*n]
		back := row[j1] - s.price[j1] - reach
		for k := same; k < n; k++ {
			j := s.queue[k]
			length := row[j] - s.price[j] - back
			if length >= s.least[j] {
				continue
			}
			s.least[j], s.before[j] = length, i
			if length <= reach {
				if s.row[j] < 0 {
					end = j
					break
				}
				s.queue[k], s.queue[same] = s.queue[same], j
				same++
			}
		}
	}
	for _, j := range s.queue[:done] {
		if d := s.least[j] - reach; d < 0 {
			s.price[j] += d
		}
	}
	for j := end; ; {
		i := s.before[j]
		s.row[j] = i
		s.column[i], j = j, s.column[i]
		if i == free {
			return
		}
	}
}
