package generative

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// TestGameOptima: where D is at its optimum for two distributions over five points, the discriminator's loss is what its doc
// comment says of their divergence. The wasserstein loss is linear; its optimum is the transport on a line.
func TestGameOptima(t *testing.T) {
	p := []float64{0.1, 0.2, 0.3, 0.4, 0}
	q := []float64{0.3, 0.1, 0.1, 0.2, 0.3}
	js, tv, chi, w1 := 0.0, 0.0, 0.0, 0.0
	for i := range p {
		m := (p[i] + q[i]) / 2
		if p[i] > 0 {
			js += p[i] * math.Log(p[i]/m) / 2
		}
		js += q[i] * math.Log(q[i]/m) / 2
		tv += math.Abs(p[i]-q[i]) / 2
		chi += (p[i] - q[i]) * (p[i] - q[i]) / (p[i] + q[i]) // of p+q from 2q
	}
	potential := make([]float64, len(p)) // Kantorovich's, of slope ±1: it falls where p has more mass behind
	for i, more := 0, 0.0; i+1 < len(p); i++ {
		more += p[i] - q[i]
		w1 += math.Abs(more)
		potential[i+1] = potential[i] - math.Copysign(1, more)
	}
	for _, c := range []struct {
		name      string
		game      game
		best      func(i int) float64
		of        string
		generator bool
		want      float64
	}{
		{"nonsaturating", nonSaturating, func(i int) float64 { return max(-30, math.Log(p[i]/q[i])) }, "2 log 2 − 2 JS", false, 2*math.Ln2 - 2*js},
		{"hinge", hinge, func(i int) float64 { return math.Copysign(1, p[i]-q[i]) }, "2 − 2 TV", false, 2 - 2*tv},
		{"leastsquares", leastSquares, func(i int) float64 { return (p[i] - q[i]) / (p[i] + q[i]) }, "½χ²", true, chi / 2},
		{"wasserstein", wasserstein, func(i int) float64 { return potential[i] }, "−W₁", false, -w1},
	} {
		// Each distribution is 10 pictures, as often as their shares say.
		var real, fake []float32
		for i := range p {
			for range int(math.Round(10 * p[i])) {
				real = append(real, float32(c.best(i)))
			}
			for range int(math.Round(10 * q[i])) {
				fake = append(fake, float32(c.best(i)))
			}
		}
		e := onReference(t, nil, func(g *tensor.Graph) {
			a, b := g.Input("a", tensor.Float32, 10, 1), g.Input("b", tensor.Float32, 10, 1)
			if c.generator { // the same with x in place of G(z) completes it
				g.Output("loss", tensor.Add(c.game.generator(nil, b), c.game.generator(nil, a)))
			} else {
				g.Output("loss", c.game.discriminator(a, b))
			}
		})
		copy(e.Input("a").F32, real)
		copy(e.Input("b").F32, fake)
		if err := e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := float64(e.Output("loss").F32[0]); !(math.Abs(got-c.want) <= 1e-6*max(1, c.want)) {
			t.Errorf("%s: the loss is %v, expected %s = %v", c.name, got, c.of, c.want)
		}
	}
}

