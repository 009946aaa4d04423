package generative

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
)

// chainSet is data for a conformance check.
type chainSet struct {
	output Output
	set    data.Set
}

// chainSets are data of every kind.
func chainSets(t *testing.T) map[string]chainSet {
	pictures := some(digits(t).Train, 8)
	r := rand.New(rand.NewPCG(1, 2))
	values, labels := make([]float32, 0, 3*60), make([]int32, 60)
	for i := range labels {
		labels[i] = int32(i % 2)
		values = append(values, float32(r.IntN(3)), float32(r.IntN(90)), float32(r.NormFloat64()))
	}
	values[4], values[6], values[17] = nan, nan, nan // missing, in examples that the suite does not ask about
	pixels := make([]uint8, 40*5*7*3)
	for i := range pixels {
		pixels[i] = uint8(r.IntN(256))
	}
	odd, err := data.NewPixels(&data.Schema{Shape: data.Shape{Height: 5, Width: 7, Channels: 3}, MaxValue: 255}, pixels, nil)
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := data.NewTable(&data.Schema{Shape: data.RowShape(3), Classes: []string{"a", "b"}, Label: "class", Columns: []data.Column{
		{Name: "colour", Kind: data.Categorical, Levels: []string{"red", "green", "blue"}},
		{Name: "age", Kind: data.Integer}, {Name: "height", Kind: data.Numeric}}}, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]chainSet{
		"bernoulli":                {Auto, pictures},
		"bernoulli without labels": {Bernoulli, withoutLabels(pictures)},
		"softmax":                  {Softmax, pictures},
		"softmax without labels":   {Softmax, withoutLabels(pictures)},
		"logistic":                 {Logistic, pictures},
		"odd pictures in colour":   {Auto, odd},
		"table":                    {Auto, numbers(t, 2, correlated(100, r), nil)},
		"table of all kinds of column, with classes": {Normal, mixed},
	}
}

// evaluated is the output "out" of a program on the reference backend, or the named one.
func evaluated(t *testing.T, b tensor.Backend, vars tensor.Vars, x []float32, y []int32, build func(g *tensor.Graph)) []float32 {
	t.Helper()
	prog, err := tensor.Build(build)
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Compile(prog, vars)
	if err != nil {
		t.Fatal(err)
	}
	copy(e.Input("x").F32, x)
	if y != nil {
		copy(e.Input("y").I32, y)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e.Output("out").F32
}

// shaken are parameters without the zeros and regularities of where training begins.
func shaken(params nn.Params) tensor.Vars {
	vars := params.Init(1)
	r := rand.New(rand.NewPCG(5, 6))
	for _, p := range params {
		for i := range vars[p.Name].F32 {
			vars[p.Name].F32[i] += float32(0.1 * r.NormFloat64())
		}
	}
	return vars
}

// TestNothingAfterIsSeen changes each element of x in turn. The parameters of the elements up to it must stay, to the bit, and
// those of some later element change.
func TestNothingAfterIsSeen(t *testing.T) {
	pictures := func(shape data.Shape) data.Set {
		set, err := data.NewPixels(&data.Schema{Shape: shape, MaxValue: 3}, make([]uint8, shape.Size()), nil)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	card := func(recipe model.Spec, set data.Set) *model.Card {
		transform, err := data.FitTransform(t.Context(), set, data.DefaultTransform(set.Schema()))
		if err != nil {
			t.Fatal(err)
		}
		c := model.NewCard("", recipe, set, transform, model.Run{Seed: 3})
		return &c
	}
	check := func(t *testing.T, net any, size int, parameters func(x *tensor.Node) *tensor.Node, place func(j int) int, places []int) {
		vars := shaken(nn.Collect(net))
		ask := func(x []float32) []float32 {
			return evaluated(t, reference.New(), vars, x, nil, func(g *tensor.Graph) {
				g.Output("out", parameters(g.Input("x", tensor.Float32, 1, size)))
			})
		}
		r := rand.New(rand.NewPCG(7, 8))
		x := normals(size, 1, r)
		before := slices.Clone(ask(x))
		last := slices.Max(places)
		for j := range x {
			old := x[j]
			x[j] += 5
			seen := false
			for k, v := range ask(x) {
				if v == before[k] {
					continue
				}
				if places[k] <= place(j) {
					t.Fatalf("output %d, of place %d, sees element %d, at place %d", k, places[k], j, place(j))
				}
				seen = true
			}
			if !seen && place(j) < last {
				t.Errorf("no output sees element %d, at place %d of %d", j, place(j), last)
			}
			x[j] = old
		}
	}
	made := func(change func(r *MADE), set data.Set) func(t *testing.T) {
		return func(t *testing.T) {
			recipe := tinyMADE()
			recipe.Hidden = []int{96, 96} // some of which are negative, and tell nothing
			change(recipe)
			net, err := recipe.network(card(recipe, set))
			if err != nil {
				t.Fatal(err)
			}
			size := net.elements[len(net.elements)-1].to
			inputs, places := make([]int, size), []int{}
			for _, e := range net.elements {
				for j := e.from; j < e.to; j++ {
					inputs[j] = int(e.place)
				}
			}
			for k := range net.Out.below {
				for _, e := range net.elements {
					n := net.factor.width()
					if e.category {
						n = e.to - e.from
					}
					if e.out <= k && k < e.out+n {
						places = append(places, int(e.place))
					}
				}
			}
			check(t, net, size, func(x *tensor.Node) *tensor.Node { return net.parameters(x, nil, &nn.Mode{}) },
				func(j int) int { return inputs[j] }, places)
		}
	}
	for name, set := range map[string]chainSet{"grey": {set: pictures(data.Shape{Height: 3, Width: 4, Channels: 1})},
		"colour": {set: pictures(data.Shape{Height: 2, Width: 2, Channels: 3})}, "table": {set: withoutLabels(chainSets(t)["table of all kinds of column, with classes"].set)}} {
		t.Run("made "+name, made(func(r *MADE) {}, set.set))
		t.Run("made in random order "+name, made(func(r *MADE) { r.Order, r.Direct = Random, false }, set.set))
	}
	for _, shape := range []data.Shape{{Height: 5, Width: 9, Channels: 1}, {Height: 4, Width: 3, Channels: 3}} {
		t.Run("pixelcnn "+shape.String(), func(t *testing.T) {
			recipe := tinyPixelCNN()
			net, err := recipe.network(card(recipe, pictures(shape)))
			if err != nil {
				t.Fatal(err)
			}
			var places []int
			for p := range shape.Height * shape.Width {
				places = append(places, slices.Repeat([]int{p}, net.pixel.width())...)
			}
			check(t, net, shape.Size(), func(x *tensor.Node) *tensor.Node {
				return net.parameters(tensor.Reshape(x, 1, shape.Height, shape.Width, shape.Channels), nil)
			}, func(j int) int { return j / shape.Channels }, places)
		})
	}
}
