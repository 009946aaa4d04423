package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// testFraction is the share of a data set without a test part that fit holds out.
const testFraction = 0.2

// dataFlags are how a command that takes DATA reads it where no model file says so.
type dataFlags struct {
	label    string
	ignore   []string
	size     string
	channels int
	skipBad  bool
}

func (f *dataFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.label, "label", "", "`column` of a table that holds the class")
	flags.StringArrayVar(&f.ignore, "ignore", nil, "`column` of a table to leave out; may be given again")
	flags.StringVar(&f.size, "size", "", "resize pictures to `N` or HEIGHTxWIDTH pixels")
	flags.IntVar(&f.channels, "channels", 0, "`1` for grey, 3 for colour; 0 as the data is")
	f.addSkipBad(flags)
}

func (f *dataFlags) addSkipBad(flags *pflag.FlagSet) {
	flags.BoolVar(&f.skipBad, "skip-bad", false, "leave out pictures that cannot be read, and count them")
}

// options is what data.Open takes.
func (f *dataFlags) options() (data.Options, error) {
	o := data.Options{Label: f.label, Ignore: f.ignore, SkipBad: f.skipBad, Channels: f.channels}
	if f.channels != 0 && f.channels != 1 && f.channels != 3 {
		return o, usagef("--channels is %d, expected 1 (grey) or 3 (colour)", f.channels)
	}
	if f.size != "" {
		h, w, two := strings.Cut(f.size, "x")
		if !two {
			w = h
		}
		var errH, errW error
		o.Height, errH = strconv.Atoi(h)
		o.Width, errW = strconv.Atoi(w)
		if errH != nil || errW != nil || o.Height < 1 || o.Width < 1 {
			return o, usagef("--size is %q, expected N or HEIGHTxWIDTH, such as 32 or 28x28", f.size)
		}
	}
	return o, nil
}

// open opens the data set of a DATA argument and returns the split that it names, "" for none.
func (a *app) open(ctx context.Context, arg string, o data.Options) (*data.Source, string, error) {
	what, split := data.Parse(arg)
	m := a.meter()
	o.Progress = m.data
	source, err := data.Open(ctx, what, o)
	m.end()
	if err != nil {
		return nil, "", dataError(err)
	}
	for _, n := range source.Notes {
		a.note("%s", n)
	}
	if source.Skipped > 0 {
		a.note("skipped %s that cannot be read", plural(source.Skipped, "picture", "pictures"))
	}
	return source, split, nil
}

// dataError tells what data.Open says of the words of a command from what it says of the data.
func dataError(err error) error {
	switch {
	case errors.Is(err, data.ErrNoPictures):
		return usagef("%w; leave out --size and --channels", err)
	case errors.Is(err, data.ErrPart):
		return usagef("%w", err)
	}
	return err
}

// openPart opens the data set of a DATA argument, and the part that it names: all of it where it names none.
func (a *app) openPart(ctx context.Context, arg string, o data.Options) (*data.Source, data.Set, error) {
	source, split, err := a.open(ctx, arg, o)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case split == "":
		split = "all"
	case split == "train" && !source.HasTest():
		// All of it would be another train part than the one that fit and evaluate cut.
		return nil, nil, fmt.Errorf("%s has no train and test parts of its own; expected %s or %s:all", source.Name, source.Name, source.Name)
	}
	set, err := source.Part(split)
	return source, set, err
}

// parts are the examples that a fit uses, and the provenance that it writes down.
type parts struct {
	train, validation data.Set // validation is nil where none is set aside
	provenance        model.Provenance
	heldOut           int // examples of the test part, which the fit does not see
}

