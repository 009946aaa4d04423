package train

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
)

// logEvery is how many steps lie between the lines of metrics.jsonl within an epoch.
const logEvery = 100

// metricsLog appends a JSON object a line to metrics.jsonl. It knows how much of it belongs to the run's past, so that
// a resumed run writes no line twice.
type metricsLog struct {
	file *os.File // nil without a run folder
	size int64
}

func openLog(dir string) (*metricsLog, error) {
	if dir == "" {
		return &metricsLog{}, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "metrics.jsonl"), os.O_CREATE|os.O_RDWR, 0o666)
	return &metricsLog{file: f}, err
}

func (l *metricsLog) close() {
	if l.file != nil {
		l.file.Close() // every line was written as it came
	}
}

// truncate goes back to the first size bytes, or to what is left of them.
func (l *metricsLog) truncate(size int64) error {
	if l.file == nil {
		return nil
	}
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	l.size = min(size, info.Size())
	return l.file.Truncate(l.size)
}

// sync brings what was written to disk. A checkpoint that counts on it may then follow.
func (l *metricsLog) sync() error {
	if l.file == nil {
		return nil
	}
	return l.file.Sync()
}

func (l *metricsLog) write(entry map[string]any) error {
	if l.file == nil {
		return nil
	}
	line, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	n, err := l.file.WriteAt(append(line, '\n'), l.size)
	l.size += int64(n)
	return err
}

// entry is a line: how far the run is, and metrics. An epoch's line has its mean "loss"; between them, each logEvery
// steps, stand lines with the "batch_loss" of one mini-batch.
func (t *trainer) entry(metrics map[string]float64) map[string]any {
	e := map[string]any{
		"epoch": (t.state.Step-1)/t.steps + 1,
		"step":  t.state.Step,
		"rate":  t.options.rate(t.state.Step-1, t.steps*t.options.Epochs),
	}
	if t.perSec > 0 {
		e["examples_per_second"] = math.Round(t.perSec)
	}
	for name, x := range metrics {
		if x-x == 0 { // JSON has no NaN
			e[name] = x
		}
	}
	return e
}
