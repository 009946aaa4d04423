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
		t.state.First = loss
	}
	if loss > t.state.First+explosionFactor*max(1, math.Abs(t.state.First)) {
		t.state.Exploding++
	} else {
		t.state.Exploding = 0
	}
	if t.state.Exploding >= explosionSteps {
		return fmt.Errorf("%sstep %d: %w: it began at %.4g and is %.4g for %d steps; lower the learning rate (now %.3g) or clip gradients",
			name, t.state.Step+1, ErrExploding, t.state.First, loss, explosionSteps, rate)
	}
	return nil
}