// fitParts cuts a source for a fit. Where it has no test part of its own a seeded, stratified one is held out, unless all
// of it was asked for.
func fitParts(ctx context.Context, s *data.Source, split string, validation float64, seed uint64) (parts, error) {
	p := parts{provenance: model.Provenance{Data: filepath.Base(s.Name), Part: "train", Label: s.All.Schema().Label, Seed: seed,
		ValidationFraction: validation}}
	var err error
	if p.provenance.Fingerprint, err = data.Fingerprint(ctx, s.All); err != nil {
		return p, err
	}
	p.train = s.Train
	switch {
	case split == "all":
		p.provenance.Part, p.train = "all", s.All
	case split == "test":
		return p, usagef("fit on the test part of %s would leave nothing to evaluate on; expected %s, %s:train or %s:all", s.Name, s.Name, s.Name, s.Name)
	case s.HasTest():
		p.heldOut = s.Test.Len()
	default:
		var test data.Set
		if p.train, test, err = data.Split(ctx, s.All, testFraction, seed); err != nil {
			return p, err
		}
		if p.heldOut = test.Len(); p.heldOut > 0 { // a few examples have no fifth
			p.provenance.TestFraction = testFraction
		}
	}
	if validation > 0 {
		if p.train, p.validation, err = data.Split(ctx, p.train, validation, seed); err != nil {
			return p, err
		}
		if p.validation.Len() == 0 { // a few examples have no tenth
			p.validation = nil
		}
	}
	p.provenance.Examples = p.train.Len()
	if p.train.Len() < 2 {
		return p, fmt.Errorf("%s has %s to fit on, expected at least 2", s.Name, plural(p.train.Len(), "example", "examples"))
	}
	return p, nil
}

// testPart is the part of a source that a model is to be evaluated on, and words that say which it is: the part that split
// names or, where it names none, one that the fit did not see, if there is such a part.
func testPart(ctx context.Context, s *data.Source, split string, p model.Provenance) (data.Set, string, error) {
	if split == "all" {
		return s.All, "all of " + s.Name, nil
	}
	print, err := data.Fingerprint(ctx, s.All)
	if err != nil {
		return nil, "", err
	}
	same := print == p.Fingerprint
	switch {
	case s.HasTest() && split == "train":
		return s.Train, "the train part of " + s.Name, nil
	case s.HasTest() && same && p.Part == "all":
		return s.Test, fmt.Sprintf("the test part of %s, %s", s.Name, flatters), nil
	case s.HasTest():
		return s.Test, "the test part of " + s.Name, nil
	case same && p.TestFraction > 0:
		train, test, err := data.Split(ctx, s.All, p.TestFraction, p.Seed)
		if split == "train" {
			return train, fmt.Sprintf("the %g%% of %s that fit did not hold out", 100-100*p.TestFraction, s.Name), err
		}
		return test, fmt.Sprintf("the %g%% of %s that fit held out with seed %d", 100*p.TestFraction, s.Name, p.Seed), err
	case split != "":
		return nil, "", fmt.Errorf("%s has no %s part: neither its own nor one that the fit made; expected %s:all", s.Name, split, s.Name)
	case same:
		return s.All, fmt.Sprintf("all of %s, %s", s.Name, flatters), nil
	}
	return s.All, fmt.Sprintf("all of %s, which is not the data that the model was fitted on", s.Name), nil
}

// flatters warns of measures on what a model was fitted on.
const flatters = "which the model was fitted on: the measures flatter it"

// unlabelled is a set without its labels.
type unlabelled struct {
	data.Set
	schema *data.Schema
}

// dropLabels takes the labels from all parts of a source. This comes before the parts are cut: a later command reads the
// data in the model's terms, without labels, and must find the same fingerprint and the same test part.
func dropLabels(s *data.Source) {
	schema := *s.All.Schema()
	schema.Classes, schema.Label = nil, ""
	drop := func(part data.Set) data.Set {
		if part == nil {
			return nil
		}
		return &unlabelled{part, &schema}
	}
	s.All, s.Train, s.Test = drop(s.All), drop(s.Train), drop(s.Test)
}

func (u *unlabelled) Schema() *data.Schema { return u.schema }
func (u *unlabelled) File(i int) string    { return data.File(u.Set, i) }

func (u *unlabelled) Read(ctx context.Context, dst data.Batch, index []int) error {
	if dst.Y != nil {
		return data.ErrNoLabels
	}
	return u.Set.Read(ctx, dst, index)
}
