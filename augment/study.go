package augment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// Arm is what a classifier of a study is fitted to.
type Arm string

const (
	Real      Arm = "real"           // real examples alone: what the other arms are compared with
	Mixed     Arm = "real+synthetic" // and examples drawn from a generator that was fitted to the same real ones
	Synthetic Arm = "synthetic"      // the drawn examples alone
	Classical Arm = "real+classical" // pictures: and moved and mirrored ones
	Smote     Arm = "real+smote"     // tables: and interpolated ones
)

// Study asks whether synthetic data helps a classifier, for several amounts of real data. For each seed and amount it takes that
// many real examples of each class at random from Train, fits the generator to these and to no others, fits the same
// classifier to each arm, and measures it on all of Test, which nothing is fitted to. Within a seed, a greater amount holds the
// smaller ones, and all arms share the real examples, the drawn ones, and the seed of the classifier: so arms are compared
// in pairs.
//
// Equal work. With a classifier that learns in steps, each arm takes Steps optimiser steps on batches of the same size: an arm
// is laid out as a sequence of Steps × batch examples, which shows each of its examples equally often, up to one, in
// one pass. Else the larger arms would be trained longer, and more training would pass for the merit of more data. In the
// classical arm each showing is moved anew, as is usual. A classifier that is fitted to the minimum of its loss needs no such
// care, and gets each example once.
type Study struct {
	Train, Test data.Set
	Generator   model.Spec // must give a model of p(x|y)
	Classifier  model.Spec
	Amounts     []int     // real examples of each class, ascending
	Seeds       []uint64  // different ones, at least two for a verdict
	PerClass    int       // synthetic examples of each class; 0 for as many as there are real ones
	Epochs      int       // of the generator; 0 for its recipe's
	Steps       int       // of the classifier, where it learns in steps
	Variation   Variation // of the classical arm
	Metric      Metric
	Compute     model.Run // of which Backend and Threads say how to compute
}

// Fit is a classifier that was fitted and measured.
type Fit struct {
	Real    int       `json:"real_per_class"`
	Seed    uint64    `json:"seed"`
	Arm     Arm       `json:"arm"`
	Seconds float64   `json:"seconds"`
	Scores  []float64 `json:"scores"` // of each test example, whose mean is the metric
}

// Progress is how far a study has come.
type Progress struct {
	Done, Total int            // classifiers
	What        string         // is being fitted
	Fit         model.Progress // of that
	Remaining   time.Duration  // estimated, of the study; negative unknown
}

// Arms lists the arms, in the order in which they are fitted.
func (s *Study) Arms() []Arm {
	if s.Train.Schema().IsImage() {
		return []Arm{Real, Mixed, Synthetic, Classical}
	}
	return []Arm{Real, Mixed, Synthetic, Smote}
}

// BatchSize is the number of examples in a step of a recipe, 0 where it is not fitted in steps: it has the settings epochs and
// batch where it is.
func BatchSize(spec model.Spec) int {
	batch, epochs := 0, false
	for _, f := range model.Fields(spec) {
		switch f.Name {
		case "batch":
			batch, _ = strconv.Atoi(f.Value) // 0 of a text that is no number
		case "epochs":
			epochs = true
		}
	}
	if !epochs {
		return 0
	}
	return batch
}

// Check reports what of the study makes no sense.
func (s *Study) Check(ctx context.Context) error {
	if !s.Train.Schema().Labelled() || !s.Test.Schema().Labelled() {
		return data.ErrNoLabels
	}
	y, err := data.Labels(ctx, s.Train)
	if err != nil {
		return err
	}
	classes := s.Train.Schema().Classes
	have := make([]int, len(classes))
	for _, k := range y {
		have[k]++
	}
	switch least := slices.Index(have, slices.Min(have)); {
	case len(s.Amounts) == 0 || len(s.Seeds) == 0:
		return errors.New("a study without amounts or without seeds, expected at least one of each")
	case !slices.IsSorted(s.Amounts) || len(slices.Compact(slices.Clone(s.Amounts))) < len(s.Amounts):
		return fmt.Errorf("amounts of real examples %v, expected ascending numbers", s.Amounts)
	case len(slices.Compact(slices.Sorted(slices.Values(s.Seeds)))) < len(s.Seeds):
		return fmt.Errorf("seeds %v, expected different ones: the same seed again tells nothing new", s.Seeds)
	case s.Amounts[0] < 2:
		return fmt.Errorf("%d real examples of each class, expected at least 2", s.Amounts[0])
	case s.Amounts[len(s.Amounts)-1] > have[least]:
		return fmt.Errorf("%d real examples of each class asked for, but the train part has %d of class %q; expected at most that many",
			s.Amounts[len(s.Amounts)-1], have[least], classes[least])
	case s.PerClass < 0:
		return fmt.Errorf("%d synthetic examples of each class, expected at least 1", s.PerClass)
	case BatchSize(s.Classifier) > 0 && s.Steps < 1:
		return fmt.Errorf("%d steps of the classifier, expected at least 1", s.Steps)
	case s.Test.Len() < 2:
		return fmt.Errorf("%d test examples, expected at least 2", s.Test.Len())
	}
	if s.Train.Schema().IsImage() {
		_, err = s.Variation.Of(s.Train, 0)
	}
	return err
}

