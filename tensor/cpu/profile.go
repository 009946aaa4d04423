package cpu

import (
	"context"
	"time"
)

// LaunchTime is what one launch of a plan costs.
type LaunchTime struct {
	Name string        // what it computes, as in the printed plan
	Time time.Duration // the least of several runs, so that what else the machine does counts for little
}

// Profile runs the program several times, as Run does, and returns the time of each launch in the order of the plan. An
// executable of this package has this method beside those of [tensor.Executable].
func (e *executable) Profile(ctx context.Context, runs int) ([]LaunchTime, error) {
	times := make([]LaunchTime, len(e.launches))
	for i, l := range e.launches {
		times[i].Name = l.name
	}
	for r := range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i := range e.launches {
			start := time.Now()
			e.launches[i].run()
			if d := time.Since(start); r == 0 || d < times[i].Time {
				times[i].Time = d
			}
		}
		for _, u := range e.updates {
			u()
		}
	}
	return times, nil
}
