package generative

import (
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
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
