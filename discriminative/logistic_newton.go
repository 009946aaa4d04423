package discriminative

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// L-BFGS compares values of the loss, and near the minimum their differences drown in rounding errors while the gradient
// still has digits: on the digits it gets no further than partial derivatives of 5e−11, at which the flattest coefficients,
// of pixels that few pictures have, have three digits. Newton's method needs the gradient alone.

// polishWork bounds the polish, in multiplications for the functions h of all examples: some seconds.
const polishWork = 1e10

// polish improves a minimum by Newton steps θ ← θ − H⁻¹g as long as they make the greatest partial derivative smaller.
func (l *logisticLoss) polish(ctx context.Context, theta []float64) []float64 {
	work := float64(l.x.Len()) * float64(l.dim())
	left := int(min(polishWork/max(work, 1), 4000)) // evaluations of the gradient
	steepest := math.Inf(1)
	for {
		g := slices.Clone(l.at(ctx, theta).gradient)
		now := floats.Norm(g, math.Inf(1))
		if !(now < steepest/2) || left <= 0 {
			return theta
		}
		steepest = now
		step := l.solveHessian(ctx, theta, g, &left)
		next := slices.Clone(theta)
		floats.Sub(next, step)
		if ctx.Err() != nil || !(floats.Norm(l.at(ctx, next).gradient, math.Inf(1)) < now) {
			return theta
		}
		theta = next
	}
}

// solveHessian is H⁻¹g by the method of conjugate gradients (Hestenes and Stiefel, 1952), to a residual of 1e−8 of g or
// until left evaluations of the gradient are spent. The Hessian of a softmax is singular along equal changes of all
// intercepts, which g has no part in and the method never leaves.
func (l *logisticLoss) solveHessian(ctx context.Context, theta, g []float64, left *int) []float64 {
	x := make([]float64, len(g))
	r, d := slices.Clone(g), slices.Clone(g)
	rr := floats.Dot(r, r)
	for target := rr * 1e-16; rr > target && *left > 0 && ctx.Err() == nil; *left -= 2 {
		h := l.hessianTimes(ctx, theta, d)
		curvature := floats.Dot(d, h)
		if !(curvature > 0) {
			break
		}
		floats.AddScaled(x, rr/curvature, d)
		floats.AddScaled(r, -rr/curvature, h)
		next := floats.Dot(r, r)
		floats.Scale(next/rr, d)
		floats.Add(d, r)
		rr = next
	}
	return x
}

// hessianTimes is H d by the central difference (g(θ+εd) − g(θ−εd))/2ε, where ε moves no coefficient by more than 1e−4: a
// relative error of some 1e−8, which costs a Newton step no more than that share of its way.
func (l *logisticLoss) hessianTimes(ctx context.Context, theta, d []float64) []float64 {
	epsilon := 1e-4 / floats.Norm(d, math.Inf(1))
	at := slices.Clone(theta)
	floats.AddScaled(at, epsilon, d)
	h := slices.Clone(l.at(ctx, at).gradient)
	floats.AddScaled(at, -2*epsilon, d)
	floats.Sub(h, l.at(ctx, at).gradient)
	floats.Scale(1/(2*epsilon), h)
	return h
}
