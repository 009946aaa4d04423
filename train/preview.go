package train

import (
	"fmt"
	"time"

	"github.com/likely-ml/likely/tensor"
)

// Previews take at most a share of previewShare of a run's time, and there are at most mostPreviews, evenly spread, beside
// those of the first and the last epoch.
const (
	previewShare = 0.015
	mostPreviews = 50
)

// preview shows run.Preview the model of the epoch that has ended, where there is time for it. It gets a copy of the
// parameters that validation sees, so that nothing it does or keeps touches the run.
func (t *trainer) preview() error {
	if t.run.Preview == nil || t.problem.Model == nil {
		return nil
	}
	epoch := t.state.Step / t.steps
	begun := time.Now()
	due := t.previewed == 0 ||
		epoch-t.previewed >= max(1, t.options.Epochs/mostPreviews) && t.previewing.Seconds() < previewShare*t.seconds()
	if !due && !t.state.Done {
		return nil
	}
	if err := t.fetch(); err != nil {
		return err
	}
	vars := tensor.Vars{}
	for name, a := range t.judged {
		vars[name] = a.Clone()
	}
	m, err := t.problem.Model(vars)
	if err == nil {
		err = t.run.Preview(epoch, m)
	}
	if err != nil {
		return fmt.Errorf("preview of epoch %d: %w", epoch, err)
	}
	t.previewed = epoch
	t.previewing += time.Since(begun)
	return nil
}
