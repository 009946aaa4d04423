package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/discriminative"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/inception"
	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/train"
)

// The feature spaces of --features that are no file.
const (
	spacePCA        = "pca"
	spaceClassifier = "classifier"
)

const (
	// spaceSeed is of the classifier whose features samples are compared in. It is not --seed: the space is to depend on the data alone.
	spaceSeed = 1
	// leastToLearn is how many examples a classifier learns features from at least; of fewer, principal components tell more.
	leastToLearn = 100
	// mostToLearn keeps that fit to seconds.
	mostToLearn = 10000
)

// smallClassifier is the recipe of a classifier that learns pictures in seconds. Its layer before the logits has 32 units, few
// enough that some hundred examples give their covariance.
func smallClassifier(s *data.Schema) (name string, recipe model.Spec) {
	if !s.IsImage() {
		return "logistic", model.NewRecipe[discriminative.Logistic]()
	}
	r := model.NewRecipe[discriminative.CNN]()
	r.Channels, r.Depth, r.Dense, r.Dropout = []int{16, 32}, 1, []int{32}, 0
	return "cnn channels=16,32 depth=1 dense=32 dropout=0", r
}

// openSpace checks what was asked for against the model, and opens the file that names the space in which samples are compared, if there is
// one. It comes before the data is read, so that a wrong file is told at once.
func (a *app) openSpace(ctx context.Context, m model.Model, schema *data.Schema, how *measuring) error {
	if err := how.checkModel(m, schema); err != nil {
		return err
	}
	var err error
	switch {
	case how.inception != "":
		if how.space, err = a.inceptionSpace(ctx, how.inception, schema); err != nil {
			return fmt.Errorf("--inception: %w", err)
		}
	case how.features != "" && how.features != spacePCA && how.features != spaceClassifier:
		how.space, err = a.spaceOfFile(how.features, schema.Shape)
	}
	return err
}

// errNoClassifierSpace: a classifier cannot learn the features.
var errNoClassifierSpace = fmt.Errorf("--features %s is for pictures with labels; expected %s or the file of a classifier", spaceClassifier, spacePCA)

// samplesSpace is the feature space that --features asks for where that is no file, nil for evaluate's own. Left out, it is a classifier's
// where the data is pictures with labels. rest is labelled data that is not measured, which the classifier is fitted to; where it is nil, that is the half of
// set that samples are compared with.
func (a *app) samplesSpace(ctx context.Context, asked string, set, rest data.Set, samples int) (*evaluate.Space, error) {
	schema := set.Schema()
	if asked == spacePCA || !schema.IsImage() || !schema.Labelled() {
		return nil, nil
	}
	of := "the data's train part"
	if rest == nil {
		var err error
		if rest, _, err = evaluate.Halves(set, samples, a.seed); err != nil {
			return nil, err
		}
		of = "the half compared with"
	}
	several, err := severalClasses(ctx, rest)
	if err != nil {
		return nil, err
	}
	if n := rest.Len(); n < leastToLearn || !several {
		if asked == "" {
			return nil, nil
		}
		return nil, fmt.Errorf("--features %s: %s to learn features from, expected at least %d of two classes; use --features %s",
			spaceClassifier, plural(n, "example", "examples"), leastToLearn, spacePCA)
	} else if n > mostToLearn {
		_, part, err := data.Split(ctx, rest, mostToLearn/float64(n), spaceSeed)
		if err != nil {
			return nil, err
		}
		rest = part
	}
	recipe, spec := smallClassifier(schema)
	run := a.compute()
	run.Seed = spaceSeed
	a.note("fitting a small classifier to %s for its features", plural(rest.Len(), "real example", "real examples"))
	m, _, err := spec.Fit(ctx, rest, run)
	if err != nil {
		return nil, fmt.Errorf("the classifier of --features: %w", err)
	}
	f := m.(model.Featurer) // as every cnn is
	name := fmt.Sprintf("%d features before the logits of %s fitted to %d examples of %s v1", f.FeatureSize(), recipe, rest.Len(), of)
	return &evaluate.Space{Name: name, Size: f.FeatureSize(), Embed: f.Features}, nil
}

// severalClasses reports whether a set has examples of at least two classes.
func severalClasses(ctx context.Context, s data.Set) (bool, error) {
	y, err := data.Labels(ctx, s)
	return slices.ContainsFunc(y, func(k int32) bool { return k != y[0] }), err
}

// spaceOfFile is the space of a classifier's features.
func (a *app) spaceOfFile(path string, shape data.Shape) (*evaluate.Space, error) {
	m, file, err := a.load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--features %s: no such file%s; expected %s, %s or the model file of a cnn or an mlp",
			path, suggest.Hint(path, []string{spacePCA, spaceClassifier}), spacePCA, spaceClassifier)
	}
	if err != nil {
		return nil, fmt.Errorf("--features: %w", err)
	}
	if c, ok := m.(*model.Calibrated); ok { // its features are those of the network before the calibration
		m = c.Classifier
	}
	f, ok := m.(model.Featurer)
	switch {
	case !ok:
		return nil, fmt.Errorf("--features %s holds the model %s, which has no features; expected a cnn or an mlp, or %s or %s",
			path, file.Card.Name, spaceClassifier, spacePCA)
	case m.Shape() != shape:
		return nil, fmt.Errorf("--features %s takes examples of %v, and the data has %v", path, m.Shape(), shape)
	}
	p := file.Card.Provenance
	name := fmt.Sprintf("%d features before the logits of %s (%s fitted to %d examples of %s, seed %d) v1",
		f.FeatureSize(), filepath.Base(path), file.Card.Name, p.Examples, p.Data, file.Card.Seed)
	return &evaluate.Space{Name: name, Size: f.FeatureSize(), Embed: f.Features}, nil
}

// inceptionBatch is how many pictures go through Inception-v3 at a time: few enough that all takes less than 1 GB.
const inceptionBatch = 8

// inceptionSpace is the space of pool3 of Inception-v3, with the weights in a file.
func (a *app) inceptionSpace(ctx context.Context, path string, schema *data.Schema) (*evaluate.Space, error) {
	w, err := inception.Load(path)
	if err != nil {
		return nil, err
	}
	backend, err := train.Backend(a.backend, a.threads)
	if err != nil {
		return nil, err
	}
	n, err := inception.New(w, backend, inceptionBatch)
	if err != nil {
		return nil, err
	}
	a.note("fid is the FID of the literature only if %s has the published weights, which cannot be told from the file", filepath.Base(path))
	largest := schema.MaxValue
	return &evaluate.Space{
		Name: w.Name(), Size: inception.Size, AsPublished: true, IsInception: true,
		Embed: func(dst []float32, x data.Batch) error { return n.Features(ctx, dst, x, largest) },
	}, nil
}

// restOf is the labelled part of a source that testPart leaves, from which something may be learned: nil where there is none.
func restOf(ctx context.Context, s *data.Source, split string, p model.Provenance) (data.Set, error) {
	if split == "all" || split == "train" || !s.All.Schema().Labelled() {
		return nil, nil
	}
	if s.HasTest() {
		return s.Train, nil
	}
	print, err := data.Fingerprint(ctx, s.All)
	if err != nil || print != p.Fingerprint || p.TestFraction == 0 {
		return nil, err
	}
	rest, _, err := data.Split(ctx, s.All, p.TestFraction, p.Seed)
	return rest, err
}
