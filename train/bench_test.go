package train_test

import (
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/train"
)

// BenchmarkMinimise is one step of a 784-512-256-10 network with Adam, at batch 128, with all that goes with it: reading,
// scaling, averages of parameters, checkpoints.
func BenchmarkMinimise(b *testing.B) {
	const batch, n = 128, 12800
	r := rand.New(rand.NewPCG(1, 1))
	schema := &data.Schema{Shape: data.Shape{Height: 28, Width: 28, Channels: 1}, Classes: []string{"0", "1"}, MaxValue: 255}
	pixels, labels := make([]uint8, n*784), make([]int32, n)
	for i := range pixels {
		pixels[i] = uint8(r.Uint32())
	}
	set, err := data.NewPixels(schema, pixels, labels)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		options train.Options
		dir     string
	}{
		{"plain", train.Options{}, ""},
		{"average and checkpoints", train.Options{Average: 0.999}, b.TempDir()},
	} {
		b.Run(c.name, func(b *testing.B) {
			net := &struct{ A, B, C nn.Dense }{nn.NewDense(784, 512, nn.HeNormal), nn.NewDense(512, 256, nn.HeNormal), nn.NewDense(256, 10, nn.HeNormal)}
			params := nn.Collect(net)
			p := train.Problem{
				Params: params, Shape: []int{784}, Out: schema.Shape, Labelled: true,
				Phases: []train.Phase{{Params: params, Optimiser: nn.NewAdam(), Loss: func(b *train.Batch) train.Loss {
					return train.Loss{Value: tensor.Mean(nn.CrossEntropy(net.C.Apply(nn.ReLU(net.B.Apply(nn.ReLU(net.A.Apply(b.X))))), b.Y))}
				}}},
				Prepare: func(dst, raw data.Batch, _ train.Rand) error {
					for i, v := range raw.X {
						dst.X[i] = v / 255
					}
					return nil
				},
			}
			o := c.options
			o.Batch, o.Epochs, o.Rate = batch, 3, 1e-3
			steps := 0
			for b.Loop() {
				found, err := train.Minimise(b.Context(), p, set, o, model.Run{Dir: c.dir, Provenance: model.Provenance{Fingerprint: "none"}})
				if err != nil {
					b.Fatal(err)
				}
				steps += found.Summary.Steps
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(steps), "ms/step")
		})
	}
}
