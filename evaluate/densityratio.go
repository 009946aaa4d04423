package evaluate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/divergence"
	"github.com/likely-ml/likely/model"
)

// RatioFolds is the usual number of folds of [DensityRatio].
const RatioFolds = 3

// recalibrated is the share of the examples to learn from on which the log-odds are put right.
const recalibrated = 0.15

// DensityRatio estimates divergences of the distributions p and q that two sets were drawn from, by a classifier that tells
// them apart: p(P|x)/p(Q|x) is p(x)/q(x) times the ratio of the class shares (Sugiyama, Suzuki and Kanamori, Density ratio
// estimation in machine learning, 2012, chapter 4). Labels of the sets are not looked at.
//
// Both sets are cut into folds, and each part is judged by a classifier that learned from the other parts alone: so every
// example is used, and none by a classifier that has seen it (cross-fitting). Of what a classifier learns from, 15% are set
// aside as its validation part, on which two numbers a and b are then learned that turn its log-odds t into a t + b (Platt,
// Probabilistic outputs for support vector machines, 1999): an overconfident classifier would exaggerate. run gives seed,
// threads and the rest; its Validation is not used.
func DensityRatio(ctx context.Context, spec model.Spec, p, q data.Set, folds int, run model.Run) (*divergence.ClassifierDivergences, error) {
	both, err := newRivals(p, q)
	if err != nil {
		return nil, err
	}
	if folds < 2 {
		return nil, fmt.Errorf("%d folds, expected at least 2", folds)
	}
	const least = 10 // of either set in a fold: fewer and a validation part has none
	if n := min(p.Len(), q.Len()); n < least*folds {
		return nil, fmt.Errorf("%d and %d examples to tell apart in %d folds, expected at least %d of each", p.Len(), q.Len(), folds, least*folds)
	}
	odds := make([]float64, both.Len())
	r := streamRatio.rand(run.Seed)
	foldP, foldQ := deal(p.Len(), folds, r), deal(q.Len(), folds, r)
	for fold := range folds {
		var learn, validate, judge []int
		take := func(dealt [][]int, first int) {
			for f, part := range dealt {
				keep := len(part)
				if f != fold {
					keep = len(part) - int(math.Ceil(recalibrated*float64(len(part))))
				}
				for i, at := range part {
					switch {
					case f == fold:
						judge = append(judge, first+at)
					case i < keep:
						learn = append(learn, first+at)
					default:
						validate = append(validate, first+at)
					}
				}
			}
		}
		take(foldP, 0)
		take(foldQ, p.Len())
		if err := both.judge(ctx, odds, spec, learn, validate, judge, run); err != nil {
			return nil, fmt.Errorf("classifier %d of %d: %w", fold+1, folds, err)
		}
	}
	return divergence.FromLogOdds(odds[:p.Len()], odds[p.Len():])
}

// deal cuts a permutation of n numbers into nearly equal parts.
func deal(n, parts int, r *rand.Rand) [][]int {
	order := r.Perm(n)
	out := make([][]int, parts)
	for k := range out {
		out[k] = order[n*k/parts : n*(k+1)/parts]
	}
	return out
}

// rivals are the examples of two sets, one after the other, whose class is the set that they are of.
type rivals struct {
	data.Set
	first  int // of the second set
	schema *data.Schema
}

func newRivals(p, q data.Set) (*rivals, error) {
	plainP, plainQ := without(p), without(q)
	both, err := data.Concat(plainP, plainQ)
	if err != nil {
		return nil, fmt.Errorf("q cannot be compared with p: %w", err)
	}
	schema := *both.Schema()
	schema.Classes, schema.Label = []string{"p", "q"}, ""
	return &rivals{both, p.Len(), &schema}, nil
}

func (s *rivals) Schema() *data.Schema { return s.schema }

func (s *rivals) Labels(context.Context) ([]int32, error) {
	y := make([]int32, s.Len())
	for i := s.first; i < len(y); i++ {
		y[i] = 1
	}
	return y, nil
}

func (s *rivals) Read(ctx context.Context, dst data.Batch, index []int) error {
	if dst.Y != nil && len(dst.Y) != len(index) {
		return fmt.Errorf("batch holds %d labels, expected %d", len(dst.Y), len(index))
	}
	for k := range dst.Y {
		dst.Y[k] = 0
		if index[k] >= s.first {
			dst.Y[k] = 1
		}
	}
	return s.Set.Read(ctx, data.Batch{Shape: dst.Shape, X: dst.X}, index)
}

// plain is a set whose labels are not looked at.
type plain struct {
	data.Set
	schema *data.Schema
}

func without(s data.Set) data.Set {
	schema := *s.Schema()
	schema.Classes, schema.Label = nil, ""
	return &plain{s, &schema}
}

