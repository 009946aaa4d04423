package train_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/train"
)

// The run that is broken off and taken up again below: 6 epochs of 9 steps, each after the first few a better one.
func longRun(dir string, resume bool) (data.Set, train.Options, model.Run) {
	return clouds(150, 1),
		train.Options{Batch: 16, Epochs: 6, Rate: 0.02, Schedule: train.Cosine, WarmUp: 5, Clip: 1, Average: 0.9, Patience: 2, CheckpointEvery: time.Hour},
		model.Run{Seed: 3, Dir: dir, Resume: resume, Validation: clouds(40, 2)}
}

func unbroken(t *testing.T) (*train.Result, []string) {
	dir := t.TempDir()
	set, o, run := longRun(dir, false)
	r := minimise(t, classifier(nil), set, o, run)
	return r, metrics(t, dir)
}

// metrics are the lines of metrics.jsonl, without the speed, which no two runs share.
func metrics(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatalf("metrics.jsonl, line %q: %v", in.Text(), err)
		}
		delete(line, "examples_per_second")
		lines = append(lines, fmt.Sprint(line))
	}
	return lines
}

func sameLines(t *testing.T, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("metrics.jsonl is\n%s\nexpected\n%s", g, w)
	}
}

// A run that is interrupted again and again ends with the same bits as one that is not, whether its checkpoints came often
// or only when it was interrupted.
func TestResumeAfterInterruption(t *testing.T) {
	want, wantLines := unbroken(t)
	r := rand.New(rand.NewPCG(5, 5))
	for round := range 4 {
		dir := t.TempDir()
		var got *train.Result
		interruptions := 0
		for got == nil {
			ctx, cancel := context.WithCancel(context.Background())
			left := 2 + r.IntN(15) // the preparation is up to two mini-batches ahead of the steps
			set, o, run := longRun(dir, interruptions > 0)
			if round%2 == 0 {
				o.CheckpointEvery = time.Nanosecond // one after each step
			}
			var err error
			got, err = train.Minimise(ctx, classifier(func() {
				if left--; left == 0 {
					cancel()
				}
			}), set, o, run)
			if err != nil && (!errors.Is(err, train.ErrInterrupted) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "resume")) {
				t.Fatalf("error %v, expected interrupted and how to go on", err)
			}
			if interruptions++; interruptions > 100 {
				t.Fatal("the run does not get on")
			}
			cancel()
		}
		same(t, got, want)
		sameLines(t, metrics(t, dir), wantLines)
		if interruptions < 3 {
			t.Errorf("%d interruptions, expected some", interruptions)
		}
	}
}

// A run that is killed leaves its folder as it was at that moment. Here the folder is copied at some moment, the
// checkpoint first, as no kill leaves metrics that are behind it, and the run resumed in the copy.
func TestResumeFromCopiedFolder(t *testing.T) {
	want, wantLines := unbroken(t)
	for _, moment := range []int{1, 20, 40} {
		dir, copied := t.TempDir(), t.TempDir()
		set, o, run := longRun(dir, false)
		o.CheckpointEvery = time.Nanosecond
		batches := 0
		minimise(t, classifier(func() {
			if batches++; batches == moment {
				os.Mkdir(filepath.Join(copied, "checkpoints"), 0o777)
				copyFile(t, filepath.Join(dir, "checkpoints", "last.safetensors"), filepath.Join(copied, "checkpoints", "last.safetensors"))
				copyFile(t, filepath.Join(dir, "metrics.jsonl"), filepath.Join(copied, "metrics.jsonl"))
			}
		}), set, o, run)
		leftover := filepath.Join(copied, "checkpoints", ".last.safetensors.123.tmp")
		if err := os.WriteFile(leftover, []byte("half a file"), 0o666); err != nil {
			t.Fatal(err)
		}
		set, o, run = longRun(copied, true)
		same(t, minimise(t, classifier(nil), set, o, run), want)
		sameLines(t, metrics(t, copied), wantLines)
		if _, err := os.Stat(leftover); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the temporary file of a killed run is still there (%v)", err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	text, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		err = os.WriteFile(to, text, 0o666)
	}
	if err != nil {
		t.Error(err)
	}
}

// interrupting is a set that ends a run's context when it is read the second time.
type interrupting struct {
	data.Set
	reads  *int
	cancel context.CancelFunc
}