// onReference is a program on the reference backend.
func onReference(t *testing.T, vars tensor.Vars, build func(g *tensor.Graph)) tensor.Executable {
	t.Helper()
	prog, err := tensor.Build(build)
	if err != nil {
		t.Fatal(err)
	}
	e, err := reference.New().Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPenalties compares both penalties with central differences of logits, picture by picture and pixel by pixel, and their
// gradients by the discriminator's parameters with central differences of the penalties.
func TestPenalties(t *testing.T) {
	const n, pixels, step = 3, 36, 1e-2
	shape := data.Shape{Height: 6, Width: 6, Channels: 1}
	for name, net := range map[string]*adversaries{
		"dcgan": newDCGAN(2, 3, 4, shape, traits{}), "resnet": newResNet(2, 3, 4, shape, traits{}),
	} {
		params := nn.Collect(net)
		vars := params.Init(5)
		r := rand.New(rand.NewPCG(6, 7))
		for _, p := range params { // zeros would hide half of a block
			for i := range vars[p.Name].F32 {
				vars[p.Name].F32[i] = float32(0.4 * r.NormFloat64())
			}
		}
		learned := params.Under("discriminator").Trainable()
		e := onReference(t, vars, func(g *tensor.Graph) {
			mode := &nn.Mode{Training: true}
			in := func(name string) *tensor.Node { return g.Input(name, tensor.Float32, n, 6, 6, 1) }
			s := net.look(in("real"), in("fake"), nil, g.Input("share", tensor.Float32, n, 1, 1, 1), mode)
			for name, penalty := range map[string]*tensor.Node{"one": slopeOne(net, s, mode), "zero": slopeZero(net, s, mode)} {
				g.Output(name, penalty)
				for i, gradient := range tensor.Gradient(penalty, learned.Nodes(g)...) {
					g.Output(fmt.Sprint(name, i), gradient)
				}
			}
		})
		judge := onReference(t, vars, func(g *tensor.Graph) {
			g.Output("logit", net.Discriminator.judge(g.Input("x", tensor.Float32, n, 6, 6, 1), nil, &nn.Mode{Training: true}))
		})
		run := func(e tensor.Executable) {
			t.Helper()
			if err := e.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		real, fake, share := e.Input("real").F32, e.Input("fake").F32, e.Input("share").F32
		for i := range real {
			real[i], fake[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
		}
		mixed := make([]float32, len(real))
		for i := range share {
			share[i] = r.Float32()
			for j := i * pixels; j < (i+1)*pixels; j++ {
				mixed[j] = share[i]*real[j] + (1-share[i])*fake[j]
			}
		}
		run(e)
		// squares is ‖∇D‖² of each picture.
		squares := func(x []float32) []float64 {
			out := make([]float64, n)
			for j := range x {
				at := func(d float32) float64 {
					copy(judge.Input("x").F32, x)
					judge.Input("x").F32[j] += d
					run(judge)
					return float64(judge.Output("logit").F32[j/pixels])
				}
				slope := (at(step) - at(-step)) / (2 * step)
				out[j/pixels] += slope * slope
			}
			return out
		}
		one, zero := 0.0, 0.0
		onMixed, onReal, onFake := squares(mixed), squares(real), squares(fake)
		for i := range n {
			one += (math.Sqrt(onMixed[i]) - 1) * (math.Sqrt(onMixed[i]) - 1) / n
			zero += (onReal[i] + onFake[i]) / (2 * n)
		}
		for what, want := range map[string]float64{"one": one, "zero": zero} {
			// A difference across the kink of a leaky ReLU is wrong by its share of the step.
			if got := float64(e.Output(what).F32[0]); !(math.Abs(got-want) <= 0.02*want) {
				t.Errorf("%s: the penalty of slopes that are not %s is %v, expected %v", name, what, got, want)
			}
		}

		// Along a direction in all parameters at once, the second derivatives included.
		for _, what := range []string{"one", "zero"} {
			const small = 1e-4
			direction := make([][]float32, len(learned))
			run(e)
			got := 0.0
			for i, p := range learned {
				direction[i] = normals(len(vars[p.Name].F32), 1, r)
				for j, v := range e.Output(fmt.Sprint(what, i)).F32 {
					got += float64(v) * float64(direction[i][j])
				}
			}
			at := func(distance float32) float64 { // the penalty after a further move in the direction
				for i, p := range learned {
					for j, d := range direction[i] {
						vars[p.Name].F32[j] += distance * d
					}
				}
				run(e)
				return float64(e.Output(what).F32[0])
			}
			ahead, behind := at(small), at(-2*small)
			want := (ahead - behind) / (2 * small)
			at(small) // back
			if !(math.Abs(got-want) <= 0.02*math.Abs(want)) {
				t.Errorf("%s: the derivative of the penalty of slopes that are not %s is %v, expected %v", name, what, got, want)
			}
		}
	}
}

// TestVerdict compares the projection with its formula, (w + e_y)·φ + b.
func TestVerdict(t *testing.T) {
	const n, p, classes = 4, 5, 3
	v := traits{classes: classes, project: true}.verdict(p, nn.Normal(1))
	params := nn.Collect(&v)
	vars := params.Init(2)
	vars["dense.bias"].F32[0] = 0.5
	e := onReference(t, vars, func(g *tensor.Graph) {
		g.Output("logit", v.apply(g.Input("phi", tensor.Float32, n, p), g.Input("y", tensor.Int32, n), &nn.Mode{}))
	})
	phi, y := e.Input("phi").F32, e.Input("y").I32
	copy(phi, normals(n*p, 1, rand.New(rand.NewPCG(1, 2))))
	copy(y, []int32{2, 0, 2, 1})
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, got := range e.Output("logit").F32 {
		want := 0.5
		for j := range p {
			want += float64(vars["dense.weight"].F32[j]+vars["class"].F32[int(y[i])*p+j]) * float64(phi[i*p+j])
		}
		if !(math.Abs(float64(got)-want) <= 1e-5) {
			t.Errorf("picture %d has the logit %v, expected %v", i, got, want)
		}
	}
}
