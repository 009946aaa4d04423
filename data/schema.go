package data

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind says what the values of a table column are.
type Kind string

const (
	Numeric     Kind = "numeric"     // real numbers
	Integer     Kind = "integer"     // whole numbers
	Categorical Kind = "categorical" // one of Column.Levels, held as its index
)

// Column describes one column of a table. In a Batch a missing value is NaN and a categorical value is the index of its
// level.
type Column struct {
	Name   string   `json:"name"`
	Kind   Kind     `json:"kind"`
	Levels []string `json:"levels,omitempty"` // of a categorical column, in the order of their codes
}

// Schema says what the elements of x and the classes are. A model file stores it, so that data seen later is read in the
// same terms. A Schema is not changed after it is made.
type Schema struct {
	Shape    `json:"shape"`
	Columns  []Column `json:"columns,omitempty"`   // one for each element of a table row; nil for pictures
	Classes  []string `json:"classes,omitempty"`   // class names, in the order of their indices; nil without labels
	Label    string   `json:"label,omitempty"`     // the name of the label column of a table
	MaxValue float32  `json:"max_value,omitempty"` // pixels lie in 0..MaxValue (255 for ordinary pictures); 0 for tables
}

// Labelled reports whether the examples have classes.
func (s *Schema) Labelled() bool { return len(s.Classes) > 0 }

// Class returns the index of the class with the given name, and whether there is one.
func (s *Schema) Class(name string) (int, bool) {
	i := slices.Index(s.Classes, name)
	return i, i >= 0
}

// Validate reports the first thing that is wrong with a schema that was read from a file or put together by hand.
func (s *Schema) Validate() error {
	if s.Height < 1 || s.Width < 1 || s.Channels < 1 {
		return fmt.Errorf("schema has shape %dx%dx%d, expected at least 1x1x1", s.Height, s.Width, s.Channels)
	}
	if s.IsImage() {
		if s.Columns != nil {
			return fmt.Errorf("schema of %v pictures has columns, expected none", s.Shape)
		}
		if !(s.MaxValue > 0 && s.MaxValue <= 255) {
			return fmt.Errorf("schema of %v pictures has max_value %v, expected more than 0 and at most 255", s.Shape, s.MaxValue)
		}
	} else if len(s.Columns) != s.Channels {
		return fmt.Errorf("schema has %d columns, expected %d", len(s.Columns), s.Channels)
	}
	for _, c := range s.Columns {
		switch c.Kind {
		case Numeric, Integer:
			if c.Levels != nil {
				return fmt.Errorf("%s column %q has levels, expected none", c.Kind, c.Name)
			}
		case Categorical:
			if len(c.Levels) == 0 {
				return fmt.Errorf("categorical column %q has no levels, expected at least 1", c.Name)
			}
		default:
			return fmt.Errorf("column %q has kind %q, expected numeric, integer or categorical", c.Name, c.Kind)
		}
	}
	return nil
}

// pictureSchema is the schema of pictures with 8 bits per channel.
func pictureSchema(shape Shape, classes []string) *Schema {
	return &Schema{Shape: shape, Classes: classes, MaxValue: 255}
}

// sortNames puts class or level names in their order: by value if all are numbers, so that 2 comes before 10, else by
// bytes. The order is that of the names alone, never of their appearance in a file.
func sortNames(names []string) {
	values := make(map[string]float64, len(names))
	for _, name := range names {
		v, err := strconv.ParseFloat(name, 64)
		if err != nil || v != v {
			slices.Sort(names)
			return
		}
		values[name] = v
	}
	slices.SortFunc(names, func(a, b string) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return strings.Compare(a, b)
	})
}
