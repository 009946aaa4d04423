package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
	"github.com/likely-ml/likely/model"
)

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		count(0):                           "0",
		count(-1234):                       "-1,234",
		count(999):                         "999",
		count(1234567):                     "1,234,567",
		size(999):                          "999 bytes",
		size(1_500):                        "1.5 KB",
		size(47_040_000):                   "47 MB",
		duration(140 * time.Millisecond):   "0.1 s",
		duration(59400 * time.Millisecond): "59 s",
		duration(59600 * time.Millisecond): "1 min 0 s",
		duration(2*time.Hour + 5*time.Minute + 40*time.Second): "2 h 5 min",
		significant(math.NaN()):                                "",
		significant(0.123456):                                  "0.1235",
		plural(1, "class", "classes"):                          "1 class",
		plural(2000, "class", "classes"):                       "2,000 classes",
		clip("abcdef", 4):                                      "abc…",
		clip("abcd", 4):                                        "abcd",
		oneLine(errors.New("a\nb\n")):                          "a; b",
		interrupted(context.Canceled):                          "interrupted",
		interrupted(fmt.Errorf("cnn: interrupted after step 3: %w", context.Canceled)): "cnn: interrupted after step 3",
		interrupted(fmt.Errorf("a.csv: %w", context.Canceled)):                         "a.csv: interrupted",
	} {
		if got != want {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	p := model.Progress{Epoch: 3, Epochs: 20, Loss: 0.23131, ValidationLoss: 0.262, ExamplesPerSecond: 9800.4, Remaining: 12 * time.Second}
	if got, want := describe(p, false), "epoch 3/20  loss 0.2313  validation 0.2620  9,800 examples/s  12 s left"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
	p.Done, p.ValidationLoss = true, math.NaN()
	if got, want := describe(p, true), "epoch 3/20  loss 0.2313"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

// fixed is a result with a given JSON object.
type fixed string

func (f fixed) Measures() []measure.Measure  { return nil }
func (f fixed) MarshalJSON() ([]byte, error) { return []byte(f), nil }

func TestMergeKeepsBoth(t *testing.T) {
	a := fixed(`{"n": 10, "mean": 1, "standard_errors": {"mean": 0.1}}`)
	b := fixed(`{"n": 5, "kid": 2, "standard_errors": {"kid": 0.2}}`)
	got, err := merge([]result{a, b})
	if err != nil {
		t.Fatal(err)
	}
	se := got["standard_errors"].(map[string]any)
	if got["n"] != 10.0 || got["sample_n"] != 5.0 || got["kid"] != 2.0 || se["mean"] != 0.1 || se["kid"] != 0.2 {
		t.Errorf("merged to %v", got)
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestOutputIsWhole demands that no command succeeds whose output could not be written.
func TestOutputIsWhole(t *testing.T) {
	for _, line := range [][]string{{"models"}, {"models", "cnn"}, {"version"}, {"--version"}, {"data", "list", "--json"}, {"--help"}, {"completion", "bash"}} {
		var stderr bytes.Buffer
		if status := run(t.Context(), line, full{}, &stderr); status != exitFailed || !strings.Contains(stderr.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%v: exit status %d, expected %d: %s", line, status, exitFailed, &stderr)
		}
	}
}

// TestHalfAFolder demands that a folder of samples that cannot be finished leaves nothing behind, and nothing else is touched.
func TestHalfAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	other := filepath.Join(dir, "b", "other.png")
	if err := os.MkdirAll(filepath.Dir(other), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	schema := &data.Schema{Shape: data.Shape{Height: 2, Width: 2, Channels: 1}, MaxValue: 255, Classes: []string{"a", "b"}}
	b := data.NewBatch(schema.Shape, 2, true)
	b.Y[1] = 1
	if err := writeFolder(t.Context(), dir, schema, b); err == nil || !strings.Contains(err.Error(), "other.png is in it") {
		t.Errorf("error %v, expected that folder b is not empty", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder a is still there (%v), expected nothing of what was begun", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("the picture that was there before: %v", err)
	}
}