// The streams of random numbers of a seed.
const (
	streamSubset uint64 = iota + 1
	streamDraw
	streamVary
	streamSmote
	streamCycle
)

func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream<<32)) }

// cell names a classifier of a study.
type cell struct {
	real int
	seed uint64
	arm  Arm
}

func (f *Fit) cell() cell { return cell{f.Real, f.Seed, f.Arm} }

// Run fits and measures what is not among have, the fits of an earlier run of the same study. Each new one goes to keep, and all
// are returned, by seed, amount and arm. watch is told how far it has come.
func (s *Study) Run(ctx context.Context, have []Fit, watch func(Progress), keep func(Fit) error) ([]Fit, error) {
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	known := map[cell]Fit{}
	for _, f := range have {
		if len(f.Scores) != s.Test.Len() {
			return nil, fmt.Errorf("the earlier fit of %s to %d real examples a class has %d scores, expected one for each of %d test examples",
				f.Arm, f.Real, len(f.Scores), s.Test.Len())
		}
		known[f.cell()] = f
	}
	labels, err := data.Labels(ctx, s.Train)
	if err != nil {
		return nil, err
	}
	c := s.newClock(known, watch)
	var fits []Fit
	for _, seed := range s.Seeds {
		order := shuffled(labels, len(s.Train.Schema().Classes), random(seed, streamSubset))
		for _, amount := range s.Amounts {
			p := &pool{study: s, seed: seed, amount: amount, real: firstOfEach(s.Train, order, amount), clock: c}
			for _, arm := range s.Arms() {
				f, ok := known[cell{amount, seed, arm}]
				if !ok {
					if f, err = p.fit(ctx, arm); err == nil {
						err = keep(f)
					}
					if err != nil {
						return nil, fmt.Errorf("%s of %d real examples a class, seed %d: %w", arm, amount, seed, err)
					}
				}
				fits = append(fits, f)
			}
		}
	}
	return fits, nil
}

// shuffled lists the examples of each class in a random order.
func shuffled(labels []int32, classes int, r *rand.Rand) [][]int {
	members := make([][]int, classes)
	for i, y := range labels {
		members[y] = append(members[y], i)
	}
	for _, m := range members {
		r.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
	}
	return members
}

// firstOfEach is the first n examples of each class.
func firstOfEach(s data.Set, order [][]int, n int) data.Set {
	var index []int
	for _, m := range order {
		index = append(index, m[:n]...)
	}
	return data.Subset(s, index)
}

// pool is the examples of one seed and amount.
type pool struct {
	study     *Study
	seed      uint64
	amount    int
	real      data.Set
	synthetic data.Set // nil until it is needed
	clock     *clock
}

func (p *pool) run() model.Run {
	return model.Run{Seed: p.seed, Threads: p.study.Compute.Threads, Backend: p.study.Compute.Backend}
}

// extra is how many examples of each class the enlarged arms have beside the real ones.
func (p *pool) extra() int {
	if p.study.PerClass > 0 {
		return p.study.PerClass
	}
	return p.amount
}

// fit fits and measures the classifier of an arm.
func (p *pool) fit(ctx context.Context, arm Arm) (Fit, error) {
	s := p.study
	set, err := p.examples(ctx, arm)
	if err != nil {
		return Fit{}, err
	}
	run := p.run()
	if batch := BatchSize(s.Classifier); batch > 0 {
		set, run.Epochs = Cycle(set, s.Steps*batch, random(p.seed, streamCycle)), 1
	}
	run.Progress = p.clock.begin(fmt.Sprintf("%s, %d a class, seed %d", arm, p.amount, p.seed), false)
	m, _, err := s.Classifier.Fit(ctx, set, run)
	if err != nil {
		return Fit{}, err
	}
	c, ok := m.(model.Classifier)
	if !ok {
		return Fit{}, errors.New("the model is no classifier, expected one of p(y|x)")
	}
	scores, err := s.Metric.scores(ctx, c, s.Test)
	if err != nil {
		return Fit{}, err
	}
	return Fit{Real: p.amount, Seed: p.seed, Arm: arm, Seconds: p.clock.end(), Scores: scores}, nil
}

