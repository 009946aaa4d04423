package discriminative

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// stepsGolden is ten training steps of a classifier in PyTorch (make_steps.py).
type stepsGolden struct {
	Optimiser struct {
		Name  string
		LR    float64
		Betas [2]float64
		Eps   float64
	}
	Parameters []goldenArray // in the order of the layers
	X          goldenArray   // [10, 8, ...]
	Labels     [][]int32     // [10][8]
	Losses     struct{ Loss []float64 }
	Final      []struct {
		Name         string
		Sum          float64
		SumOfSquares float64 `json:"sum_of_squares"`
	}
	FinalLogits goldenArray `json:"final_logits"`
}

// TestStepsOfMLP and the tests after it train by the code that a fit uses: the recipe's own network, loss and optimiser.
func TestStepsOfMLP(t *testing.T) {
	recipe := model.NewRecipe[MLP]()
	recipe.Hidden, recipe.Dropout, recipe.Decay = []int{16, 12}, 0, 0
	checkSteps(t, "steps_mlp.json", recipe.fitting(), data.RowShape(20), 5)
}

func TestStepsOfCNN(t *testing.T) {
	for file, batchNorm := range map[string]bool{"steps_cnn.json": false, "steps_cnn_batchnorm.json": true} {
		recipe := model.NewRecipe[CNN]()
		recipe.Channels, recipe.Depth, recipe.Dense, recipe.BatchNorm = []int{4, 6}, 1, []int{16}, batchNorm
		recipe.Dropout, recipe.Decay = 0, 0
		checkSteps(t, file, recipe.fitting(), data.Shape{Height: 8, Width: 8, Channels: 1}, 3)
	}
}

func checkSteps(t *testing.T, file string, f fitting, shape data.Shape, classes int) {
	var golden stepsGolden
	readGolden(t, file, &golden)
	for _, backend := range []string{"cpu", "reference"} {
		t.Run(file+"/"+backend, func(t *testing.T) { golden.check(t, f, backend, shape, classes) })
	}
}

// check takes the ten steps and compares losses, parameters, and the answers of the network afterwards.
func (golden *stepsGolden) check(t *testing.T, f fitting, name string, shape data.Shape, classes int) {
	const tol = 1e-6 // the losses of PyTorch in float32 and in float64 differ by up to 3e-7
	net, err := f.build(shape, classes)
	if err != nil {
		t.Fatal(err)
	}
	phase := f.phase(net)
	adam, o := phase.Optimiser.(nn.Adam), golden.Optimiser
	if o.Name != "adam" || adam.Beta1 != o.Betas[0] || adam.Beta2 != o.Betas[1] || adam.Epsilon != o.Eps {
		t.Fatalf("the golden's optimiser is %+v, expected that of a fit, %+v", o, adam)
	}
	vars := golden.start(t, phase)
	backend, err := train.Backend(name, 2)
	if err != nil {
		t.Fatal(err)
	}
	n := len(golden.Labels[0])
	step := compile(t, backend, vars, func(g *tensor.Graph) {
		b := &train.Batch{
			X: g.Input("x", tensor.Float32, append([]int{n}, shape.Dims()...)...), Y: g.Input("y", tensor.Int32, n),
			Mode: &nn.Mode{Training: true, Noise: &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)}},
		}
		loss := phase.Loss(b).Value
		g.Output("loss", loss)
		learned := phase.Params.Trainable()
		grads := tensor.Gradient(loss, learned.Nodes(g)...)
		phase.Optimiser.Update(learned, grads, g.Input("hyper", tensor.Float32, phase.Optimiser.HyperLen()))
		b.Mode.Finish()
	})
	x, size := golden.X.values(), n*shape.Size()
	for i, want := range golden.Losses.Loss {
		copy(step.Input("x").F32, x[i*size:(i+1)*size])
		copy(step.Input("y").I32, golden.Labels[i])
		phase.Optimiser.Hyper(step.Input("hyper").F32, i+1, golden.Optimiser.LR)
		if err := step.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("loss %d", i), float64(step.Output("loss").F32[0]), want, tol*want)
	}

	// The running statistics come last in the golden file and after each layer's parameters here.
	order := slices.Concat(phase.Params.Trainable(), slices.DeleteFunc(slices.Clone(phase.Params), func(p *nn.Param) bool { return !p.Fixed }))
	if len(order) != len(golden.Final) {
		t.Fatalf("%d arrays, expected %d", len(order), len(golden.Final))
	}
	for i, want := range golden.Final {
		sum, squares := 0.0, 0.0
		values := vars[order[i].Name].F32
		for _, v := range values {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		room := tol * math.Sqrt(float64(len(values))) // rounding errors of the elements, independent of each other
		near(t, "sum of "+want.Name, sum, want.Sum, room)
		near(t, "sum of squares of "+want.Name, squares, want.SumOfSquares, room)
	}

	predict := compile(t, backend, vars, func(g *tensor.Graph) {
		g.Output("logits", logitsOf(net, g.Input("x", tensor.Float32, append([]int{n}, shape.Dims()...)...), &nn.Mode{}))
	})
	copy(predict.Input("x").F32, x[:size])
	if err := predict.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range golden.FinalLogits.values() {
		near(t, fmt.Sprintf("logit %d", i), float64(predict.Output("logits").F32[i]), float64(want), tol)
	}
}

// start is the golden's initial parameters and the optimiser's initial state.
func (golden *stepsGolden) start(t *testing.T, phase train.Phase) tensor.Vars {
	t.Helper()
	vars := phase.Params.Init(1)
	learned := phase.Params.Trainable()
	if len(learned) != len(golden.Parameters) {
		t.Fatalf("%d parameters, expected %d", len(learned), len(golden.Parameters))
	}
	for i, p := range learned {
		if want := golden.Parameters[i]; !slices.Equal(p.Dims, want.Shape) {
			t.Fatalf("parameter %s is %v, expected that of %s, %v", p.Name, p.Dims, want.Name, want.Shape)
		}
		copy(vars[p.Name].F32, golden.Parameters[i].values())
	}
	for name, a := range phase.Optimiser.State(learned).Init(1) {
		vars[name] = a
	}
	return vars
}

func compile(t *testing.T, backend tensor.Backend, vars tensor.Vars, build func(g *tensor.Graph)) tensor.Executable {
	t.Helper()
	program, err := tensor.Build(build)
	if err != nil {
		t.Fatal(err)
	}
	e, err := backend.Compile(program, vars)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