func (s interrupting) Read(ctx context.Context, dst data.Batch, index []int) error {
	if *s.reads++; *s.reads == 2 {
		s.cancel()
		return ctx.Err()
	}
	return s.Set.Read(ctx, dst, index)
}

// An interruption between the last step of an epoch and the end of its validation, at each epoch, changes neither which
// epoch is the best nor when the run stops.
func TestResumeInValidation(t *testing.T) {
	o := train.Options{Batch: 8, Epochs: 50, Rate: 0.1, Patience: 4}
	want := minimise(t, scalar(0, nn.SGD{}, squared), constant(8, 2), o, model.Run{Validation: constant(3, 1)})
	run := model.Run{Dir: t.TempDir()}
	for {
		ctx, cancel := context.WithCancel(context.Background())
		run.Validation = interrupting{constant(3, 1), new(int), cancel}
		got, err := train.Minimise(ctx, scalar(0, nn.SGD{}, squared), constant(8, 2), o, run)
		cancel()
		if err == nil {
			same(t, got, want)
			return
		}
		if !errors.Is(err, train.ErrInterrupted) {
			t.Fatal(err)
		}
		run.Resume = true
	}
}

// A resumed run is watched as if it had not been interrupted: it fails at the same step.
func TestResumedRunIsWatched(t *testing.T) {
	o := train.Options{Batch: 4, Epochs: 200, Rate: 1.3}
	_, want := train.Minimise(context.Background(), scalar(0, nn.SGD{}, squared), constant(4, 2), o, model.Run{})
	run := model.Run{Dir: t.TempDir()}
	for {
		ctx, cancel := context.WithCancel(context.Background())
		p, batches := scalar(0, nn.SGD{}, squared), 0
		prepare := p.Prepare
		p.Prepare = func(dst, raw data.Batch, r train.Rand) error {
			if batches++; batches == 4 {
				cancel()
			}
			return prepare(dst, raw, r)
		}
		_, err := train.Minimise(ctx, p, constant(4, 2), o, run)
		cancel()
		if !errors.Is(err, train.ErrInterrupted) {
			if err == nil || err.Error() != want.Error() {
				t.Errorf("error %v, expected %v", err, want)
			}
			return
		}
		run.Resume = true
	}
}

const killedDir = "LIKELY_TEST_KILLED_RUN"

// TestKill runs itself as another process, which it kills without warning at random moments and starts again.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		set, o, run := longRun(dir, true)
		o.CheckpointEvery = time.Nanosecond
		minimise(t, classifier(func() { time.Sleep(4 * time.Millisecond) }), set, o, run)
		return
	}
	want, wantLines := unbroken(t)
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(6, 6))
	kills := 0
	for finished := false; !finished; {
		process := exec.Command(os.Args[0], "-test.run=^TestKill$")
		process.Env = append(os.Environ(), killedDir+"="+dir)
		var out bytes.Buffer
		process.Stdout, process.Stderr = &out, &out
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- process.Wait() }()
		// The time grows, so that the run gets on however slowly a process starts.
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			finished = true
		case <-time.After(time.Duration(float64(20+r.IntN(20))*math.Pow(1.3, float64(kills))) * time.Millisecond):
			process.Process.Kill()
			<-done
			kills++
		}
	}
	t.Logf("%d kills", kills)
	set, o, run := longRun(dir, true) // it has finished: this only reads the result
	same(t, minimise(t, classifier(func() { t.Error("a step after the end") }), set, o, run), want)
	sameLines(t, metrics(t, dir), wantLines)
}

// A finished run gives its result again, with the time that it took.
func TestResumeAfterTheEnd(t *testing.T) {
	dir := t.TempDir()
	set, o, run := longRun(dir, false)
	want := minimise(t, classifier(nil), set, o, run)
	run.Resume = true
	got := minimise(t, classifier(func() { t.Error("a step after the end") }), set, o, run)
	same(t, got, want)
	if got.Summary.Seconds != want.Summary.Seconds {
		t.Errorf("it took %v s, before %v s", got.Summary.Seconds, want.Summary.Seconds)
	}
}

