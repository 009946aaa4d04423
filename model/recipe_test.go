package model_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/model"
)

type loss string

type common struct {
	Epochs int     `json:"epochs" default:"20" min:"1" help:"passes over the data"`
	Rate   float64 `json:"rate" default:"0.001" min:"0" max:"10" help:"learning rate"`
}

type recipe struct {
	Hidden []int `json:"hidden" default:"512,256" min:"1" max:"65536" help:"units of each hidden layer"`
	common
	Loss    loss   `json:"loss" default:"hinge" choices:"hinge,log" help:"what is minimised"`
	Shuffle bool   `json:"shuffle" default:"true" help:"change the order"`
	Title   string `json:"title" help:"a name"`
	Noise   int    `json:"noise" max:"3" help:"how noisy"`
	cache   int
	Skipped func() `json:"-"`
}

func TestDefaults(t *testing.T) {
	r := model.NewRecipe[recipe]()
	if !slices.Equal(r.Hidden, []int{512, 256}) || r.Epochs != 20 || r.Rate != 0.001 || r.Loss != "hinge" || !r.Shuffle || r.Title != "" || r.Noise != 0 {
		t.Errorf("defaults are %+v", r)
	}
	if err := model.Validate(r); err != nil {
		t.Error(err)
	}
}

func TestFields(t *testing.T) {
	r := model.NewRecipe[recipe]()
	r.Rate, r.cache = 0.25, 1
	var names, ranges []string
	for _, f := range model.Fields(r) {
		names = append(names, f.Name+":"+f.Type+"="+f.Value)
		ranges = append(ranges, f.Range())
	}
	want := []string{"hidden:ints=512,256", "epochs:int=20", "rate:float=0.25", "loss:choice=hinge", "shuffle:bool=true", "title:string=", "noise:int=0"}
	if !slices.Equal(names, want) {
		t.Errorf("fields are %q, expected %q", names, want)
	}
	want = []string{"whole numbers such as 512,256 from 1 to 65536", "a whole number, at least 1", "a number from 0 to 10",
		"one of hinge, log", "true or false", "a text", "a whole number, at most 3"}
	if !slices.Equal(ranges, want) {
		t.Errorf("ranges are %q, expected %q", ranges, want)
	}
}

func TestSet(t *testing.T) {
	r := model.NewRecipe[recipe]()
	for _, s := range []string{"hidden=8, 4", "epochs=3", " rate = 1e-2 ", "loss=log", "shuffle=false", "title=a=b"} {
		if err := model.Set(r, s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	if !slices.Equal(r.Hidden, []int{8, 4}) || r.Epochs != 3 || r.Rate != 0.01 || r.Loss != "log" || r.Shuffle || r.Title != "a=b" {
		t.Errorf("recipe is %+v", r)
	}
	if err := model.Set(r, "hidden="); err != nil || len(r.Hidden) != 0 {
		t.Errorf("an empty list gave %v (%v)", r.Hidden, err)
	}
}

func TestSetRefuses(t *testing.T) {
	for assignment, text := range map[string]string{
		"epochs":          `setting "epochs", expected name=value`,
		"=3":              "expected name=value",
		"epoch=3":         `unknown setting "epoch"; did you mean "epochs"?`,
		"colour=red":      "expected one of hidden, epochs, rate",
		"epochs=0":        `epochs is "0", expected a whole number, at least 1`,
		"epochs=many":     `epochs is "many", expected a whole number`,
		"epochs=1.5":      "a whole number",
		"rate=11":         `rate is "11", expected a number from 0 to 10`,
		"rate=NaN":        "a number from 0 to 10",
		"rate=Inf":        "a number from 0 to 10",
		"noise=4":         "at most 3",
		"loss=square":     `loss is "square", expected one of hinge, log`,
		"shuffle=perhaps": "true or false",
		"hidden=8,0":      `hidden is "8,0"`,
		"hidden=8,,4":     "whole numbers such as",
	} {
		r := model.NewRecipe[recipe]()
		err := model.Set(r, assignment)
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %v, expected one that says %q", assignment, err, text)
		}
		if r.Epochs != 20 || r.Rate != 0.001 || r.Loss != "hinge" {
			t.Errorf("%s: a refused setting changed the recipe to %+v", assignment, r)
		}
	}
}

func TestValidate(t *testing.T) {
	for what, spoil := range map[string]func(*recipe){
		"epochs": func(r *recipe) { r.Epochs = 0 },
		"rate":   func(r *recipe) { r.Rate = math.NaN() },
		"loss":   func(r *recipe) { r.Loss = "square" },
		"hidden": func(r *recipe) { r.Hidden = []int{0} },
	} {
		r := model.NewRecipe[recipe]()
		spoil(r)
		if err := model.Validate(r); err == nil || !strings.HasPrefix(err.Error(), what+" is ") {
			t.Errorf("%s out of range: error %v", what, err)
		}
	}
}

func TestBadTagsPanic(t *testing.T) {
	for what, f := range map[string]func(){
		"no help": func() {
			model.NewRecipe[struct {
				A int `json:"a"`
			}]()
		},
		"a wrong type": func() {
			model.NewRecipe[struct {
				A uint8 `json:"a" help:"x"`
			}]()
		},
		"a wrong default": func() {
			model.NewRecipe[struct {
				A int `json:"a" default:"9" max:"3" help:"x"`
			}]()
		},
		"a wrong bound": func() {
			model.NewRecipe[struct {
				A int `json:"a" max:"three" help:"x"`
			}]()
		},
		"no pointer": func() { model.Fields(recipe{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", what)
				}
			}()
			f()
		}()
	}
}
