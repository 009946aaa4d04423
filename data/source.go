package data

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Source is an opened data set with its parts.
type Source struct {
	Name string // the known name or the path it was opened by
	All  Set    // every example: Train followed by Test, where there is a test part
	// Train is the part to learn from, and all of it where the source has no test part.
	Train Set
	// Test is the part that the source itself holds out, or nil. Where it is nil, Split makes one.
	Test    Set
	Skipped int      // pictures left out under Options.SkipBad
	Notes   []string // what a person should know about how the data was read, one sentence each
}

// HasTest reports whether the source brings its own test part.
func (s *Source) HasTest() bool { return s.Test != nil }

// Part returns the part named train, test or all.
func (s *Source) Part(split string) (Set, error) {
	switch split {
	case "train":
		return s.Train, nil
	case "all":
		return s.All, nil
	case "test":
		if s.Test == nil {
			return nil, fmt.Errorf("%s has no test part of its own; expected %s:all, or data with a test part (train/ and test/ folders)", s.Name, s.Name)
		}
		return s.Test, nil
	}
	return nil, unknownPart(split, s.Name)
}

// ErrPart: a part was named that no data set has.
var ErrPart = errors.New("expected train, test or all")

func unknownPart(split, what string) error {
	return fmt.Errorf("unknown part %q of %s, %w", split, what, ErrPart)
}

// setParts fills in All, Train and Test. test is nil where there is none.
func (s *Source) setParts(train, test Set) (err error) {
	s.Train, s.Test, s.All = train, test, train
	if test != nil {
		s.All, err = Concat(train, test)
	}
	return err
}

// Options says how Open reads. The zero value takes everything from the data.
type Options struct {
	// Height and Width resize pictures. 0 takes the size from the data: the commonest, where pictures differ. Where only
	// one is given, the other is the same. A picture of another aspect ratio is stretched. With a table it is ErrNoPictures.
	Height, Width int
	// Channels is 1 for grey, 3 for colour, and 0 for grey if every picture is grey. With a table others than 0 are ErrNoPictures.
	Channels int
	// Label names the column of a table that holds the class. Without it a table has no labels.
	Label string
	// Ignore names columns of a table that are left out, such as one that says which rows are synthetic.
	Ignore []string
	// SkipBad leaves out pictures that cannot be read, and counts them in Source.Skipped, where Open would fail.
	SkipBad bool
	// Schema, of a fitted model, forces the data into its terms: pictures get its size, channels and pixel range, table
	// columns are found by name in any order, and classes and levels get its codes. What the model does not know, a
	// column that is missing, an unknown class or level, is an error. It wins over Height, Width, Channels, Label and
	// Ignore.
	Schema *Schema
	// Memory bounds what a set keeps in memory, in bytes; the rest is read from disk when it is asked for. 0 is 1 GiB.
	Memory int64
	// Progress, if not nil, is told how far long work has come. Calls do not overlap.
	Progress func(Progress)
}

// Progress is how far one stage of long work has come.
type Progress struct {
	Stage string // such as "reading pictures" or "downloading train-images-idx3-ubyte.gz"
	Done  int64
	Total int64 // 0 where it is not known
	Unit  string
}

const (
	defaultMemory = 1 << 30
	maxSide       = 8192 // pixels: a picture wider or higher than this is taken for a damaged header
)

// normal returns o with its defaults filled in, or what is wrong with it.
func (o Options) normal() (Options, error) {
	if o.Schema != nil {
		if err := o.Schema.Validate(); err != nil {
			return o, err
		}
		o.Label = o.Schema.Label
		if o.Schema.IsImage() {
			o.Height, o.Width, o.Channels = o.Schema.Height, o.Schema.Width, o.Schema.Channels
		}
	}
	if o.Height == 0 {
		o.Height = o.Width
	}
	if o.Width == 0 {
		o.Width = o.Height
	}
	if o.Height < 0 || o.Width < 0 || o.Height > maxSide || o.Width > maxSide {
		return o, fmt.Errorf("picture size %dx%d, expected 1 to %d on each side", o.Height, o.Width, maxSide)
	}
	if o.Channels != 0 && o.Channels != 1 && o.Channels != 3 {
		return o, fmt.Errorf("%d channels, expected 1 (grey) or 3 (colour)", o.Channels)
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o, nil
}

// Parse divides the argument WHAT or WHAT:SPLIT, where SPLIT is train, test or all, and empty where it is left out. A path
// that exists is taken whole, whatever colons it has.
func Parse(arg string) (what, split string) {
	if _, err := os.Stat(arg); err == nil {
		return arg, ""
	}
	if i := strings.LastIndexByte(arg, ':'); i > 0 {
		switch s := arg[i+1:]; s {
		case "train", "test", "all":
			return arg[:i], s
		}
	}
	return arg, ""
}
