package dist_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/likely-ml/likely/dist"
)

func Example() {
	d, err := dist.Parse("mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))")
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]float64, 10000)
	if err := d.Sample(x, rand.New(rand.NewPCG(1, 2))); err != nil {
		fmt.Println(err)
		return
	}
	sum := 0.0
	for i := range x {
		sum -= d.LogProb(x[i : i+1])
	}
	line := d.(dist.Univariate)
	fmt.Printf("mean %.2f, median %.2f\n", line.Mean(), line.Quantile(0.5))
	fmt.Printf("entropy, from %d draws: %.1f nats\n", len(x), sum/float64(len(x)))
	// Output:
	// mean 1.50, median 2.72
	// entropy, from 10000 draws: 1.5 nats
}

func ExampleParse() {
	for _, text := range []string{"Student(3, 0, 1/2)", "normal(0, -1)", "possion(4)"} {
		d, err := dist.Parse(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(d)
	}
	// Output:
	// student(3,0,0.5)
	// normal(0, -1): standard deviation is -1 at column 11, expected a positive number
	// possion(4): unknown distribution "possion" at column 1; did you mean "poisson"?
}

func ExampleNewNormal() {
	d, err := dist.NewNormal(100, 15)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("P(X <= 130) = %.4f\n", d.CDF(130))
	fmt.Printf("log p(130) = %.4f nats\n", d.LogProb([]float64{130}))
	fmt.Printf("entropy %.4f nats\n", d.Entropy())
	// Output:
	// P(X <= 130) = 0.9772
	// log p(130) = -5.6270 nats
	// entropy 4.1270 nats
}
