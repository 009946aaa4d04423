package generative_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/generative"
	"github.com/likely-ml/likely/model"
)

// A Gaussian of the heights and weights of five people: how likely is a sixth, and what might a seventh be like?
func ExampleGaussian() {
	people, err := data.NewTable(&data.Schema{Shape: data.RowShape(2), Columns: []data.Column{
		{Name: "height", Kind: data.Numeric}, {Name: "weight", Kind: data.Numeric},
	}}, []float32{1.58, 55, 1.66, 64, 1.71, 62, 1.78, 77, 1.87, 82}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fitted, summary, err := model.NewRecipe[generative.Gaussian]().Fit(context.Background(), people, model.Run{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("mean of −log p(x): %.3f nats\n", summary.TrainLoss)

	sixth := data.Batch{Shape: people.Schema().Shape, X: []float32{1.75, 72}}
	nats := make([]float64, 1)
	if err := fitted.(model.Density).LogProb(nats, sixth); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("log p of a sixth: %.3f nats\n", nats[0])

	seventh := data.NewBatch(people.Schema().Shape, 1, false)
	if err := fitted.(model.Sampler).Sample(seventh, rand.New(rand.NewPCG(1, 2))); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a seventh: %.2f m, %.0f kg\n", seventh.X[0], seventh.X[1])
	// Output:
	// mean of −log p(x): 1.561 nats
	// log p of a sixth: -0.684 nats
	// a seventh: 1.73 m, 69 kg
}
