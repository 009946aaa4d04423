package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/model"
)

// subject is a model that a report is about, the data that it is measured on, and what was measured.
type subject struct {
	name   string // by which the report calls it
	path   string // of the model file
	size   int64  // of that file in bytes
	entry  model.Entry
	model  model.Model
	file   *model.File
	fit    *fitResult // how the fit went; nil where that is not known
	epochs int        // that the fit was asked for; 0 for the model's own number, or where that is not known
	log    []logEntry // of each epoch, where the run folder has them
	// progress is the file of the run folder that shows how samples came on; nil where there is none, or one too large for a page.
	progress []byte

	source  *data.Source // nil where there is no data to measure on
	without string       // why there is none
	same    bool         // source is what the model was fitted on
	set     data.Set     // the part of source that is measured on
	rest    data.Set     // labelled examples beside set, from which a classifier may learn; nil where there are none
	part    string       // which that is, in words
	info    data.Info    // of the whole source
	samples int          // examples to compare at most; 0 for as many as each measure takes

	classes    *evaluate.Classification // nil where it decides nothing
	likelihood *evaluate.CodeLength     // nil where it has none
	quality    *evaluate.SampleQuality  // nil where it makes nothing
	others     []result                 // further measures
}

// logEntry is a line of metrics.jsonl.
type logEntry struct {
	epoch  float64
	values map[string]float64
}

// openSubject opens a run folder or a model file.
func (a *app) openSubject(path string) (*subject, error) {
	s := &subject{path: path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if err := s.openRun(path); err != nil {
			return nil, err
		}
	}
	var err error
	if s.model, s.file, err = a.load(s.path); err != nil {
		return nil, err
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, err
	}
	s.size, s.name = info.Size(), s.file.Card.Name
	s.entry, err = model.Lookup(s.name)
	return s, err
}

// openRun reads what a run folder has beside the model.
func (s *subject) openRun(dir string) error {
	record, err := readRun(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: a folder without run.json, expected the folder of a run (likely fit --run) or a model file", dir)
	case err != nil:
		return err
	}
	s.path = filepath.Join(dir, "model.safetensors")
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: the run of %s is %s and has no model; end it by fit --resume, and report then", dir, record.Model, record.State)
	}
	s.fit, s.epochs = record.Result, record.Epochs
	if s.log, err = readLog(filepath.Join(dir, "metrics.jsonl")); err != nil {
		return err
	}
	file, err := os.ReadFile(filepath.Join(dir, "progress.gif"))
	if errors.Is(err, fs.ErrNotExist) || len(file) > progressMost {
		return nil
	}
	s.progress = file
	return err
}

// readLog reads the lines of metrics.jsonl that are of whole epochs. A model that is fitted in one go has no such file.
func readLog(path string) ([]logEntry, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var log []logEntry
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		var values map[string]float64
		if err := json.Unmarshal(lines.Bytes(), &values); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w; expected an object of numbers", path, n, err)
		}
		if _, within := values["batch_loss"]; !within {
			log = append(log, logEntry{values["epoch"], values})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return log, nil
}

// nameSubjects gives subjects of one model names that tell them apart.
func nameSubjects(subjects []*subject, words []string) {
	count := map[string]int{}
	for _, s := range subjects {
		count[s.file.Card.Name]++
	}
	for i, s := range subjects {
		if count[s.file.Card.Name] > 1 {
			s.name = fmt.Sprintf("%s (%s)", s.name, strings.TrimSuffix(filepath.Clean(words[i]), ".safetensors"))
		}
	}
}

