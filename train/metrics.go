package train

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
)

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

// truncate goes back to the first size bytes.
func (l *metricsLog) truncate(size int64) error {
	l.size = size
	if l.file == nil {
		return nil
	}
	return l.file.Truncate(size)
}

func (l *metricsLog) write(entry map[string]any) error {
	if l.file == nil {
		return nil
	}
	if l.size == 0 { // a new run in an old folder
		if err := l.file.Truncate(0); err != nil {
			return err
		}
	}
	line, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	n, err := l.file.WriteAt(append(line, '\n'), l.size)
	l.size += int64(n)
	return err
}

// entry is an epoch's line.
func (t *trainer) entry(epoch int, metrics map[string]float64) map[string]any {
	e := map[string]any{
		"epoch": epoch + 1,
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
