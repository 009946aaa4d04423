package cpu_test

import (
	"fmt"
	"testing"

	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/tensortest"
)

func TestOps(t *testing.T) {
	numbers := []int{1, 2, 7}
	if testing.Short() { // such as under the race detector, which needs several threads but not several numbers
		numbers = []int{2}
	}
	for _, threads := range numbers {
		t.Run(fmt.Sprint(threads, " threads"), func(t *testing.T) { tensortest.Ops(t, cpu.New(threads)) })
	}
}
