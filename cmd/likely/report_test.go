package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestShellWords(t *testing.T) {
	got := shellWords([]string{"likely", "fit", "cnn", "my data", "--label", "it's", "", "a=b,c"})
	if want := `likely fit cnn 'my data' --label 'it'\''s' '' a=b,c`; got != want {
		t.Errorf("%s, expected %s", got, want)
	}
}

// FuzzReadLog reads any file as a run's log: an error, or numbers.
func FuzzReadLog(f *testing.F) {
	f.Add([]byte(`{"epoch":1,"loss":2.5,"validation_loss":3}` + "\n" + `{"epoch":2,"batch_loss":2}`))
	f.Add([]byte(`{"epoch":1,"loss":"low"}`))
	f.Add([]byte("\n\n"))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "metrics.jsonl")
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		log, err := readLog(path)
		if err != nil {
			return
		}
		s := &subject{name: "it", log: log}
		for _, l := range s.curves("loss") {
			if len(l.X) != len(l.Y) || len(l.X) < 2 {
				t.Errorf("%d x and %d y", len(l.X), len(l.Y))
			}
		}
	})
}

// What rounds to no gain has no minus, as in the terminal, and one seed is not said to be counted.
func TestStudyPageOfOneSeed(t *testing.T) {
	dir := t.TempDir()
	mean := `"mean":{"value":0.9,"standard_error":0.01,"low":0.8,"high":0.95}`
	arms := `{"arm":"real",` + mean + `},{"arm":"real+synthetic",` + mean + `,"gain":{"value":-1e-5,"low":-0.00003,"high":0.5},"verdict":"cannot tell"}`
	text := `{"data":"digits","model":"gaussian","recipe":{},"classifier":"logistic","classifier_recipe":{},"seeds":[1],"result":{
		"metric":{"name":"accuracy","unit":"share"},"amounts":[{"real_per_class":5,"arms":[` + arms + `]}],"sentences":["It may help."]}}`
	if err := os.WriteFile(filepath.Join(dir, "study.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	page, err := studyPage(dir, "likely report study")
	if err != nil {
		t.Fatal(err)
	}
	gains := page.Sections[0]
	if row := gains.Tables[0].Rows[1]; row[3] != "+0.0000" || row[4] != "+0.0000 to +0.5000" {
		t.Errorf("gain %q and interval %q, expected +0.0000 and +0.0000 to +0.5000", row[3], row[4])
	}
	if said := gains.Text[len(gains.Text)-1]; !strings.Contains(said, "over 1 seed.") || !strings.Contains(said, "count test examples alone") {
		t.Errorf("the page says %q", said)
	}
}

// FuzzStudyPage reads any file as study.json: an error, or a page that can be written.
func FuzzStudyPage(f *testing.F) {
	arm := `{"arm":"real","mean":{"value":0.9,"standard_error":0.01,"low":0.8,"high":0.95}}`
	result := `{"metric":{"name":"accuracy","unit":"share"},"amounts":[{"real_per_class":5,"arms":[` + arm + `]}],"sentences":["It helps."]}`
	f.Add([]byte(`{"data":"digits","model":"gaussian","recipe":{},"classifier":"logistic","classifier_recipe":{},"seeds":[1],"result":` + result + `}`))
	f.Add([]byte(`{"model":"gaussian","result":{"amounts":[{"arms":[]}],"sentences":[""]}}`))
	f.Add([]byte(`{"result":{"amounts":[{"arms":[{}]},{"arms":[]}],"sentences":[""]}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "study.json"), text, 0o666); err != nil {
			t.Fatal(err)
		}
		page, err := studyPage(dir, "likely report study")
		if err != nil {
			return
		}
		if err := page.WriteHTML(io.Discard); err != nil {
			t.Error(err)
		}
	})
}
