package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// PrivacyOptions says how Privacy looks. The zero value draws MaxSamples examples.
type PrivacyOptions struct {
	// Generated are examples that were made before, to be looked at instead of fresh draws; nil for none.
	Generated data.Set
	// N is how many generated examples to look at, at most; 0 is MaxSamples, or fewer where these would take more than 256 MiB. Of training
	// and held-out ones as many as 0 stands for are asked about, whatever N is.
	N int
	// Pairs is how many of the closest pairs to keep; 0 is 24.
	Pairs int
	Seed  uint64
	// Progress, if not nil, is told how far the work has come.
	Progress func(data.Progress)
}

// Outcome is what the tests say together.
type Outcome string

const (
	// CopiesFound: generated examples lie nearer to training examples than real ones do to each other.
	CopiesFound Outcome = "copies"
	// SignsOfMemorising: what the training part holds can be told from what it does not hold.
	SignsOfMemorising Outcome = "signs_of_memorising"
	// NoSign: neither, by these tests, at this size.
	NoSign Outcome = "no_sign"
)

// significance is the level of the tests behind an outcome, shared among them (Bonferroni).
const significance = 0.01

// maxBytes bounds the memory of the examples of one kind.
const maxBytes = 256 << 20

// LeastPrivate is how many generated, training and held-out examples Privacy needs of each.
const LeastPrivate = 20

// PrivacyReport is evidence on whether a model gives away the examples that it was fitted to.
type PrivacyReport struct {
	Train   int // examples of the training part, all of which generated ones are compared with
	Members int // of them, drawn at random, asked about
	HeldOut int // held-out examples asked about

	Copies *Copies     // nil for a classifier
	Spaces []Closeness // of pictures pixels and features, of tables the columns; none for a classifier
	// Attacks are by loss, where the model has a likelihood or is a classifier, and by distance to the nearest generated example in
	// each space (D. Chen et al., GAN-Leaks, ACM CCS 2020, section 5.2).
	Attacks []Attack
}

// Copies counts examples that lie within Threshold of a training example: as they are, or, pictures, mirrored or moved by a pixel.
// The same count of real examples, held-out ones and training ones among the other training examples, says what is usual.
type Copies struct {
	// Threshold is half the 5% quantile of the distances of training examples to their nearest other training example.
	Threshold float64
	Moved     bool // moved pictures were looked for
	Generated CopyCount
	HeldOut   CopyCount
	Members   CopyCount // training examples, of the other training examples
	// Repeated are those of the generated copies whose original lies within Threshold of another training example: not a single
	// example's fault, but the data's.
	Repeated int
	// P is the p-value of Fisher's exact test of a higher share of copies among generated than among real examples; ExactP is that of
	// exact ones alone.
	P, ExactP float64
	// NearP is the probability that chance brings any of the generated examples as near as the nearest of the near copies, told from
	// how near real examples are to each other; 1 where there is no near copy.
	NearP float64
	// Closest are the closest pairs, nearest first.
	Closest []Pair
}

// CopyCount is how many of N examples are copies: Exact at distance 0, Near at more, up to the threshold.
type CopyCount struct {
	N     int `json:"n"`
	Exact int `json:"exact"`
	Near  int `json:"near"`
}

func (c CopyCount) all() int { return c.Exact + c.Near }

// real counts held-out and training examples together.
func (c *Copies) real() CopyCount {
	return CopyCount{c.HeldOut.N + c.Members.N, c.HeldOut.Exact + c.Members.Exact, c.HeldOut.Near + c.Members.Near}
}

// Pair is a generated example and the training example nearest to it.
type Pair struct {
	Generated, Training int     // indices, of examples made before in their set
	Distance            float64 // after the move
	NNDR                float64 // nearest-neighbour distance ratio, without a move
	Move                Move    // of the generated picture
	Copy                bool    // within the threshold
	Repeated            bool    // a copy of an example that the training part has more than once

	X, Original []float32 // the examples themselves
}

