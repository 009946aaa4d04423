package generative

import "math"

// assign gives each row of a square matrix of costs a column of its own so that the sum of the costs is least: the Hungarian
// method by shortest augmenting paths, O(n³) (Jonker and Volgenant, A shortest augmenting path algorithm for dense and sparse
// linear assignment problems, 1987, without their initialisation).
//
// Prices of rows and columns keep cost − row price − column price at 0 for what is assigned and at least 0 elsewhere. Each
// row in turn finds the path of least reduced cost to a free column, which takes turns between rows and their columns, and
// everyone on it moves one column on.
//
// internal/assignment solves the same problem. Of assignments that cost the same, as where examples are equal, it chooses others, and so
// would change what a seed trains.
func assign(cost [][]float64) []int {
	n := len(cost)
	rowPrice, columnPrice := make([]float64, n), make([]float64, n+1)
	owner := make([]int, n+1) // of each column, −1 for none; column n is where a row without one starts
	for j := range owner {
		owner[j] = -1
	}
	for row := range n {
		least, before, done := make([]float64, n), make([]int, n), make([]bool, n+1)
		for j := range least {
			least[j] = math.Inf(1)
		}
		at := n
		owner[n] = row
		for owner[at] >= 0 {
			done[at] = true
			i := owner[at]
			nearest, step := -1, math.Inf(1)
			for j := range n {
				if done[j] {
					continue
				}
				if reduced := cost[i][j] - rowPrice[i] - columnPrice[j]; reduced < least[j] {
					least[j], before[j] = reduced, at
				}
				if least[j] < step || nearest < 0 {
					nearest, step = j, least[j]
				}
			}
			for j := range n + 1 {
				switch {
				case done[j]:
					rowPrice[owner[j]] += step
					columnPrice[j] -= step
				case j < n:
					least[j] -= step
				}
			}
			at = nearest
		}
		for at != n {
			owner[at] = owner[before[at]]
			at = before[at]
		}
		owner[n] = -1
		columnPrice[n] = 0
	}
	columns := make([]int, n)
	for j, i := range owner[:n] {
		columns[i] = j
	}
	return columns
}