// Another run than the one that a checkpoint is of does not go on from it, and spoils nothing.
func TestResumeOfAnotherRun(t *testing.T) {
	dir := t.TempDir()
	set, o, run := longRun(dir, false)
	want := minimise(t, classifier(nil), set, o, run)
	run.Resume = true
	for _, change := range []struct {
		name string
		by   func(p *train.Problem, set *data.Set, o *train.Options, run *model.Run)
	}{
		{"seed", func(_ *train.Problem, _ *data.Set, _ *train.Options, run *model.Run) { run.Seed++ }},
		{"epochs", func(_ *train.Problem, _ *data.Set, _ *train.Options, run *model.Run) { run.Epochs = 9 }},
		{"rate", func(_ *train.Problem, _ *data.Set, o *train.Options, _ *model.Run) { o.Rate *= 2 }},
		{"recipe", func(p *train.Problem, _ *data.Set, _ *train.Options, _ *model.Run) { p.Identity += "!" }},
		{"data", func(_ *train.Problem, set *data.Set, _ *train.Options, _ *model.Run) { *set = clouds(150, 9) }},
		{"fewer data", func(_ *train.Problem, set *data.Set, _ *train.Options, _ *model.Run) { *set = clouds(140, 1) }},
		{"validation data", func(_ *train.Problem, _ *data.Set, _ *train.Options, run *model.Run) { run.Validation = nil }},
		{"backend", func(_ *train.Problem, _ *data.Set, _ *train.Options, run *model.Run) { run.Backend = "reference" }},
		{"optimiser", func(p *train.Problem, _ *data.Set, _ *train.Options, _ *model.Run) {
			p.Phases[0].Optimiser = nn.Adam{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8}
		}},
	} {
		p, set, o, run := classifier(nil), set, o, run
		change.by(&p, &set, &o, &run)
		_, err := train.Minimise(context.Background(), p, set, o, run)
		if !errors.Is(err, train.ErrOtherRun) || strings.Contains(err.Error(), "\n") {
			t.Errorf("another %s: error %v, expected one line that says so", change.name, err)
		}
	}
	same(t, minimise(t, classifier(nil), set, o, run), want)

	run.Dir = ""
	if _, err := train.Minimise(context.Background(), classifier(nil), set, o, run); err == nil {
		t.Error("resumed without a folder: no error")
	}
}

// A new run in the folder of an old one leaves nothing of it.
func TestNewRunInOldFolder(t *testing.T) {
	dir := t.TempDir()
	set, o, run := longRun(dir, false)
	minimise(t, classifier(nil), set, o, run)
	run.Seed = 8
	ctx, cancel := context.WithCancel(context.Background())
	p := classifier(func() {
		if _, err := os.Stat(filepath.Join(dir, "checkpoints", "last.safetensors")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the checkpoint of the old run is still there (%v)", err)
		}
		cancel()
	})
	if _, err := train.Minimise(ctx, p, set, o, run); !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("error %v, expected interrupted", err)
	}
	if lines := metrics(t, dir); len(lines) != 0 {
		t.Errorf("metrics of the old run: %q", lines)
	}
	run.Resume = true
	minimise(t, classifier(nil), set, o, run)
}

func TestDamagedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	set, o, run := longRun(dir, false)
	minimise(t, classifier(nil), set, o, run)
	path := filepath.Join(dir, "checkpoints", "last.safetensors")
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	run.Resume = true
	_, err := train.Minimise(context.Background(), classifier(nil), set, o, run)
	if !errors.Is(err, model.ErrDamaged) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, expected one line with the file", err)
	}
}

// metrics.jsonl has a line for each epoch and one for each hundred steps between.
func TestMetricsLog(t *testing.T) {
	dir := t.TempDir()
	p := scalar(0, nn.SGD{}, squared)
	minimise(t, p, constant(250, 2), train.Options{Batch: 1, Epochs: 2, Rate: 0.001}, model.Run{Dir: dir, Validation: constant(3, 1)})
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var steps []int
	for line := range strings.Lines(string(text)) {
		var l struct {
			Epoch, Step int
			Loss        *float64
			BatchLoss   *float64 `json:"batch_loss"`
			Validation  *float64 `json:"validation_loss"`
			Rate        float64
			Speed       float64 `json:"examples_per_second"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, l.Step)
		endsEpoch := l.Step%250 == 0
		if (l.Loss != nil) != endsEpoch || (l.Validation != nil) != endsEpoch || (l.BatchLoss != nil) == endsEpoch ||
			l.Epoch != (l.Step-1)/250+1 || l.Rate != 0.001 || endsEpoch && !(l.Speed > 0) {
			t.Errorf("line %s", line)
		}
	}
	if fmt.Sprint(steps) != "[100 200 250 300 400 500]" {
		t.Errorf("lines for the steps %v", steps)
	}
}
