package data_test

import (
	"context"
	"fmt"

	"github.com/likely-ml/likely/data"
)

// The embedded digits, from the name to what a model sees.
func ExampleOpen() {
	ctx := context.Background()
	digits, err := data.Open(ctx, "digits", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(digits.Train.Len(), "to learn from,", digits.Test.Len(), "held out, of", digits.All.Schema().Shape)

	scale, err := data.FitTransform(ctx, digits.Train, data.Unit)
	if err != nil {
		fmt.Println(err)
		return
	}
	x := data.NewBatch(scale.InShape(), 1, true)
	if err := digits.Train.Read(ctx, x, []int{0}); err != nil {
		fmt.Println(err)
		return
	}
	t := data.NewBatch(scale.OutShape(), 1, false)
	if err := scale.Apply(t, x); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a", digits.Train.Schema().Classes[x.Y[0]], "with top row", x.X[:8], "as", t.X[:8])
	fmt.Printf("log|det| = -64 ln 16 = %.3f nats\n", scale.LogDet())
	// Output:
	// 1438 to learn from, 359 held out, of 8x8x1
	// a 0 with top row [0 0 5 13 9 1 0 0] as [0 0 0.3125 0.8125 0.5625 0.0625 0 0]
	// log|det| = -64 ln 16 = -177.446 nats
}

// The same tenth of each class is held out wherever its examples stand.
func ExampleSplit() {
	ctx := context.Background()
	digits, err := data.Open(ctx, "digits", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fit, validation, err := data.Split(ctx, digits.Train, 0.1, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := data.Describe(ctx, "validation", validation)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fit.Len(), info.N, info.ClassCounts)
	// Output: 1295 143 [14 15 14 15 14 15 14 14 14 14]
}
