package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
)

// scorer is the likelihood that a model has of an example.
type scorer struct {
	column   string // what it is: log_prob, log_bound or log_estimate, and _given_label where it is of p(x|y)
	given    bool   // it needs the label
	draws    int    // behind a bound; 0 for others
	estimate bool   // it has an error of the method
	of       string // of what, where that is not x itself (model.Reducer)
	score    func(dst []float64, x data.Batch, r *rand.Rand) error
}

// newScorer takes the best that a model has: a density before a bound before an estimate, and p(x) before p(x|y), since what is to
// be judged may be of no class at all.
func newScorer(m model.Model, draws int) (*scorer, bool) {
	s := &scorer{}
	if reducer, ok := m.(model.Reducer); ok {
		s.of = reducer.LikelihoodOf()
	}
	switch m := m.(type) {
	case model.Density:
		s.column = "log_prob"
		s.score = func(dst []float64, x data.Batch, _ *rand.Rand) error { return m.LogProb(dst, x) }
		return s, true
	case model.DrawnDensity:
		s.column = "log_prob"
		s.score = m.LogProbDrawn
		return s, true
	case model.ImportanceBound:
		s.column, s.draws = "log_bound", draws
		s.score = func(dst []float64, x data.Batch, r *rand.Rand) error { return m.LogImportanceBound(dst, x, draws, r) }
		return s, true
	case model.Bound:
		s.column, s.draws = "log_bound", 1
		s.score = m.LogBound
		return s, true
	case model.Estimator:
		s.column, s.estimate = "log_estimate", true
		s.score = m.LogEstimate
		return s, true
	}
	s.given = true
	switch m := m.(type) {
	case model.CondDensity:
		s.column = "log_prob_given_label"
		s.score = func(dst []float64, x data.Batch, _ *rand.Rand) error { return m.LogProbGiven(dst, x, x.Y) }
		return s, m.Classes() > 0
	case model.CondDrawnDensity:
		s.column = "log_prob_given_label"
		s.score = func(dst []float64, x data.Batch, r *rand.Rand) error { return m.LogProbDrawnGiven(dst, x, x.Y, r) }
		return s, m.Classes() > 0
	case model.CondImportanceBound:
		s.column, s.draws = "log_bound_given_label", draws
		s.score = func(dst []float64, x data.Batch, r *rand.Rand) error {
			return m.LogImportanceBoundGiven(dst, x, x.Y, draws, r)
		}
		return s, m.Classes() > 0
	case model.CondBound:
		s.column, s.draws = "log_bound_given_label", 1
		s.score = func(dst []float64, x data.Batch, r *rand.Rand) error { return m.LogBoundGiven(dst, x, x.Y, r) }
		return s, m.Classes() > 0
	case model.CondEstimator:
		s.column, s.estimate = "log_estimate_given_label", true
		s.score = func(dst []float64, x data.Batch, r *rand.Rand) error { return m.LogEstimateGiven(dst, x, x.Y, r) }
		return s, m.Classes() > 0
	}
	return nil, false
}

// score is one example's row. Infinite numbers are null in JSON.
type score struct {
	file      string
	log, bits float64
	p         float64 // NaN without --familiar
}

func (a *app) runScore(ctx context.Context, m model.Model, file *model.File, path, arg string, f predictFlags) error {
	s, ok := newScorer(m, f.draws)
	if !ok {
		return usagef("%s holds the model %s, which has no likelihood of x; expected a density, such as gaussian, a bound, such as vae, or an estimate, such as flowmatching", path, file.Card.Name)
	}
	schema := *file.Card.Schema
	if !s.given { // labels are not looked at, and may be of classes that the model does not know
		schema.Classes = nil
	}
	source, set, err := a.openPart(ctx, arg, data.Options{Schema: &schema, SkipBad: f.skipBad})
	if err != nil {
		return err
	}
	if s.given && !set.Schema().Labelled() {
		return unlabelledError(source, file.Card.Schema)
	}
	var familiar []float64
	if f.familiar != "" {
		if familiar, err = a.familiarScores(ctx, s, file, f); err != nil {
			return err
		}
	}
	log, err := a.scores(ctx, s, set, 0)
	if err != nil {
		return err
	}
	rows := make([]score, len(log))
	for i, l := range log {
		rows[i] = score{data.File(set, i), l, -l / (float64(schema.Size()) * math.Ln2), pValue(familiar, l)}
	}

	header := []string{s.column}
	if data.File(set, 0) != "" {
		header = []string{"file", s.column}
	}
	if schema.IsImage() {
		header = append(header, "bits_per_dim")
	}
	if familiar != nil {
		header = append(header, "p_value")
	}
	a.note("%s", s.about(&schema))
	write := func(w io.Writer) error { return writeScores(w, header, rows) }
	if f.out != "" {
		if err := atomicfile.Write(f.out, write); err != nil {
			return err
		}
		a.note("wrote %s to %s, seed %d", plural(len(rows), "score", "scores"), f.out, a.seed)
	}
	switch {
	case a.json:
		object := map[string]any{"model": file.Card.Name, "n": len(rows), "seed": a.seed, "is_bound": s.draws > 0,
			"is_estimate": s.estimate, "given_label": s.given}
		if s.draws > 0 {
			object["draws"] = s.draws
		}
		if s.of != "" {
			object["likelihood_of"] = s.of
		}
		if familiar != nil {
			object["familiar"] = len(familiar)
		}
		if f.out != "" {
			object["out"] = f.out
		} else {
			object["scores"] = jsonScores(header, rows)
		}
		return a.printJSON(object)
	case f.out == "":
		return write(a.stdout)
	}
	return nil
}

