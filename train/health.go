package train

import (
	"fmt"
	"math"
)

// A loss counts as exploding when it stays more than explosionFactor times its first size above where it began, for
// explosionSteps steps in a row.
const (
	explosionFactor = 20
	explosionSteps  = 20
)

// finite reports a parameter that the last step has spoiled: no loss was computed with it any more.
func (t *trainer) finite() error {
	for _, p := range t.problem.Params {
		for i, x := range t.judged[p.Name].F32 {
			if x-x != 0 {
				return fmt.Errorf("after the last step parameter %s holds %v at element %d: %w; lower the learning rate or clip gradients", p.Name, x, i, ErrNotFinite)
			}
		}
	}
	return nil
}

// watch ends a run that no further step can mend.
func (t *trainer) watch(phase int, loss, rate float64) error {
	name := ""
	if len(t.phases) > 1 {
		name = t.phases[phase].Name + ": "
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("%sstep %d: %w (%v); lower the learning rate (now %.3g), clip gradients, or check the data for extreme values",
			name, t.state.Step+1, ErrNotFinite, loss, rate)
	}
	if phase > 0 {
		return nil
	}
	if t.state.Step == 0 {
		t.state.First = real(loss)
	}
	first := float64(t.state.First)
	if loss > first+explosionFactor*max(1, math.Abs(first)) {
		t.state.Exploding++
	} else {
		t.state.Exploding = 0
	}
	if t.state.Exploding >= explosionSteps {
		return fmt.Errorf("%sstep %d: %w: it began at %.4g and is %.4g for %d steps; lower the learning rate (now %.3g) or clip gradients",
			name, t.state.Step+1, ErrExploding, first, loss, explosionSteps, rate)
	}
	return nil
}
