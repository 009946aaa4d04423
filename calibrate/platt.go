package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// Platt is the map of Platt scaling on log-odds,
//
//	q_k = σ(a_k f_k + b_k),   σ(z) = 1/(1 + e^-z),   p(k) = q_k / Σ_j q_j
//
// and with two classes p(1) = q_1, p(0) = 1 - q_1. (J. Platt, Probabilistic outputs for support vector machines, 1999, equation 2,
// with A = -a and B = -b; one class against the rest by B. Zadrozny, C. Elkan, KDD 2002, section 4.)
type Platt struct {
	slope, intercept []float64 // a and b of each function
}

// NewPlatt returns the map with the given a and b: of class 1 where there are two classes, else of each class.
func NewPlatt(slope, intercept []float64) (*Platt, error) {
	if len(slope) == 0 || len(slope) == 2 || len(slope) != len(intercept) {
		return nil, fmt.Errorf("%d slopes and %d intercepts, expected one each for two classes, else one each for every class", len(slope), len(intercept))
	}
	for _, v := range slices.Concat(slope, intercept) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("slopes %v and intercepts %v, expected finite numbers", slope, intercept)
		}
	}
	return &Platt{slices.Clone(slope), slices.Clone(intercept)}, nil
}

// Slope is a of each function.
func (m *Platt) Slope() []float64 { return slices.Clone(m.slope) }

// Intercept is b of each function.
func (m *Platt) Intercept() []float64 { return slices.Clone(m.intercept) }

func (*Platt) Method() Method { return PlattScaling }

func (m *Platt) String() string {
	if len(m.slope) == 1 {
		return fmt.Sprintf("platt, a = %.4g and b = %.4g", m.slope[0], m.intercept[0])
	}
	return fmt.Sprintf("platt, a from %.4g to %.4g", floats.Min(m.slope), floats.Max(m.slope))
}

func (m *Platt) Apply(logPosterior []float64, classes int) error {
	if err := check(logPosterior, classes); err != nil {
		return err
	}
	if len(m.slope) != functions(classes) {
		return fmt.Errorf("%d sigmoids for %d classes, expected %d", len(m.slope), classes, functions(classes))
	}
	odds := make([]float64, len(m.slope))
	for row := range slices.Chunk(logPosterior, classes) {
		logOdds(odds, row)
		if classes == 2 {
			z := m.slope[0]*odds[0] + m.intercept[0]
			row[0], row[1] = -softplus(z), -softplus(-z)
			continue
		}
		for k, f := range odds {
			row[k] = -softplus(-(m.slope[k]*f + m.intercept[k]))
		}
		floats.AddConst(-floats.LogSumExp(row), row)
	}
	return nil
}

// softplus is log(1 + e^z) = -log σ(-z).
func softplus(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }

// sigmoid is σ(z).
func sigmoid(z float64) float64 {
	if e := math.Exp(-math.Abs(z)); z < 0 {
		return e / (1 + e)
	} else {
		return 1 / (1 + e)
	}
}

func fitPlatt(ctx context.Context, logPosterior []float64, y []int32, classes int) (Map, error) {
	odds, positive := columns(logPosterior, y, classes)
	slope, intercept := make([]float64, len(odds)), make([]float64, len(odds))
	for j := range odds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		slope[j], intercept[j] = fitSigmoid(odds[j], positive[j])
	}
	return NewPlatt(slope, intercept)
}

// fitSigmoid finds a and b that minimise the cross-entropy
//
//	Σ_i -t_i log σ(z_i) - (1-t_i) log(1-σ(z_i)),   z_i = a f_i + b
//
// against Platt's targets, t = (m+1)/(m+2) for the m positives and 1/(n+2) for the n others (section 2.2): they keep a finite where
// the scores separate the two. It is Newton's method with backtracking (H.-T. Lin, C.-J. Lin, R. Weng, A note on Platt's
// probabilistic outputs for support vector machines, Machine Learning 68, 2007), in standardised scores, for conditioning. Scores
// that are all equal, but for rounding, get a = 0.
func fitSigmoid(score []float64, positive []bool) (a, b float64) {
	n := float64(len(score))
	mean, sd := stat.PopMeanStdDev(score, nil)
	m := 0.0
	for _, p := range positive {
		if p {
			m++
		}
	}
	target := func(i int) float64 {
		if positive[i] {
			return (m + 1) / (m + 2)
		}
		return 1 / (n - m + 2)
	}
	share := (m*(m+1)/(m+2) + (n-m)/(n-m+2)) / n // the mean target
	b = math.Log(share / (1 - share))
	if !(sd > rounding) {
		return 0, b
	}

	type point struct {
		a, b, loss    float64
		ga, gb        float64 // the gradient
		haa, hab, hbb float64 // the Hessian
	}
	at := func(a, b float64) (p point) {
		p.a, p.b = a, b
		for i, s := range score {
			f, t := (s-mean)/sd, target(i)
			z := a*f + b
			q := sigmoid(z)
			p.loss += t*softplus(-z) + (1-t)*softplus(z)
			p.ga += (q - t) * f
			p.gb += q - t
			w := q * (1 - q)
			p.haa += w * f * f
			p.hab += w * f
			p.hbb += w
		}
		return p
	}
	now := at(0, b)
	for range 100 { // about ten do
		ridge := 1e-12 * (now.haa + now.hbb) // the Hessian may be singular to rounding
		haa, hbb := now.haa+ridge, now.hbb+ridge
		det := haa*hbb - now.hab*now.hab
		da, db := (now.hab*now.gb-hbb*now.ga)/det, (now.hab*now.ga-haa*now.gb)/det
		next, ok := now, false
		for step := 1.0; step > 1e-10 && !ok; step /= 2 {
			next = at(now.a+step*da, now.b+step*db)
			enough := next.loss <= now.loss+1e-4*step*(now.ga*da+now.gb*db)
			// Near the minimum the decrease drowns in rounding, while the gradient still has digits.
			level := math.Abs(next.loss-now.loss) <= 1e-13*now.loss && math.Hypot(next.ga, next.gb) < math.Hypot(now.ga, now.gb)
			ok = enough && next.loss < now.loss || level
		}
		if !ok {
			break
		}
		now = next
	}
	return now.a / sd, now.b - now.a*mean/sd
}
