package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// canceller ends a context as soon as a text is written to it.
type canceller struct {
	bytes.Buffer
	text   string
	cancel func()
}

func (c *canceller) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

// TestInterrupted interrupts a fit in its first epoch, as SIGINT does, and goes on with it.
func TestInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	line := []string{"fit", "toy-generator", "digits", "--epochs", "50", "--run", dir}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout bytes.Buffer
	stderr := &canceller{text: "epoch 1/50", cancel: cancel}
	if status := run(ctx, line, &stdout, stderr); status != exitInterrupted {
		t.Fatalf("exit status %d, expected %d: %s", status, exitInterrupted, stderr)
	}
	if stdout.Len() > 0 || strings.Contains(stderr.String(), "epoch 50/50") {
		t.Errorf("the fit went on after it was interrupted:\n%s%s", stdout.String(), stderr)
	}
	if text := stderr.String(); !strings.Contains(text, "likely: ") || strings.Contains(text, context.Canceled.Error()) || !strings.Contains(text, "interrupted") {
		t.Errorf("the last words are not plain ones: %s", text)
	}
	if r, err := readRun(dir); err != nil || r.State != "interrupted" {
		t.Errorf("run.json says %q (%v), expected interrupted", r.State, err)
	}
	if status := run(t.Context(), append(line, "--resume"), &stdout, &stderr.Buffer); status != exitSuccess {
		t.Fatalf("exit status %d after --resume, expected %d: %s", status, exitSuccess, stderr)
	}
	if r, err := readRun(dir); err != nil || r.State != "done" || r.Result == nil {
		t.Errorf("run.json says %q (%v), expected done and a result", r.State, err)
	}
}
