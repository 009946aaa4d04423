package dist_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/likely-ml/likely/dist"
)

// TestParse reads what people may write, and what String writes.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"normal(0,1)":                              "normal(0,1)",
		"  Normal ( -.5 , +2e1 ) ":                 "normal(-0.5,20)",
		"CATEGORICAL(1/3,1/3, 1 / 3)":              "categorical(0.3333333333333333,0.3333333333333333,0.3333333333333333)",
		"mixture(.3:normal(-2,1),.7:normal(3,.5))": "mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))",
		"mvnormal( [0,0], [[1,.5],[.5,2]] )":       "mvnormal([0,0],[[1,0.5],[0.5,2]])",
		"product(normal(0,1),\n\tuniform(0,1))":    "product(normal(0,1), uniform(0,1))",
		"exponential(1e-3)":                        "exponential(0.001)",
		"poisson(1000000)":                         "poisson(1e+06)",
	} {
		d, err := dist.Parse(text)
		if err != nil {
			t.Errorf("%v", err)
		} else if d.String() != want {
			t.Errorf("%q is read as %s, expected %s", text, d, want)
		}
	}
	texts := everything
	for _, f := range dist.Families() {
		texts = append(texts, f.Example)
		if d := parse(t, f.Example); d.String() != f.Example {
			t.Errorf("the example %s is written as %s", f.Example, d)
		}
	}
	for _, text := range texts {
		d := parse(t, text)
		if again := parse(t, d.String()); !reflect.DeepEqual(d, again) {
			t.Errorf("%s is read back as %s", d, again)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"normal(0,-1)", "normal(0,-1): standard deviation is -1 at column 10, expected a positive number"},
		{"norml(0,1)", `norml(0,1): unknown distribution "norml" at column 1; did you mean "normal"?`},
		{"q(0,1)", `q(0,1): unknown distribution "q" at column 1, expected one of normal, student, laplace, logistic, cauchy, uniform, exponential, ` +
			`gamma, lognormal, beta, bernoulli, binomial, poisson, geometric, discrete_uniform, categorical, mvnormal, mixture, product`},
		{"normal(0)", "normal(0): normal has 1 parameter at column 8, expected 2: mean, standard deviation"},
		{"normal()", `normal(): ')' at column 8, expected a number`},
		{"normal", `normal: the text ends at column 7, expected "(" and the parameters: normal(mean, standard deviation)`},
		{"", `"": the text ends at column 1, expected a distribution, such as normal(0,1)`},
		{"normal(0,1", `normal(0,1: the text ends at column 11, expected "," or ")"`},
		{"normal(0,1))", "normal(0,1)): ')' at column 12, expected the end"},
		{"normal(0,1,2)", "normal(0,1,2): normal has 3 parameters at column 8, expected 2: mean, standard deviation"},
		{"normal(0,x)", "normal(0,x): 'x' at column 10, expected a number"},
		{"normal(0,é)", "normal(0,é): 'é' at column 10, expected a number"},
		{"normal(0,1e999)", `normal(0,1e999): "1e999" at column 10, expected a number within ±1.8e308`},
		{"normal(1/0,1)", "normal(1/0,1): division by 0 at column 10"},
		{"uniform(2,1)", "uniform(2,1): high is 1 at column 11, expected a number above low, at a finite distance"},
		{"discrete_uniform(3,1)", "discrete_uniform(3,1): high is 1 at column 20, expected low or more"},
		{"binomial(2.5,.3)", "binomial(2.5,.3): number of trials is 2.5 at column 10, expected a whole number from 0 to 1e9"},
		{"bernoulli(1.5)", "bernoulli(1.5): probability of 1 is 1.5 at column 11, expected a number from 0 to 1"},
		{"gamma(0,1)", "gamma(0,1): shape is 0 at column 7, expected a number from 1e-6 to 1e9"},
		{"student(0,0,1)", "student(0,0,1): degrees of freedom is 0 at column 9, expected a number from 1e-6 to 1e9"},
		{"categorical(.2,.3)", "categorical(.2,.3): sum of probabilities is 0.5 at column 13, expected 1 (within 1e-9)"},
		{"categorical(.2,-.3)", "categorical(.2,-.3): probability is -0.3 at column 16, expected a number from 0 to 1"},
		{"mixture(.5:normal(0,1),.4:normal(1,1))", "mixture(.5:normal(0,1),.4:normal(1,1)): sum of weights is 0.9 at column 9, expected 1 (within 1e-9)"},
		{"mixture(.5:normal(0,1),.5:normal(1,0))", "mixture(.5:normal(0,1),.5:normal(1,0)): standard deviation is 0 at column 36, expected a positive number"},
		{"mixture(.5:normal(0,1),.5:poisson(1))", "mixture(.5:normal(0,1),.5:poisson(1)): member 2 is discrete of dimension 1 at column 24, expected continuous of dimension 1, as the first member is"},
		{"mixture(normal(0,1))", "mixture(normal(0,1)): 'n' at column 9, expected a number"},
		{"mixture(1 normal(0,1))", `mixture(1 normal(0,1)): 'n' at column 11, expected ":"`},
		{"product(normal(0,1))", "product(normal(0,1)): number of factors is 1 at column 9, expected 2 or more"},
		{"product(normal(0,1),poisson(1))", "product(normal(0,1),poisson(1)): factor 2 is discrete at column 21, expected continuous, as the first factor is"},
		{"mvnormal([0,0],[[1,2],[2,1]])", "mvnormal([0,0],[[1,2],[2,1]]): covariance is not positive definite at column 16, expected a positive variance in every direction"},
		{"mvnormal([0,0],[[1,2],[2]])", "mvnormal([0,0],[[1,2],[2]]): row 2 of the covariance has 1 number at column 23, expected 2, as the mean has"},
		{"mvnormal([0,0],[[1,0]])", "mvnormal([0,0],[[1,0]]): covariance is 2 numbers at column 16, expected 2 x 2, as the mean has 2 elements"},
		{"mvnormal([0,0],[[1,0.5],[0.4,1]])", "mvnormal([0,0],[[1,0.5],[0.4,1]]): covariance is not symmetric: 0.4 and 0.5 in places (2,1) and (1,2) at column 16, expected equal numbers there"},
		{"mvnormal(0,1)", `mvnormal(0,1): '0' at column 10, expected "["`},
		{strings.Repeat("mixture(1:", 40), strings.Repeat("mixture(1:", 6)[:59] + "…: distributions are nested deeper than 32 at column 321"},
	} {
		_, err := dist.Parse(c.text)
		if err == nil {
			t.Errorf("%s: no error, expected %q", c.text, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%s: the error is\n%s\nexpected\n%s", c.text, err, c.want)
		}
	}
}