// openData finds the data to measure on: arg, or where that is empty what the model was fitted on, if it is there under its
// name, here or beside the model file.
func (a *app) openData(ctx context.Context, s *subject, arg string, skipBad bool) error {
	o := data.Options{Schema: s.file.Card.Schema, SkipBad: skipBad}
	made := s.file.Card.Provenance
	if arg != "" {
		source, split, err := a.open(ctx, arg, o)
		if err != nil {
			return err
		}
		return s.take(ctx, source, split)
	}
	s.without = fmt.Sprintf("%s, which the model was fitted on, is not here; name data by --data", made.Data)
	for _, what := range []string{made.Data, filepath.Join(filepath.Dir(s.path), made.Data)} {
		source, _, err := a.open(ctx, what, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue
		}
		if err := s.take(ctx, source, ""); err != nil {
			return err
		}
		if s.same {
			return nil
		}
		s.source, s.set, s.rest = nil, nil, nil
		s.without = fmt.Sprintf("%s here is not the data that the model was fitted on; name data by --data", made.Data)
	}
	a.note("%s: %s", s.name, s.without)
	return nil
}

// take decides which part of a source to measure on.
func (s *subject) take(ctx context.Context, source *data.Source, split string) error {
	if s.entry.Kind == model.Discriminative && !source.All.Schema().Labelled() {
		return unlabelledError(source, s.file.Card.Schema)
	}
	if !s.file.Card.Schema.Labelled() { // a known set keeps labels that the fit ignored
		dropLabels(source)
	}
	set, part, err := testPart(ctx, source, split, s.file.Card.Provenance)
	if err != nil {
		return err
	}
	print, err := data.Fingerprint(ctx, source.All)
	if err != nil {
		return err
	}
	if s.rest, err = restOf(ctx, source, split, s.file.Card.Provenance); err != nil {
		return err
	}
	s.source, s.set, s.part, s.without = source, set, part, ""
	s.same = print == s.file.Card.Provenance.Fingerprint
	s.info, err = data.Describe(ctx, source.Name, source.All)
	return err
}

// resamples are behind the 95% intervals of a classifier's measures.
const resamples = 1000

// measureSubject takes every measure that fits.
func (a *app) measureSubject(ctx context.Context, s *subject, samples int) error {
	s.samples = samples
	if s.set == nil {
		return nil
	}
	a.note("measuring %s on %s of %s", s.name, plural(s.set.Len(), "example", "examples"), s.part)
	results, err := a.measureModel(ctx, s.model, s.set, s.rest, measuring{classifyFlags: classifyFlags{bootstrap: resamples}, samples: samples})
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	s.keep(results)
	return nil
}

// keep sorts measures by what they are of.
func (s *subject) keep(results []result) {
	for _, r := range results {
		switch r := r.(type) {
		case *classified:
			s.classes = r.Classification
		case *evaluate.Classification:
			s.classes = r
		case *evaluate.CodeLength:
			s.likelihood = r
		case *evaluate.SampleQuality:
			s.quality = r
		default:
			s.others = append(s.others, r)
		}
	}
}

// results are all measures, in the order of evaluate.
func (s *subject) results() []result {
	var all []result
	if s.classes != nil {
		all = append(all, s.classes)
	}
	if s.likelihood != nil {
		all = append(all, s.likelihood)
	}
	if s.quality != nil {
		all = append(all, s.quality)
	}
	return append(all, s.others...)
}

// makes reports whether the model can be drawn from.
func (s *subject) makes() bool {
	_, free := s.model.(model.Sampler)
	return free || isConditional(s.model)
}

// drawLike draws n examples, of the classes that the measured part has where the model takes classes.
func (s *subject) drawLike(ctx context.Context, n int, r *rand.Rand) (data.Batch, error) {
	w, err := order(s.model, s.path, s.file.Card.Schema, n, "")
	if err != nil {
		return data.Batch{}, err
	}
	if w.classes != nil && s.set != nil {
		y, err := data.Labels(ctx, s.set)
		if err != nil {
			return data.Batch{}, err
		}
		for i := range w.classes {
			w.classes[i] = y[i*len(y)/n]
		}
	}
	return draw(ctx, s.model, s.file.Card.Schema, w, r)
}