func (s *plain) Schema() *data.Schema { return s.schema }

// judge sets the log-odds of the examples to judge, by a classifier that learns from others, as log p(x)/q(x).
func (s *rivals) judge(ctx context.Context, odds []float64, spec model.Spec, learn, validate, judge []int, run model.Run) error {
	run.Validation = data.Subset(s, validate)
	m, _, err := spec.Fit(ctx, data.Subset(s, learn), run)
	if err != nil {
		return err
	}
	c, ok := m.(model.Classifier)
	if !ok {
		return fmt.Errorf("the model is no classifier: it has no p(y|x)")
	}
	correction := 0.0
	for _, i := range learn {
		if i < s.first {
			correction++
		}
	}
	correction = math.Log(correction / (float64(len(learn)) - correction))
	raw := make([]float64, len(validate))
	if err := s.logOdds(ctx, raw, c, validate, correction); err != nil {
		return err
	}
	var line platt
	line.fit(raw, func(i int) bool { return validate[i] < s.first })
	out := make([]float64, len(judge))
	if err := s.logOdds(ctx, out, c, judge, correction); err != nil {
		return err
	}
	for k, i := range judge {
		odds[i] = line.slope*out[k] + line.shift
	}
	return nil
}

// logOdds sets dst to log p(P|x) - log p(Q|x) - correction.
func (s *rivals) logOdds(ctx context.Context, dst []float64, c model.Classifier, index []int, correction float64) error {
	posterior := make([]float64, 2*256)
	return data.Each(ctx, data.Subset(s, index), func(first int, b data.Batch) error {
		if 2*b.Len() > len(posterior) {
			posterior = make([]float64, 2*b.Len())
		}
		log := posterior[:2*b.Len()]
		if err := c.LogPosterior(log, data.Batch{Shape: b.Shape, X: b.X}); err != nil {
			return err
		}
		for i := range b.Len() {
			v := log[2*i] - log[2*i+1] - correction
			if v-v != 0 {
				at, of := index[first+i], "p"
				if at >= s.first {
					at, of = at-s.first, "q"
				}
				return fmt.Errorf("the classifier gives example %d of %s the log-odds %v, expected a finite number: "+
					"choose one that gives no probability of 0", at, of, v)
			}
			dst[first+i] = v
		}
		return nil
	})
}

// platt turns log-odds t into slope t + shift.
type platt struct{ slope, shift float64 }

// fit minimises the mean log loss of the examples of p, plus that of those of q, plus (slope - 1)²/n, which keeps the slope
// finite where the two do not overlap. The loss is convex, and Newton's method with halved steps finds the minimum.
func (l *platt) fit(t []float64, isP func(i int) bool) {
	weight := make([]float64, len(t))
	sign := make([]float64, len(t))
	n := 0
	for i := range t {
		if isP(i) {
			n++
		}
	}
	for i := range t {
		if sign[i], weight[i] = -1, 1/float64(len(t)-n); isP(i) {
			sign[i], weight[i] = 1, 1/float64(n)
		}
	}
	ridge := 1 / float64(len(t))
	loss := func(slope, shift float64) float64 {
		sum := ridge * (slope - 1) * (slope - 1)
		for i, v := range t {
			z := sign[i] * (slope*v + shift)
			sum += weight[i] * (max(-z, 0) + math.Log1p(math.Exp(-math.Abs(z))))
		}
		return sum
	}
	l.slope, l.shift = 1, 0
	now := loss(1, 0)
	for range 50 {
		g1, g2 := 2*ridge*(l.slope-1), 0.0
		h11, h12, h22 := 2*ridge, 0.0, 0.0
		for i, v := range t {
			p := 1 / (1 + math.Exp(sign[i]*(l.slope*v+l.shift))) // of the wrong answer
			g, h := -sign[i]*weight[i]*p, weight[i]*p*(1-p)
			g1 += g * v
			g2 += g
			h11 += h * v * v
			h12 += h * v
			h22 += h
		}
		det := h11*h22 - h12*h12
		if !(det > 1e-14*h11*max(h22, ridge)) {
			h22 += ridge // nobody is in doubt: the shift is not known, and stays near
			det = h11*h22 - h12*h12
		}
		stepSlope, stepShift := (h22*g1-h12*g2)/det, (h11*g2-h12*g1)/det
		size := 1.0
		next := loss(l.slope-stepSlope, l.shift-stepShift)
		for ; !(next < now) && size > 1e-6; size /= 2 {
			next = loss(l.slope-size/2*stepSlope, l.shift-size/2*stepShift)
		}
		if !(next < now) {
			return
		}
		l.slope, l.shift = l.slope-size*stepSlope, l.shift-size*stepShift
		if now-next < 1e-12 {
			return
		}
		now = next
	}
}
