package tensortest_test

import (
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/reference"
	"github.com/likely-ml/likely/tensor/tensortest"
	"pgregory.net/rapid"
)

// The generator's programs are valid, run, and use every op.
func TestPrograms(t *testing.T) {
	seen := map[tensor.Op]bool{}
	programs := rapid.Custom(func(t *rapid.T) *tensortest.Case { return tensortest.Program(t, 2) })
	for seed := range 400 {
		for _, n := range programs.Example(seed).Program.Nodes {
			seen[n.Op()] = true
		}
	}
	for _, op := range tensor.Ops() {
		if !seen[op] {
			t.Errorf("no program has %v", op)
		}
	}
}

func TestCheckBackend(t *testing.T) { tensortest.CheckBackend(t, reference.New, 2) }
