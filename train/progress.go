package train

import (
	"time"

	"github.com/likely-ml/likely/model"
)

// seconds is how long the run has taken, with the time before it was resumed.
func (t *trainer) seconds() float64 { return t.before + time.Since(t.begun).Seconds() }

// tellEvery is the least time between reports of progress.
const tellEvery = 100 * time.Millisecond

// pace is when a step had been made.
type pace struct {
	at   time.Time
	step int
}

// paceWindow is the time of training over which the speed is found, at least, once it has gone by: long enough to hold validations and
// previews as often as they come, and to smooth what other programs take.
const paceWindow = 10 * time.Second

// measure finds the recent speed: of the last one or two windows. The first step of all says nothing of it, as it touches all memory for
// the first time and can take ten times as long as others.
func (t *trainer) measure() {
	now := pace{time.Now(), t.state.Step}
	if t.from.at.IsZero() {
		t.from, t.mark = now, now
	}
	if now.step > t.from.step {
		t.perSec = float64((now.step-t.from.step)*t.options.Batch) / max(now.at.Sub(t.from.at).Seconds(), 1e-9)
	}
	if now.at.Sub(t.mark.at) > paceWindow {
		t.from, t.mark = t.mark, now
	}
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
