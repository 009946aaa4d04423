package cpu_test

import (
	"fmt"
	"testing"

	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/tensortest"
)

func TestOps(t *testing.T) {
	for _, threads := range []int{1, 2, 7} {
		t.Run(fmt.Sprint(threads, " threads"), func(t *testing.T) { tensortest.Ops(t, cpu.New(threads)) })
	}
}
