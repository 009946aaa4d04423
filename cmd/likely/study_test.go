package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/augment"
)

func FuzzReadFits(f *testing.F) {
	f.Add([]byte(`{"real_per_class":5,"seed":1,"arm":"real","seconds":0.1,"scores":[0,1,1]}` + "\n"))
	f.Add([]byte("{}\n{\"scores\":[1e400]}\n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fits, err := readFits(bytes.NewReader(text))
		if lines := bytes.Count(text, []byte("\n")); err == nil && len(fits) < lines {
			t.Errorf("%d fits of %d lines", len(fits), lines)
		}
	})
}

// A study that was killed while it wrote a line goes on after the last whole one.
func TestStudyFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study")
	r := studyRecord{Data: "digits", Steps: 3, Recipe: []byte(`{"a": 1}`), ClassifierRecipe: []byte("{}")}
	if _, have, err := openStudy(dir, r, false); err != nil || len(have) > 0 {
		t.Fatalf("a new study has %d fits (%v)", len(have), err)
	}
	folder, _, err := openStudy(dir, r, false)
	if err != nil {
		t.Fatalf("a study without any fit cannot begin anew: %v", err)
	}
	want := []augment.Fit{{Real: 5, Seed: 1, Arm: augment.Real, Scores: []float64{0, 1}}, {Real: 5, Seed: 2, Arm: augment.Mixed, Scores: []float64{1, 1}}}
	for _, fit := range want {
		if err := folder.keep(fit); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "fits.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, text[:20]...), 0o644); err != nil {
		t.Fatal(err)
	}
	_, have, err := openStudy(dir, r, true)
	if err != nil || len(have) != 2 || !slices.Equal(have[1].Scores, want[1].Scores) || have[1].Arm != want[1].Arm {
		t.Errorf("%+v (%v), expected %+v", have, err, want)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(again, text) {
		t.Error("the broken line is still there")
	}
	if _, _, err := openStudy(dir, r, false); err == nil || !strings.Contains(err.Error(), "holds a study already") {
		t.Errorf("error %v of a folder that holds a study", err)
	}
	r.Steps = 4
	if _, _, err := openStudy(dir, r, true); err == nil || !strings.Contains(err.Error(), "another steps") {
		t.Errorf("error %v of another study, expected one that names the steps", err)
	}
	record := filepath.Join(dir, "study.json")
	if err := os.Rename(record, record+".away"); err != nil {
		t.Fatal(err)
	}
	for _, resume := range []bool{false, true} {
		if _, _, err := openStudy(dir, r, resume); err == nil || !strings.Contains(err.Error(), "fits.jsonl without study.json") {
			t.Errorf("error %v of fits of a study that is not told of (resume %v)", err, resume)
		}
	}
	if err := os.Rename(record+".away", record); err != nil {
		t.Fatal(err)
	}
	finished := filepath.Join(t.TempDir(), "finished")
	done, _, err := openStudy(finished, r, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := done.finish(&augment.Result{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openStudy(finished, r, false); err == nil || !strings.Contains(err.Error(), "holds a study already") {
		t.Errorf("error %v of a study that is done and has no fits any more", err)
	}
	if err := os.WriteFile(path, []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Steps = 3
	if _, _, err := openStudy(dir, r, true); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error %v of a line that is no fit, expected one that names the line", err)
	}
}
