package cpu

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/likely-ml/likely/tensor"
)

// LaunchTime is what one launch of a plan has cost since [StartProfile].
type LaunchTime struct {
	Launch
	Runs  int
	Total time.Duration // a part's is that of all threads together, the others' the time that passed
	Least time.Duration // of one run, so that what else the machine did counts for little
}

// profile collects the times of an executable's launches.
type profile struct {
	times []LaunchTime
	at    int
}

// StartProfile makes an executable of this package measure each launch from now on, which takes some 50 ns a launch. It
// reports false for an executable of another backend.
func StartProfile(e tensor.Executable) bool {
	x, ok := e.(*executable)
	if ok {
		x.profile = &profile{}
		for _, l := range x.plan.Launches {
			x.profile.times = append(x.profile.times, LaunchTime{Launch: l})
		}
	}
	return ok
}

// Profile is what was measured since [StartProfile], in the order of the plan; nil for an executable that was not started.
func Profile(e tensor.Executable) []LaunchTime {
	if x, ok := e.(*executable); ok && x.profile != nil {
		return x.profile.times
	}
	return nil
}

// run measures launch number i.
func (p *profile) run(i int, l *launch) {
	if i == 0 {
		p.at = 0
	}
	if l.clock != nil {
		l.clock.start()
	}
	start := time.Now()
	l.run()
	p.record(time.Since(start))
	if l.clock != nil {
		l.clock.on = false
		for j := range l.clock.spent {
			p.record(time.Duration(l.clock.spent[j].Load()))
		}
	}
}

func (p *profile) record(d time.Duration) {
	t := &p.times[p.at]
	if t.Runs == 0 || d < t.Least {
		t.Least = d
	}
	t.Runs++
	t.Total += d
	p.at++
}

// WriteProfile writes a table of an executable's profile, launches in the order of the plan: the time of a run, its share of
// all, the rate of arithmetic, that as a share of peak (in flops a second, see [PeakFLOPS]; of one thread), and the traffic
// to memory if nothing were in a cache. Launches that take less than a hundredth are summed in the last line.
func WriteProfile(w io.Writer, title string, times []LaunchTime, peak float64) error {
	var total, small time.Duration
	for _, t := range times {
		if !t.Part {
			total += t.Total
		}
	}
	if total == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d launches, %v a run, of %d runs\n", title, len(times), perRun(times[0], total), times[0].Runs)
	fmt.Fprintf(&b, "%10s %6s %8s %6s %7s  %s\n", "µs a run", "share", "GFLOP/s", "peak", "GB/s", "launch")
	for _, t := range times {
		if t.Total < total/100 {
			if !t.Part {
				small += t.Total
			}
			continue
		}
		seconds := t.Total.Seconds() / float64(t.Runs)
		rate, share := "", ""
		if t.Flops > 0 {
			rate, share = fmt.Sprintf("%.1f", t.Flops/seconds/1e9), fmt.Sprintf("%.0f%%", 100*t.Flops/seconds/peak)
		}
		name := t.Name
		if t.Part {
			name = "  of it: " + name
		}
		fmt.Fprintf(&b, "%10.1f %5.1f%% %8s %6s %7.1f  %s\n", 1e6*seconds, 100*float64(t.Total)/float64(total), rate, share, t.Bytes/seconds/1e9, name)
	}
	fmt.Fprintf(&b, "%10.1f %5.1f%% %24s launches under 1%%\n", 1e6*small.Seconds()/float64(times[0].Runs), 100*float64(small)/float64(total), "")
	_, err := io.WriteString(w, b.String())
	return err
}

func perRun(t LaunchTime, total time.Duration) time.Duration {
	return (total / time.Duration(max(t.Runs, 1))).Round(time.Microsecond)
}