// Privacy looks for what a model gives away of the examples that it was fitted to, train, of which heldOut holds none. It draws
// from a sampler, with the labels of random training examples where it takes labels, and asks classifiers and densities for the
// likelihood of members and others.
//
// The distances of pictures are Euclidean, in raw pixels and in the principal components that Samples compares in; those of table
// rows in columns standardised by the training part, with one 0/1 element for each level of a category, so that a mismatch
// counts 2 in the square. Each generated example is compared with all of train.
func Privacy(ctx context.Context, m model.Model, train, heldOut data.Set, o PrivacyOptions) (*PrivacyReport, error) {
	schema := train.Schema()
	switch {
	case m.Shape() != schema.Shape:
		return nil, fmt.Errorf("the model is of %v and the training data of %v, expected the same", m.Shape(), schema.Shape)
	case heldOut.Schema().Shape != schema.Shape:
		return nil, fmt.Errorf("the held-out data is of %v and the training data of %v, expected the same", heldOut.Schema().Shape, schema.Shape)
	case o.Generated != nil && o.Generated.Schema().Shape != schema.Shape:
		return nil, fmt.Errorf("the generated data is of %v and the training data of %v, expected the same", o.Generated.Schema().Shape, schema.Shape)
	case o.N < 0 || o.Pairs < 0:
		return nil, fmt.Errorf("%d examples and %d pairs asked for, expected 0 or more", o.N, o.Pairs)
	case train.Len() < LeastPrivate:
		return nil, fmt.Errorf("%w: %d training examples to compare with, expected at least %d", ErrNotComparable, train.Len(), LeastPrivate)
	case heldOut.Len() < LeastPrivate:
		return nil, fmt.Errorf("%w: %d held-out examples to compare with, expected at least %d: hold out more of the data", ErrNotComparable,
			heldOut.Len(), LeastPrivate)
	}
	most := min(MaxSamples, max(LeastPrivate, maxBytes/(4*schema.Size())))
	if o.N == 0 {
		o.N = most
	}
	if o.Pairs == 0 {
		o.Pairs = 24
	}
	if o.Progress == nil {
		o.Progress = func(data.Progress) {}
	}
	r := streamPrivacy.rand(o.Seed)
	s := &privacySearch{o: o, train: train, self: r.Perm(train.Len())[:min(most, train.Len())]}
	held := data.Subset(heldOut, r.Perm(heldOut.Len())[:min(most, heldOut.Len())])
	members := data.Subset(train, s.self)
	report := &PrivacyReport{Train: train.Len(), Members: members.Len(), HeldOut: held.Len()}

	var err error
	if _, isClassifier := m.(model.Classifier); !isClassifier || o.Generated != nil {
		if s.members, err = data.ReadAll(ctx, members); err != nil {
			return nil, err
		}
		if s.held, err = data.ReadAll(ctx, held); err != nil {
			return nil, err
		}
		if s.generated, err = s.sample(ctx, m, r); err != nil {
			return nil, err
		}
		if err := s.run(ctx, report); err != nil {
			return nil, err
		}
	}
	o.Progress(data.Progress{Stage: "asking the model", Total: int64(members.Len() + held.Len()), Unit: "examples"})
	loss, err := lossAttack(ctx, m, members, held, o.Seed)
	if err != nil {
		return nil, err
	}
	if loss != nil {
		report.Attacks = append([]Attack{*loss}, report.Attacks...)
	}
	if len(report.Attacks) == 0 {
		return nil, data.ErrNoLabels // a classifier on data without
	}
	return report, nil
}

// privacySearch is what the comparison of examples works on.
type privacySearch struct {
	o         PrivacyOptions
	train     data.Set
	self      []int // the members, as indices into train
	members   data.Batch
	held      data.Batch
	generated data.Batch
	at        []int // the place of each generated example among those that were made before; nil of fresh ones
}

// sample draws the examples to look at, or takes them from those that were made before.
func (s *privacySearch) sample(ctx context.Context, m model.Model, r *rand.Rand) (b data.Batch, err error) {
	if set := s.o.Generated; set != nil {
		s.at = r.Perm(set.Len())[:min(s.o.N, set.Len())]
		slices.Sort(s.at)
		b, err = data.ReadAll(ctx, data.Subset(set, s.at))
	} else {
		s.o.Progress(data.Progress{Stage: "drawing", Total: int64(s.o.N), Unit: "examples"})
		var labels []int32
		if s.members.Y != nil {
			labels = make([]int32, s.o.N)
			for i := range labels {
				labels[i] = s.members.Y[r.IntN(len(s.members.Y))]
			}
		}
		b, _, err = generate(ctx, m, labels, s.o.N, s.o.Seed)
	}
	if err == nil && b.Len() < LeastPrivate {
		err = fmt.Errorf("%d generated examples to look at, expected at least %d", b.Len(), LeastPrivate)
	}
	return b, err
}

// space is where distances are taken: examples go there by place.
type space struct {
	name, about string
	place       func(data.Batch) (data.Batch, error)
	placed      struct{ generated, held, members data.Batch }
	// What is near to these in the training part.
	generated, held, members *search
}

