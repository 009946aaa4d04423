package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// Where there is no terminal, a line of progress comes at least every lineEvery, and at the end of an epoch if it is
// epochLineEvery after the one before, so that a fit of many short epochs does not fill a log.
const (
	lineEvery      = 10 * time.Second
	epochLineEvery = time.Second
)

// meter shows how far work has come: a bar on a terminal, plain lines elsewhere, nothing under --quiet.
type meter struct {
	out       io.Writer
	quiet     bool
	bar       *progressbar.ProgressBar // nil where there is no terminal, and before the first step
	terminal  bool
	started   time.Time
	last      time.Time // of the last line
	epoch     int       // whose end the last line told
	estimated bool      // the time of the whole has been told
	stage     string
}

func (a *app) meter() *meter {
	f, ok := a.stderr.(*os.File)
	now := time.Now()
	return &meter{out: a.stderr, quiet: a.quiet, terminal: ok && term.IsTerminal(int(f.Fd())), started: now, last: now}
}

// memoryInUse is how many bytes the system has given to the program and not taken back. Once a step of training is done, the data,
// the variables and the buffers of a step are all there; what comes later is the validation's and the copies of a checkpoint.
func memoryInUse() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

// fit shows the progress of a fit.
func (m *meter) fit(p model.Progress) {
	if m.quiet {
		return
	}
	if p.Remaining >= 0 && !m.estimated && !p.Done && p.ExamplesPerSecond > 0 {
		m.estimated = true
		fmt.Fprintf(m.out, "estimate: %s in all, at %s examples/s; %s of memory so far\n",
			duration(time.Since(m.started)+p.Remaining), count(int(p.ExamplesPerSecond)), size(memoryInUse()))
	}
	if m.terminal {
		if m.bar == nil {
			m.bar = newBar(m.out, int64(p.Steps))
		}
		m.bar.Describe(describe(p, true))
		if p.Steps > 0 {
			m.bar.Set(p.Step) // drawing fails only where standard error does
		}
		return
	}
	// A line at the end of the first epoch, of the last, and of the others where they take long enough; and within an epoch
	// that takes very long.
	ended := p.Done || p.Epochs > 0 && p.Step*p.Epochs == p.Epoch*p.Steps
	news := ended && (p.Epoch != m.epoch || p.Epochs == 0)
	since := time.Since(m.last)
	if news && (m.epoch == 0 || p.Done || since >= epochLineEvery) || since >= lineEvery {
		fmt.Fprintln(m.out, describe(p, false))
		m.last = time.Now()
		if ended {
			m.epoch = p.Epoch
		}
	}
}

// data shows the progress of reading or downloading.
func (m *meter) data(p data.Progress) {
	if m.quiet {
		return
	}
	if m.terminal {
		if m.bar == nil || m.stage != p.Stage {
			m.end()
			m.bar, m.stage = newBar(m.out, p.Total), p.Stage
		}
		m.bar.Describe(p.Stage)
		m.bar.Set64(p.Done)
		return
	}
	if p.Stage != m.stage || time.Since(m.last) >= lineEvery {
		if p.Stage == m.stage || time.Since(m.started) >= time.Second { // quick work needs no line
			fmt.Fprintln(m.out, dataLine(p))
			m.last = time.Now()
		}
		m.stage = p.Stage
	}
}

func dataLine(p data.Progress) string {
	if p.Total > 0 {
		return fmt.Sprintf("%s: %d of %d %s", p.Stage, p.Done, p.Total, p.Unit)
	}
	return fmt.Sprintf("%s: %d %s", p.Stage, p.Done, p.Unit)
}

// end leaves the terminal's line free for what comes next.
func (m *meter) end() {
	if m.bar != nil {
		m.bar.Exit()
		fmt.Fprintln(m.out)
		m.bar = nil
	}
}

func newBar(out io.Writer, total int64) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1 // a spinner
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(10),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(false),
		progressbar.OptionEnableColorCodes(false), progressbar.OptionUseANSICodes(false))
}

// describe is a line such as "epoch 3/20  loss 0.2313  validation 0.2620  9,800 examples/s  12 s left". A brief one leaves out
// the speed, so that a bar stands beside it in 80 columns.
func describe(p model.Progress, brief bool) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case p.Epochs > 0:
		add("epoch %d/%d", p.Epoch, p.Epochs)
	case p.Phase != "":
		add("%s", p.Phase)
	}
	if !math.IsNaN(p.Loss) {
		add("loss %.4f", p.Loss)
	}
	if !math.IsNaN(p.ValidationLoss) {
		add("validation %.4f", p.ValidationLoss)
	}
	if p.ExamplesPerSecond > 0 && !brief {
		add("%s examples/s", count(int(p.ExamplesPerSecond)))
	}
	if p.Remaining >= 0 && !p.Done {
		add("%s left", duration(p.Remaining))
	}
	return strings.Join(parts, "  ")
}