// about says in words what the scores are.
func (s *scorer) about(schema *data.Schema) string {
	what := "log p(x)"
	if s.given {
		what = "log p(x|y)"
	}
	switch {
	case s.draws > 0:
		what = fmt.Sprintf("on average at most %s, by %s", what, plural(s.draws, "draw", "draws"))
	case s.estimate:
		what = "an estimate of " + what
	}
	unit := "per raw unit of x"
	switch {
	case s.of != "":
		unit = "of " + s.of
	case schema.IsImage():
		unit = "per raw pixel value"
	}
	return fmt.Sprintf("%s: %s, in nats %s", s.column, what, unit)
}

// familiarScores are the scores of the data of --familiar, in ascending order: of its test part, or the part that the fit
// held out, as "likely evaluate" takes it.
func (a *app) familiarScores(ctx context.Context, s *scorer, file *model.File, f predictFlags) ([]float64, error) {
	source, split, err := a.open(ctx, f.familiar, data.Options{Schema: file.Card.Schema, SkipBad: f.skipBad})
	if err != nil {
		return nil, fmt.Errorf("--familiar: %w", err)
	}
	set, which, err := testPart(ctx, source, split, file.Card.Provenance)
	if err != nil {
		return nil, err
	}
	if s.given && !set.Schema().Labelled() {
		return nil, unlabelledError(source, file.Card.Schema)
	}
	a.note("familiar: %s of %s; the least p_value is %.2g", plural(set.Len(), "example", "examples"), which, pValue(make([]float64, set.Len()), -1))
	log, err := a.scores(ctx, s, set, 1)
	slices.Sort(log)
	return log, err
}

// scores are those of all examples of a set, with random numbers of their own stream.
func (a *app) scores(ctx context.Context, s *scorer, set data.Set, stream uint64) ([]float64, error) {
	r := rand.New(rand.NewPCG(a.seed, stream))
	log := make([]float64, set.Len())
	m := a.meter()
	defer m.end()
	err := data.Each(ctx, set, func(first int, b data.Batch) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		dst := log[first : first+b.Len()]
		if err := s.score(dst, b, r); err != nil {
			return err
		}
		for i, l := range dst {
			if math.IsNaN(l) {
				return fmt.Errorf("the model gives example %d a log-probability that is not a number", first+i+1)
			}
		}
		m.data(data.Progress{Stage: "scoring", Done: int64(first + b.Len()), Total: int64(set.Len()), Unit: "examples"})
		return nil
	})
	return log, err
}

// pValue is the conformal p-value of a score among n familiar ones, in ascending order: with the shares of these, the score
// itself counted in, that are no greater and no less,
//
//	p = min(1, 2 min(low, high)),  low = (1 + |{f ≤ log}|)/(1 + n),  high = (1 + |{f ≥ log}|)/(1 + n)
//
// Where the example and they are draws from one distribution, it is at most α with a probability of at most α (Vovk, Gammerman
// and Shafer, Algorithmic learning in a random world, 2005, proposition 2.8). Both sides count because a density may find
// something simpler than all that it has learned, such as a blank picture, likelier than any of it (Nalisnick et al.,
// Detecting out-of-distribution inputs to deep generative models using typicality, 2019). It is NaN without familiar ones.
func pValue(familiar []float64, log float64) float64 {
	if familiar == nil {
		return math.NaN()
	}
	less, _ := slices.BinarySearch(familiar, log)
	noGreater, _ := slices.BinarySearchFunc(familiar, log, func(have, l float64) int {
		if have <= l {
			return -1
		}
		return 1
	})
	n := len(familiar)
	return min(1, 2*float64(1+min(noGreater, n-less))/float64(1+n))
}

// cells are the values of a row under the columns of the header.
func (s score) cells(header []string) []any {
	list := make([]any, len(header))
	for j, name := range header {
		switch name {
		case "file":
			list[j] = s.file
		case "bits_per_dim":
			list[j] = s.bits
		case "p_value":
			list[j] = s.p
		default:
			list[j] = s.log
		}
	}
	return list
}

func writeScores(w io.Writer, header []string, rows []score) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	line := make([]string, len(header))
	for _, row := range rows {
		for j, v := range row.cells(header) {
			switch v := v.(type) {
			case string:
				line[j] = v
			case float64:
				line[j] = strconv.FormatFloat(v, 'g', 8, 64)
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// jsonScores are the rows as JSON objects. Infinite numbers are null.
func jsonScores(header []string, rows []score) []map[string]any {
	list := make([]map[string]any, len(rows))
	for i, row := range rows {
		list[i] = map[string]any{}
		for j, v := range row.cells(header) {
			if x, ok := v.(float64); ok {
				v = finite(x)
			}
			list[i][header[j]] = v
		}
	}
	return list
}
