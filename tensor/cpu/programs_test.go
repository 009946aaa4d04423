package cpu_test

import (
	"testing"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/tensortest"
)

// Random programs, each on another number of threads, agree with the reference: clusters, in-place updates and the arena
// as much as the kernels.
func TestPrograms(t *testing.T) {
	threads := 0
	tensortest.CheckBackend(t, func() tensor.Backend {
		threads = threads%7 + 1
		return cpu.New(threads)
	}, 4)
}
