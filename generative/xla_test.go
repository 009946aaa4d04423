//go:build xla

package generative

import (
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/xla"
)

func init() {
	foreign = func(t *testing.T) []tensor.Backend {
		t.Helper()
		b, err := xla.New(0)
		if err != nil {
			t.Fatal(err)
		}
		return []tensor.Backend{b}
	}
}
