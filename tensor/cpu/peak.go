package cpu

import (
	"time"

	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// PeakFLOPS measures, for about d, the float32 additions and multiplications a second that one core can do with the
// instruction set in use: the ceiling of every matrix product and convolution here. It is the best of many short
// slices; a few milliseconds suffice.
func PeakFLOPS(d time.Duration) float64 { return kernel.PeakFLOPS(d) }
