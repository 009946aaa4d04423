package train

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
)

// A checkpoint is one .safetensors file: every array of the run by name, the best ones under a prefix, and the state as
// JSON in the metadata. It replaces the one before it in one rename, so a kill at any moment leaves a whole one.
const (
	bestPrefix  = "best:"
	stateKey    = "likely.state"
	identityKey = "likely.run"
)

func (t *trainer) checkpointPath() string {
	return filepath.Join(t.run.Dir, "checkpoints", "last.safetensors")
}

// identify finds which run this is: a hash of all that its numbers depend on.
func (t *trainer) identify(ctx context.Context) error {
	o, from := t.options, t.run.Provenance
	o.CheckpointEvery = 0
	if from.Fingerprint == "" {
		var err error
		if from.Fingerprint, err = data.Fingerprint(ctx, t.set); err != nil {
			return err
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%+v\n%d %s\n", t.problem.Identity, o, t.run.Seed, t.backend.Name())
	fmt.Fprintf(h, "%s %s %d %v %v %d\n", from.Fingerprint, from.Part, from.Seed, from.TestFraction, from.ValidationFraction, t.set.Len())
	if t.run.Validation != nil {
		fmt.Fprintf(h, "%d\n", t.run.Validation.Len())
	}
	for _, p := range t.problem.Params {
		fmt.Fprintf(h, "%s %v\n", p.Name, p.Dims)
	}
	for _, p := range t.problem.Phases {
		fmt.Fprintf(h, "%s %T%+v\n", p.Name, p.Optimiser, p.Optimiser)
	}
	t.identity = fmt.Sprintf("%x", h.Sum(nil))
	return nil
}

// begin goes back to the last checkpoint to resume from, or makes the run's folder that of a new run.
func (t *trainer) begin(ctx context.Context) error {
	if t.run.Dir == "" {
		if t.run.Resume {
			return errors.New("a run is to be resumed, but no run folder is given; expected the one that it began in")
		}
		return nil
	}
	if err := t.identify(ctx); err != nil {
		return err
	}
	path := t.checkpointPath()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	old, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, f := range old {
		// A kill in the middle of a checkpoint leaves its temporary file.
		name := f.Name()
		left := strings.HasPrefix(name, "."+filepath.Base(path)) && strings.HasSuffix(name, ".tmp")
		if left || !t.run.Resume && name == filepath.Base(path) {
			if err := os.Remove(filepath.Join(filepath.Dir(path), name)); err != nil {
				return err
			}
		}
	}
	if !t.run.Resume {
		return t.log.truncate(0)
	}
	return t.restore(path)
}

// checkpoint saves the run, if it has a folder.
func (t *trainer) checkpoint() error {
	t.state.Seconds = t.seconds()
	if t.run.Dir == "" {
		return nil
	}
	if err := t.fetch(); err != nil {
		return err
	}
	if err := t.log.sync(); err != nil {
		return err
	}
	t.state.LogBytes = t.log.size
	text, err := json.Marshal(t.state)
	if err != nil {
		return err
	}
	var tensors []model.Tensor
	for name, a := range t.vars {
		tensors = append(tensors, model.Tensor{Name: name, Dims: a.Shape.Dims, Values: a.F32})
	}
	for name, a := range t.best {
		tensors = append(tensors, model.Tensor{Name: bestPrefix + name, Dims: a.Shape.Dims, Values: a.F32})
	}
	metadata := map[string]string{stateKey: string(text), identityKey: t.identity}
	err = atomicfile.Write(t.checkpointPath(), func(w io.Writer) error { return model.WriteTensors(w, tensors, metadata) })
	t.saved = time.Now()
	return err
}

// restore goes back to the last checkpoint; without one the run begins afresh.
func (t *trainer) restore(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t.log.truncate(0)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	tensors, metadata, err := model.ReadTensors(f, info.Size())
	if err != nil {
		return fmt.Errorf("%s: cannot resume (%w); remove the file to begin the run afresh", path, err)
	}
	if metadata[identityKey] != t.identity {
		return fmt.Errorf("%s: %w: it was made with another recipe, seed, number of epochs or data; use the same ones, or another run folder", path, ErrOtherRun)
	}
	var s state
	if err := json.Unmarshal([]byte(metadata[stateKey]), &s); err != nil {
		return fmt.Errorf("%s: damaged state: %w", path, err)
	}
	if s.EpochExtra == nil {
		s.EpochExtra = map[string]sum{}
	}
	if want := len(t.vars); len(tensors) != want && len(tensors) != want+len(t.judged) {
		return fmt.Errorf("%s: %w: it holds %d arrays, expected %d", path, ErrOtherRun, len(tensors), want)
	}
	for _, x := range tensors {
		values, ok := x.Values.([]float32)
		name, isBest := strings.CutPrefix(x.Name, bestPrefix)
		like := t.vars[name]
		if isBest {
			like = t.judged[name]
		}
		if !ok || like == nil || len(like.F32) != len(values) {
			return fmt.Errorf("%s: %w: unexpected array %q %v", path, ErrOtherRun, x.Name, x.Dims)
		}
		if isBest {
			if t.best == nil {
				t.best = tensor.Vars{}
			}
			t.best[name] = tensor.NewArray(like.Shape)
			like = t.best[name]
		}
		copy(like.F32, values)
	}
	t.state, t.before = s, s.Seconds
	return t.log.truncate(s.LogBytes)
}
