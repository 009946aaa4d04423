package xla

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
	"github.com/likely-ml/likely/tensor/tensortest"
)

var update = flag.Bool("update", false, "write the golden texts anew")

// golden are small programs, one for each file of testdata. Their texts were compiled and run: device_test.go does so with every op.
var golden = map[string]func(g *tensor.Graph){
	"step": func(g *tensor.Graph) { // a dense layer with a squared error, and a step down its gradient
		x, y := g.Input("x", tensor.Float32, 8, 3), g.Input("y", tensor.Float32, 8, 2)
		w, b := g.Variable("w", tensor.Float32, 3, 2), g.Variable("b", tensor.Float32, 2)
		loss := tensor.Mean(tensor.Square(tensor.Sub(tensor.Add(tensor.MatMul(x, w), b), y)))
		for i, d := range tensor.Gradient(loss, w, b) {
			v := []*tensor.Node{w, b}[i]
			g.Update(v, tensor.Sub(v, tensor.MulScalar(d, 0.1)))
		}
		g.Output("loss", loss)
	},
	"convolution": func(g *tensor.Graph) { // with both gradients, and two groups for the first
		c := tensor.ConvGeometry{N: 2, Groups: 2, CI: 3, CO: 4}
		c.Axes = [2]tensor.ConvAxis{{In: 6, Kernel: 3, Out: 6, Stride: 1, Dilation: 1, Pad: 1}, {In: 7, Kernel: 3, Out: 4, Stride: 2, Dilation: 1, Pad: 1}}
		x, w := g.Input("x", tensor.Float32, c.XDims()...), g.Input("w", tensor.Float32, c.WDims()...)
		y := tensor.ConvY(c, x, w)
		d := tensor.Gradient(tensor.Sum(tensor.Square(y)), x, w)
		g.Output("dx", d[0])
		g.Output("dw", d[1])
	},
	"pooling": func(g *tensor.Graph) {
		x := g.Input("x", tensor.Float32, 2, 7, 5, 3)
		w := tensor.Pooling(x, 3, 2, 1)
		g.Output("greatest", tensor.MaxPool(w, x))
		g.Output("gradient", tensor.Gradient(tensor.Sum(tensor.SumPool(w, x)), x)[0])
	},
	"normal": func(g *tensor.Graph) {
		g.Output("z", tensor.RandomNormal(g.Input("key", tensor.Uint32, 2), tensor.Float32, 5))
	},
	"entropy": func(g *tensor.Graph) { // a classifier's loss, its gradient, and its choice
		x, y := g.Input("x", tensor.Float32, 4, 3), g.Input("y", tensor.Int32, 4)
		g.Output("gradient", tensor.Gradient(tensor.Sum(tensor.CrossEntropy(x, y)), x)[0])
		g.Output("choice", tensor.ArgMax(x, 1))
		g.Output("running", tensor.CumSum(x, 0, true))
	},
}

func TestGolden(t *testing.T) {
	for name, build := range golden {
		t.Run(name, func(t *testing.T) {
			p, err := tensor.Build(build)
			if err != nil {
				t.Fatal(err)
			}
			l, err := lower(p)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".mlir")
			if *update {
				if err := os.WriteFile(path, []byte(l.text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if l.text != string(want) {
				t.Errorf("the text differs from %s; where it should, write it anew with -update and run the tests with a device. Got\n%s", path, l.text)
			}
		})
	}
}

// lowering is the reference, but fails where a program cannot be lowered or an op becomes another shape.
type lowering struct{ tensor.Backend }

func (b lowering) Compile(p *tensor.Program, vars tensor.Vars) (tensor.Executable, error) {
	if _, err := lower(p); err != nil {
		return nil, err
	}
	return b.Backend.Compile(p, vars)
}

func TestEveryOpIsLowered(t *testing.T) { tensortest.Ops(t, lowering{reference.New()}) }

func TestProgramsAreLowered(t *testing.T) {
	tensortest.CheckBackend(t, func() tensor.Backend { return lowering{reference.New()} }, 2)
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		d    tensor.DType
		v    float64
		want string
	}{
		{tensor.Float32, 1, "1.0e+00"}, {tensor.Float32, 0.1, "1.0e-01"}, {tensor.Float64, 0.1, "1.0e-01"}, {tensor.Float32, 1.0 / 3, "3.3333334e-01"},
		{tensor.Float64, -0x1p-1074, "-5.0e-324"}, {tensor.Int32, -7, "-7"}, {tensor.Uint32, 0xFFFFFFFF, "4294967295"}, {tensor.Bool, 1, "true"},
		{tensor.Float32, inf, "0x7F800000"}, {tensor.Float64, -inf, "0xFFF0000000000000"},
	} {
		if got := number(c.d, c.v); got != c.want {
			t.Errorf("%v of %v is %s, expected %s", c.d, c.v, got, c.want)
		}
	}
}

var inf = lowest(tensor.Float64) * -1
