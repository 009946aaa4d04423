package model_test

import (
	"fmt"

	"github.com/likely-ml/likely/model"
)

func ExampleSet() {
	type Ridge struct {
		Penalty float64 `json:"penalty" default:"1" min:"0" max:"1000" help:"weight of the squared coefficients"`
		Solver  string  `json:"solver" default:"lbfgs" choices:"lbfgs,newton" help:"what minimises"`
	}
	r := model.NewRecipe[Ridge]()
	fmt.Println(model.Set(r, "penalty=0.5"), r.Penalty, r.Solver)
	fmt.Println(model.Set(r, "penalty=-1"))
	fmt.Println(model.Set(r, "penalti=2"))
	// Output:
	// <nil> 0.5 lbfgs
	// penalty is "-1", expected a number from 0 to 1000
	// unknown setting "penalti"; did you mean "penalty"?
}
