package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// A run that is killed (SIGKILL: nothing can be tidied up) twenty times at random moments and resumed each time ends with
// the same model file and the same metrics as one that nobody disturbed.
func TestKilledRunsEndTheSame(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "likely")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fit := func(name string, more ...string) *exec.Cmd {
		args := []string{"fit", "mlp", "digits", "--quiet", "--run", filepath.Join(dir, name), "--checkpoint", "1ms",
			"--epochs", "40", "--set", "hidden=256,256", "--set", "patience=100"}
		return exec.Command(program, append(args, more...)...)
	}
	start := time.Now()
	if out, err := fit("unbroken").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(start)

	seed := uint64(start.UnixNano())
	t.Logf("seed %d, an unbroken run takes %v", seed, whole)
	r := rand.New(rand.NewPCG(seed, 0))
	const kills = 20
	killed := 0
	for range kills {
		c := fit("killed", "--resume")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// On average the run gets a twentieth further each time, so the kills fall all over its course.
		time.Sleep(time.Duration(r.Float64() * float64(whole) / 10))
		c.Process.Kill()
		if c.Wait() != nil {
			killed++
		}
	}
	if out, err := fit("killed", "--resume").CombinedOutput(); err != nil {
		t.Fatalf("after %d kills: %v: %s", killed, err, out)
	}
	t.Logf("%d of %d runs were killed before their end", killed, kills)
	if killed < kills/2 {
		t.Error("most runs ended before they were killed")
	}
	want := read(t, filepath.Join(dir, "unbroken", "model.safetensors"))
	if got := read(t, filepath.Join(dir, "killed", "model.safetensors")); !bytes.Equal(got, want) {
		t.Error("the model of the killed run differs")
	}
	wantLog := logged(t, filepath.Join(dir, "unbroken", "metrics.jsonl"))
	if got := logged(t, filepath.Join(dir, "killed", "metrics.jsonl")); !reflect.DeepEqual(got, wantLog) {
		t.Errorf("the metrics of the killed run are\n%v\nwant\n%v", got, wantLog)
	}
}

// logged are the lines of metrics.jsonl without what depends on the clock.
func logged(t *testing.T, path string) (lines []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(read(t, path)) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		delete(m, "examples_per_second")
		lines = append(lines, m)
	}
	return lines
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
