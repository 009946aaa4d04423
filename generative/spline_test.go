package generative

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// splinePoints are places of m elements under random parameters: everywhere, in the tails, at the ends of the interval, and
// on the edges of bins, with their neighbours among float32 numbers.
func splinePoints(t *testing.T, g spline, m int) (params, x []float32) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	params, x = make([]float32, m*g.width()), make([]float32, m)
	for i := range params {
		params[i] = float32(3 * r.NormFloat64())
	}
	b := compiled(t, cpu.New(1), nil, func(gr *tensor.Graph) {
		gr.Output("x", g.knots(gr.Input("params", tensor.Float32, 1, m*g.width())).x)
	})
	copy(b.Input("params").F32, params)
	runExact(t, b)
	knots := b.Output("x").F32
	for i := range x {
		edge := knots[i*g.bins+r.IntN(g.bins)]
		switch i % 5 {
		case 0, 1:
			x[i] = float32(2 * g.tail * (2*r.Float64() - 1))
		case 2:
			x[i] = edge
		case 3:
			x[i] = math.Nextafter32(edge, float32(math.Inf(1-2*r.IntN(2))))
		case 4:
			x[i] = []float32{float32(g.tail), -float32(g.tail), math.Nextafter32(float32(g.tail), 0), 1000, -1e30}[r.IntN(5)]
		}
	}
	return params, x
}

// TestSplineInverse goes to y and back in float32. What y's rounding costs in x is its size over the slope, and slopes are as
// small as leastSlope: so the way back to y is held to 1e-4, and that to x where the slope is at least 0.1.
func TestSplineInverse(t *testing.T) {
	const m = 20_000
	for _, g := range []spline{{8, 4}, {2, 3}, {40, 5}} {
		params, x := splinePoints(t, g, m)
		e := compiled(t, cpu.New(1), nil, func(gr *tensor.Graph) {
			in, p := gr.Input("x", tensor.Float32, 1, m), gr.Input("params", tensor.Float32, 1, m*g.width())
			y, logSlope := g.forward(in, p)
			back := g.inverse(y, p)
			again, _ := g.forward(back, p)
			gr.Output("y", y)
			gr.Output("log_slope", logSlope)
			gr.Output("x", back)
			gr.Output("again", again)
		})
		copy(e.Input("x").F32, x)
		copy(e.Input("params").F32, params)
		runExact(t, e)
		y, logSlope, back, again := e.Output("y").F32, e.Output("log_slope").F32, e.Output("x").F32, e.Output("again").F32
		for i, v := range x {
			if math.Abs(float64(v)) >= g.tail {
				if y[i] != v || back[i] != v || logSlope[i] != 0 {
					t.Fatalf("%v: x = %v in the tail became %v with log slope %v, and back %v", g, v, y[i], logSlope[i], back[i])
				}
				continue
			}
			slope := math.Exp(float64(logSlope[i]))
			if !(math.Abs(float64(again[i]-y[i])) <= 1e-4) || slope >= 0.1 && !(math.Abs(float64(back[i]-v)) <= 1e-4) {
				t.Fatalf("%v: x = %v became %v with slope %v, back %v, and again %v", g, v, y[i], slope, back[i], again[i])
			}
		}
	}
}

// TestSplineSlope compares the log slope with central differences in float64, inside the bins and on both sides of their edges.
func TestSplineSlope(t *testing.T) {
	const m, step = 2000, 1e-8
	g := spline{8, 4}
	params, x := splinePoints(t, g, m)
	e := exact(t, nil, func(gr *tensor.Graph) {
		y, logSlope := g.forward(exactInput(gr, "x", 1, m), gr.Input("params", tensor.Float32, 1, m*g.width()))
		exactOutput(gr, "y", y)
		exactOutput(gr, "log_slope", logSlope)
	})
	copy(e.Input("params").F32, params)
	at := func(shift float64) (y, logSlope []float64) {
		for i, v := range x {
			e.Input("x").F64[i] = float64(v) + shift
		}
		runExact(t, e)
		return append([]float64{}, e.Output("y").F64...), append([]float64{}, e.Output("log_slope").F64...)
	}
	low, _ := at(-step)
	high, _ := at(step)
	_, logSlope := at(0)
	for i, v := range x {
		if a := math.Abs(float64(v)); a > 2*g.tail || math.Abs(a-g.tail) <= step {
			continue // far numbers have no digits left; at the ends the widths sum to the interval up to rounding
		}
		want := (high[i] - low[i]) / (2 * step)
		if got := math.Exp(logSlope[i]); !(math.Abs(got-want) <= 1e-3*(1+want)) {
			t.Fatalf("slope at %v is %v, by differences %v", v, got, want)
		}
	}
}

// TestSplineIdentity: zeros are the identity.
func TestSplineIdentity(t *testing.T) {
	g := spline{8, 4}
	const m = 1000
	e := exact(t, nil, func(gr *tensor.Graph) {
		y, logSlope := g.forward(exactInput(gr, "x", 1, m), gr.Input("params", tensor.Float32, 1, m*g.width()))
		exactOutput(gr, "y", y)
		exactOutput(gr, "log_slope", logSlope)
	})
	for i := range m {
		e.Input("x").F64[i] = -5 + 10*float64(i)/m
	}
	runExact(t, e)
	for i, y := range e.Output("y").F64 {
		if x, l := e.Input("x").F64[i], e.Output("log_slope").F64[i]; !(math.Abs(y-x) <= 1e-8 && math.Abs(l) <= 1e-8) {
			t.Fatalf("x = %v became %v with log slope %v", x, y, l)
		}
	}
}
