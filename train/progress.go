package train

import (
	"time"

	"github.com/likely-ml/likely/model"
)

// seconds is how long the run has taken, with the time before it was resumed.
func (t *trainer) seconds() float64 { return t.before + time.Since(t.begun).Seconds() }

// tellEvery is the least time between reports of progress.
const tellEvery = 100 * time.Millisecond

// measure finds the recent speed, once enough time has gone by since it was last found.
func (t *trainer) measure() {
	since := time.Since(t.measured)
	if since < tellEvery && t.perSec > 0 || t.state.Step == t.measuredAt {
		return
	}
	t.perSec = float64((t.state.Step-t.measuredAt)*t.options.Batch) / max(since.Seconds(), 1e-9)
	t.measured, t.measuredAt = time.Now(), t.state.Step
}

// tell reports progress: always, as at the end of an epoch, or at most ten times a second.
func (t *trainer) tell(always bool) {
	if t.run.Progress == nil || !always && time.Since(t.told) < tellEvery {
		return
	}
	t.told = time.Now()
	t.measure()
	total := t.steps * t.options.Epochs
	remaining := time.Duration(-1)
	if t.state.Done {
		remaining = 0
	} else if t.perSec > 0 {
		remaining = time.Duration(float64((total-t.state.Step)*t.options.Batch) / t.perSec * float64(time.Second))
	}
	t.run.Progress(model.Progress{
		Phase: "training", Epoch: min((t.state.Step+t.steps-1)/t.steps, t.options.Epochs), Epochs: t.options.Epochs,
		Step: t.state.Step, Steps: total, Loss: t.current, ValidationLoss: float64(t.state.ValidLoss),
		ExamplesPerSecond: t.perSec, Remaining: remaining, Done: t.state.Done,
	})
}
