package suggest_test

import (
	"testing"

	"github.com/likely-ml/likely/internal/suggest"
)

func TestNearest(t *testing.T) {
	names := []string{"logistic", "mlp", "cnn", "gaussian", "vae", "gan"}
	for typed, want := range map[string]string{
		"logstic": "logistic", "Logistic": "logistic", "lgoistic": "logistic", "gausian": "gaussian",
		"cnnn": "cnn", "ave": "vae", "gna": "gan", "transformer": "", "": "", "x": "",
	} {
		if got, ok := suggest.Nearest(typed, names); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, expected %q", typed, got, ok, want)
		}
	}
}

func TestHint(t *testing.T) {
	if got, want := suggest.Hint("epohcs", []string{"epochs", "batch"}), `; did you mean "epochs"?`; got != want {
		t.Errorf("Hint = %q, expected %q", got, want)
	}
	if got := suggest.Hint("colour", []string{"epochs", "batch"}); got != "" {
		t.Errorf("Hint = %q, expected none", got)
	}
}
