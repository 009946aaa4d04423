package main

import (
	"os"
	"path/filepath"
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
