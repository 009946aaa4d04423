package train

import (
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

// identity says which run a checkpoint belongs to: all that its numbers depend on.
func (t *trainer) identity() string {
	o := t.options
	o.CheckpointEvery = 0
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%+v\n%d\n%d\n%s\n", t.problem.Identity, o, t.run.Seed, t.set.Len(), t.run.Provenance.Fingerprint)
	if t.run.Validation != nil {
		fmt.Fprintf(h, "%d\n", t.run.Validation.Len())
	}
	for _, p := range t.problem.Params {
		fmt.Fprintf(h, "%s %v\n", p.Name, p.Dims)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// checkpoint saves the run, if it has a folder.
func (t *trainer) checkpoint() error {
	if t.run.Dir == "" {
		return nil
	}
	s := t.state
	s.Seconds, s.LogBytes = t.seconds(), t.log.size
	text, err := json.Marshal(s)
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
	metadata := map[string]string{stateKey: string(text), identityKey: t.identity()}
	path := t.checkpointPath()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	err = atomicfile.Write(path, func(w io.Writer) error { return model.WriteTensors(w, tensors, metadata) })
	t.saved = time.Now()
	return err
}

// restore goes back to the last checkpoint; without one the run begins afresh.
func (t *trainer) restore() error {
	if t.run.Dir == "" {
		return errors.New("resume: expected a run folder")
	}
	path := t.checkpointPath()
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
		return fmt.Errorf("%s: %w", path, err)
	}
	if metadata[identityKey] != t.identity() {
		return fmt.Errorf("%s: %w: it was made with another recipe, seed, number of epochs or data; use the same ones, or another run folder", path, ErrOtherRun)
	}
	var s state
	if err := json.Unmarshal([]byte(metadata[stateKey]), &s); err != nil {
		return fmt.Errorf("%s: damaged state: %w", path, err)
	}
	if s.EpochExtra == nil {
		s.EpochExtra = map[string]sum{}
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
	t.toldAt = s.Step
	return t.log.truncate(s.LogBytes)
}