// spaces are the one in which copies are looked for, and for pictures that of the features.
func (s *privacySearch) spaces(ctx context.Context) ([]*space, error) {
	place, err := placing(ctx, s.train)
	if err != nil {
		return nil, err
	}
	all := []*space{{name: "columns", about: "standardised columns", place: place}}
	if schema := s.train.Schema(); schema.IsImage() {
		all[0].name, all[0].about = "pixels", "raw pixel values"
		// From members and others alike: made of members alone, the features would suit them better.
		f, err := fitFeatures(ctx, schema, data.Batch{Shape: schema.Shape, X: slices.Concat(s.members.X, s.held.X)})
		if err != nil {
			return nil, err
		}
		all = append(all, &space{name: "features", about: f.name, place: func(b data.Batch) (data.Batch, error) {
			p, err := f.embed(b)
			out := data.NewBatch(data.RowShape(p.d), p.n, false)
			for i, v := range p.x {
				out.X[i] = float32(v)
			}
			return out, err
		}})
	}
	for _, sp := range all {
		if sp.placed.generated, err = sp.place(s.generated); err != nil {
			return nil, err
		}
		if sp.placed.held, err = sp.place(s.held); err != nil {
			return nil, err
		}
		if sp.placed.members, err = sp.place(s.members); err != nil {
			return nil, err
		}
		sp.generated, sp.held = newSearch(sp.placed.generated, nil), newSearch(sp.placed.held, nil)
		sp.members = newSearch(sp.placed.members, s.self)
	}
	return all, nil
}

