package train

import "math"

// Schedule is how the learning rate changes in the course of a run.
type Schedule string

// The schedules.
const (
	Constant Schedule = "constant"
	Cosine   Schedule = "cosine" // half a cosine from the rate down to 0
	Linear   Schedule = "linear" // a straight line down to 0
)

// rate is the learning rate of a step (counted from 0) of steps in all.
func (o *Options) rate(step, steps int) float64 {
	if step < o.WarmUp {
		return o.Rate * float64(step+1) / float64(o.WarmUp)
	}
	done := float64(step-o.WarmUp) / float64(max(steps-o.WarmUp, 1))
	switch o.Schedule {
	case Cosine:
		return o.Rate * (1 + math.Cos(math.Pi*done)) / 2
	case Linear:
		return o.Rate * (1 - done)
	}
	return o.Rate
}
