package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
)

// runFolder is the folder of a run. What is inside run.json says what the run is; train keeps metrics.jsonl and
// checkpoints/ beside it, and samples/ and progress.gif show how a generator of pictures came on. A nil *runFolder is no folder, and all its methods do nothing.
type runFolder struct {
	path   string
	record runRecord
}

// runRecord is the content of run.json.
type runRecord struct {
	Model      string           `json:"model"`
	Kind       model.Kind       `json:"kind"`
	Recipe     json.RawMessage  `json:"recipe"`
	Epochs     int              `json:"epochs"` // asked for; 0 is the recipe's
	Seed       uint64           `json:"seed"`
	Backend    string           `json:"backend"`
	Calibrate  string           `json:"calibrate,omitempty"`
	Provenance model.Provenance `json:"provenance"`
	Likely     string           `json:"likely_version"`
	State      string           `json:"state"` // running, done, failed or interrupted
	Result     *fitResult       `json:"result,omitempty"`
}

// openRun makes the folder of a run, or with run.Resume opens it, and records that the run is under way. Without
// run.Dir it returns nil.
func openRun(run model.Run, entry model.Entry, spec model.Spec, calibrate string) (*runFolder, error) {
	if run.Dir == "" {
		return nil, nil
	}
	recipe, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	r := &runFolder{run.Dir, runRecord{Model: entry.Name, Kind: entry.Kind, Recipe: recipe, Epochs: run.Epochs, Seed: run.Seed,
		Backend: run.Backend, Calibrate: calibrate, Provenance: run.Provenance, Likely: model.Version, State: "running"}}
	switch earlier, err := readRun(run.Dir); {
	case errors.Is(err, fs.ErrNotExist): // a new run; with --resume too, since it may have been killed before it began
	case err != nil:
		return nil, err
	case !run.Resume:
		return nil, fmt.Errorf("%s holds a run of %s already; go on with it by --resume, or choose another folder", run.Dir, earlier.Model)
	default:
		if err := r.record.same(earlier); err != nil {
			return nil, fmt.Errorf("%s: %w; resume with the words that began it, or choose another folder", run.Dir, err)
		}
	}
	if err := os.MkdirAll(run.Dir, 0o755); err != nil {
		return nil, err
	}
	return r, r.write()
}

func readRun(dir string) (runRecord, error) {
	var r runRecord
	path := filepath.Join(dir, "run.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: damaged (%w); remove the folder, or choose another", path, err)
	}
	// Recipes are compared as they were before indentation.
	var compact bytes.Buffer
	if err := json.Compact(&compact, r.Recipe); err != nil {
		return r, fmt.Errorf("%s: damaged (%w); remove the folder, or choose another", path, err)
	}
	r.Recipe = compact.Bytes()
	return r, nil
}

// same reports what differs between two runs that should be one.
func (r *runRecord) same(earlier runRecord) error {
	for _, part := range []struct {
		name      string
		now, then any
	}{
		{"model", r.Model, earlier.Model},
		{"recipe", string(r.Recipe), string(earlier.Recipe)},
		{"seed", r.Seed, earlier.Seed},
		{"epochs", r.Epochs, earlier.Epochs},
		{"backend", r.Backend, earlier.Backend},
		{"calibration", r.Calibrate, earlier.Calibrate},
		{"data", r.Provenance.Data, earlier.Provenance.Data},
		{"part", r.Provenance.Part, earlier.Provenance.Part},
		{"label", r.Provenance.Label, earlier.Provenance.Label},
		{"validation share", r.Provenance.ValidationFraction, earlier.Provenance.ValidationFraction},
		{"fingerprint of the data", r.Provenance.Fingerprint, earlier.Provenance.Fingerprint},
		{"data", r.Provenance, earlier.Provenance}, // whatever else there is
	} {
		if part.now != part.then {
			return fmt.Errorf("the run was begun with %s %+v, and this one has %+v", part.name, orNone(part.then), orNone(part.now))
		}
	}
	return nil
}

// orNone is a word for an empty one.
func orNone(v any) any {
	if v == "" {
		return "none"
	}
	return v
}

// finish records how the run ended.
func (r *runFolder) finish(state string, result *fitResult) error {
	if r == nil {
		return nil
	}
	r.record.State, r.record.Result = state, result
	return r.write()
}

func (r *runFolder) write() error {
	return atomicfile.Write(filepath.Join(r.path, "run.json"), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r.record)
	})
}

// stateOf names how a run ended that returned an error.
func stateOf(ctx context.Context) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	return "failed"
}