// run compares the generated, held-out and training examples with the training part.
func (s *privacySearch) run(ctx context.Context, report *PrivacyReport) error {
	if alike(s.members) {
		return fmt.Errorf("%w: the %d training examples asked about are all the same, so that none is nearer than another", ErrNotComparable, s.members.Len())
	}
	spaces, err := s.spaces(ctx)
	if err != nil {
		return err
	}
	moved := newMovedIndex(s.train.Schema().Shape)
	if moved != nil {
		if err := moved.fit(s.members); err != nil {
			return err
		}
	}
	const stage = "comparing with training examples"
	err = data.Each(ctx, s.train, func(first int, b data.Batch) error {
		s.o.Progress(data.Progress{Stage: stage, Done: int64(first), Total: int64(s.train.Len()), Unit: "examples"})
		for _, sp := range spaces {
			placed, err := sp.place(b)
			if err != nil {
				return err
			}
			for _, search := range []*search{sp.generated, sp.held, sp.members} {
				if err := search.show(ctx, first, placed); err != nil {
					return err
				}
			}
		}
		if moved != nil {
			moved.add(b)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, sp := range spaces {
		if i := sp.generated.lost(); i >= 0 {
			if s.at != nil {
				i = s.at[i]
			}
			return fmt.Errorf("generated example %d is at no distance of any training example: it holds values that are infinite in %s; "+
				"leave it out", i, sp.about)
		}
		if sp.held.lost() >= 0 || sp.members.lost() >= 0 {
			return fmt.Errorf("%w: a training or held-out example is at no distance of any training example: it holds values that are "+
				"infinite in %s; leave it out", ErrNotComparable, sp.about)
		}
	}
	if moved != nil {
		moved.sort(s.train)
	}
	s.o.Progress(data.Progress{Stage: "looking for copies", Total: int64(s.generated.Len()), Unit: "examples"})
	if report.Copies, err = s.copies(ctx, spaces[0], moved); err != nil {
		return err
	}
	for _, sp := range spaces {
		c, err := closeness(ctx, sp, min(s.members.Len(), s.held.Len()))
		if err != nil {
			return err
		}
		report.Spaces = append(report.Spaces, c)
		a, err := distanceAttack(ctx, sp)
		if err != nil {
			return err
		}
		report.Attacks = append(report.Attacks, a)
	}
	return nil
}

// alike reports whether all examples are the same.
func alike(b data.Batch) bool {
	for i := range b.Len() {
		if !slices.Equal(b.Row(i), b.Row(0)) {
			return false
		}
	}
	return true
}

// distanceAttack takes for members what generated examples lie near to: the score is minus the distance to the nearest.
func distanceAttack(ctx context.Context, sp *space) (Attack, error) {
	score := func(b data.Batch) ([]float64, error) {
		search := newSearch(b, nil)
		if err := search.show(ctx, 0, sp.placed.generated); err != nil {
			return nil, err
		}
		d := search.distances()
		for i := range d {
			d[i] = -d[i]
		}
		return d, nil
	}
	members, err := score(sp.placed.members)
	if err != nil {
		return Attack{}, err
	}
	others, err := score(sp.placed.held)
	if err != nil {
		return Attack{}, err
	}
	return attack("distance_"+sp.name, "the distance to generated examples in "+sp.name, members, others)
}

// copies counts the copies, by the distances in the first space and, of pictures, after a move.
func (s *privacySearch) copies(ctx context.Context, sp *space, moved *movedIndex) (*Copies, error) {
	among := sp.members.distances()
	slices.Sort(among)
	c := &Copies{Threshold: quantile(among, 0.05) / 2, Moved: moved != nil}
	var generated []movedCopy
	for k, of := range []struct {
		count  *CopyCount
		search *search
		b      data.Batch
		self   []int
	}{
		{&c.Generated, sp.generated, s.generated, nil},
		{&c.HeldOut, sp.held, s.held, nil},
		{&c.Members, sp.members, s.members, s.self},
	} {
		nearest := make([]movedCopy, of.b.Len())
		for i, f := range of.search.found {
			nearest[i] = movedCopy{index: f.index, distance: math.Sqrt(f.first)}
		}
		if moved != nil {
			again, err := moved.nearest(ctx, of.b, of.self, c.Threshold)
			if err != nil {
				return nil, err
			}
			for i, n := range again {
				if n.index >= 0 && n.distance < nearest[i].distance {
					nearest[i] = n
				}
			}
		}
		of.count.N = len(nearest)
		for _, n := range nearest {
			of.count.Exact += indicator(n.distance == 0)
			of.count.Near += indicator(n.distance > 0 && n.distance <= c.Threshold)
		}
		if k == 0 {
			generated = nearest
		}
	}
	c.P = fisher(c.Generated.all(), c.Generated.N, c.real().all(), c.real().N)
	c.ExactP = fisher(c.Generated.Exact, c.Generated.N, c.real().Exact, c.real().N)
	c.NearP = 1
	for _, n := range generated {
		if n.distance > 0 && n.distance <= c.Threshold {
			ways := 1
			if moved != nil {
				ways += len(moves()) // so many times each was compared
			}
			c.NearP = min(c.NearP, chance(n.distance, ways*len(generated), slices.Concat(among, sp.held.distances())))
		}
	}
	return c, s.pairs(ctx, c, sp, generated)
}

// pairs fills in the closest pairs, and how many copies are of repeated originals.
func (s *privacySearch) pairs(ctx context.Context, c *Copies, sp *space, nearest []movedCopy) error {
	repeated, err := s.repeated(ctx, c, sp, nearest)
	if err != nil {
		return err
	}
	order := make([]int, len(nearest))
	for i, n := range nearest {
		order[i] = i
		if n.distance <= c.Threshold && repeated[n.index] {
			c.Repeated++
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(nearest[a].distance, nearest[b].distance), cmp.Compare(a, b))
	})
	for _, i := range order[:min(s.o.Pairs, len(order))] {
		n := nearest[i]
		p := Pair{Generated: i, Training: n.index, Distance: n.distance, NNDR: sp.generated.found[i].ratio(), Move: n.move,
			Copy: n.distance <= c.Threshold, X: s.generated.Row(i)}
		p.Repeated = p.Copy && repeated[n.index]
		if s.at != nil {
			p.Generated = s.at[i]
		}
		original := data.NewBatch(s.train.Schema().Shape, 1, false)
		if err := s.train.Read(ctx, original, []int{n.index}); err != nil {
			return err
		}
		p.Original = original.X
		c.Closest = append(c.Closest, p)
	}
	return nil
}

// repeated says which originals of copies lie within the threshold of another training example.
func (s *privacySearch) repeated(ctx context.Context, c *Copies, sp *space, nearest []movedCopy) (map[int]bool, error) {
	var originals []int
	for _, n := range nearest {
		if n.distance <= c.Threshold {
			originals = append(originals, n.index)
		}
	}
	if len(originals) == 0 {
		return nil, nil
	}
	slices.Sort(originals)
	originals = slices.Compact(originals)
	b, err := data.ReadAll(ctx, data.Subset(s.train, originals))
	if err != nil {
		return nil, err
	}
	if b, err = sp.place(b); err != nil {
		return nil, err
	}
	search := newSearch(b, originals)
	err = data.Each(ctx, s.train, func(first int, b data.Batch) error {
		placed, err := sp.place(b)
		if err != nil {
			return err
		}
		return search.show(ctx, first, placed)
	})
	repeated := make(map[int]bool, len(originals))
	for k, d := range search.distances() {
		repeated[originals[k]] = d <= c.Threshold
	}
	return repeated, err
}