// examples is what an arm holds.
func (p *pool) examples(ctx context.Context, arm Arm) (data.Set, error) {
	s := p.study
	switch arm {
	case Real:
		return p.real, nil
	case Classical:
		copies := p.extra() * len(s.Train.Schema().Classes)
		if batch := BatchSize(s.Classifier); batch > 0 { // so many that no moved picture is shown twice
			copies = max(0, s.Steps*batch-p.real.Len())
		}
		moved, err := s.Variation.Of(Cycle(p.real, copies, random(p.seed, streamVary)), p.seed)
		if err != nil {
			return nil, err
		}
		return data.Concat(p.real, moved)
	case Smote:
		made, err := SMOTE(ctx, p.real, p.extra(), DefaultNeighbours, random(p.seed, streamSmote))
		if err != nil {
			return nil, err
		}
		return data.Concat(p.real, made)
	}
	if p.synthetic == nil {
		if err := p.generate(ctx); err != nil {
			return nil, err
		}
	}
	if arm == Synthetic {
		return p.synthetic, nil
	}
	return data.Concat(p.real, p.synthetic)
}

// generate fits the generator to the real examples and draws from it.
func (p *pool) generate(ctx context.Context) error {
	s := p.study
	run := p.run()
	run.Epochs = s.Epochs
	run.Progress = p.clock.begin(fmt.Sprintf("the generator, %d a class, seed %d", p.amount, p.seed), true)
	g, _, err := s.Generator.Fit(ctx, p.real, run)
	if err != nil {
		return err
	}
	schema := p.real.Schema()
	y := Balanced(len(schema.Classes), p.extra())
	p.synthetic, err = Draw(ctx, g, schema, len(y), y, random(p.seed, streamDraw))
	p.clock.end()
	return err
}

// clock tells how far a study has come and how long it will take: the fits that are left, each as long as the mean of its kind
// so far.
type clock struct {
	watch       func(Progress)
	progress    Progress
	left        [2]int // classifiers and generators that are not fitted yet, the present one among them
	done        [2]int
	spent       [2]time.Duration
	kind        int // of the present fit: 0 a classifier, 1 a generator
	began       time.Time
	currentLeft time.Duration // of the present fit; negative unknown
}

func (s *Study) newClock(known map[cell]Fit, watch func(Progress)) *clock {
	c := &clock{watch: watch}
	for _, seed := range s.Seeds {
		for _, amount := range s.Amounts {
			generator := 0
			for _, arm := range s.Arms() {
				c.progress.Total++
				if _, ok := known[cell{amount, seed, arm}]; ok {
					c.progress.Done++
					continue
				}
				c.left[0]++
				if arm == Mixed || arm == Synthetic {
					generator = 1
				}
			}
			c.left[1] += generator
		}
	}
	return c
}

// begin starts the time of a fit, and returns what its progress goes to.
func (c *clock) begin(what string, generator bool) func(model.Progress) {
	c.kind = 0
	if generator {
		c.kind = 1
	}
	c.began, c.currentLeft, c.progress.What = time.Now(), -1, what
	tell := func(p model.Progress) {
		c.currentLeft, c.progress.Fit = p.Remaining, p
		c.progress.Remaining = c.remaining()
		c.watch(c.progress)
	}
	tell(model.Progress{Remaining: -1})
	return tell
}

// end stops the time of a fit and returns its seconds.
func (c *clock) end() float64 {
	d := time.Since(c.began)
	c.left[c.kind]--
	c.done[c.kind]++
	c.spent[c.kind] += d
	if c.kind == 0 {
		c.progress.Done++
	}
	return d.Seconds()
}

func (c *clock) remaining() time.Duration {
	var total time.Duration
	for kind := range c.left {
		left, mean := c.left[kind], time.Duration(-1)
		if c.done[kind] > 0 {
			mean = c.spent[kind] / time.Duration(c.done[kind])
		}
		if kind == c.kind {
			current := c.currentLeft
			switch passed := time.Since(c.began); {
			case mean < 0 && current < 0:
				return -1
			case mean < 0:
				mean = passed + current
			case current < 0:
				current = max(0, mean-passed)
			}
			left--
			total += max(0, current)
		}
		if left > 0 {
			if mean < 0 {
				return -1
			}
			total += time.Duration(left) * mean
		}
	}
	return total
}
