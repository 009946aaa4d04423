package measure

import (
	"encoding/json"
	"math"
	"testing"
)

// The kinds stay apart in what JSON shows, and what it cannot hold is null.
func TestMeasureJSON(t *testing.T) {
	about := Lower("loss", "nats").From(51)
	counted := Estimate{0.5, 0.25, 8}.As(about)
	counted.Interval = &Interval{math.Inf(-1), 1}
	for want, m := range map[string]Measure{
		`{"name":"kl","unit":"","higher_is_better":true,"least_n":0,"kind":"exact","value":2,"standard_error":0,"error_bound":0,"n":0}`:                                     Exact(2).As(Higher("kl", "")),
		`{"name":"loss","unit":"nats","higher_is_better":false,"least_n":51,"kind":"integral","value":2,"standard_error":0,"error_bound":0.5,"n":0}`:                        Integral{2, 0.5}.As(about),
		`{"name":"loss","unit":"nats","higher_is_better":false,"least_n":51,"kind":"estimate","value":0.5,"standard_error":0.25,"error_bound":0,"n":8,"interval":[null,1]}`: counted,
		`{"name":"loss","unit":"nats","higher_is_better":false,"least_n":51,"kind":"bound","value":null,"standard_error":null,"error_bound":0,"n":3}`:                       Bound{math.Inf(1), math.NaN(), 3, true}.As(about),
		`{"name":"loss","unit":"nats","higher_is_better":false,"least_n":51,"kind":"approximation","value":2,"standard_error":1,"error_bound":0,"n":60}`:                    Approximation{2, 1, 60}.As(about),
	} {
		text, err := json.Marshal(m)
		if err != nil || string(text) != want {
			t.Errorf("%+v is %s, error %v; expected %s", m, text, err, want)
		}
	}
}

func TestTooFew(t *testing.T) {
	about := Lower("loss", "nats").From(51)
	if !(Estimate{N: 50}.As(about).TooFew()) || (Estimate{N: 51}.As(about).TooFew()) || Exact(1).As(Lower("kl", "nats")).TooFew() {
		t.Error("50 of 51 examples are too few, 51 are enough, and a formula needs none")
	}
}
