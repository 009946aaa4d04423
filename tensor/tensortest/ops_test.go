package tensortest_test

import (
	"testing"

	"github.com/likely-ml/likely/tensor/reference"
	"github.com/likely-ml/likely/tensor/tensortest"
)

// The reference agrees with itself: every case builds, and no tolerance is NaN.
func TestOps(t *testing.T) { tensortest.Ops(t, reference.New()) }
