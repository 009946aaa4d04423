package data

import (
	"context"
	"strconv"
)

// Info sums up a set.
type Info struct {
	Name        string        `json:"name"`
	N           int           `json:"n"`
	Shape       []int         `json:"shape"`             // [height, width, channels], or [columns]
	Classes     []string      `json:"classes"`           // empty without labels
	ClassCounts []int         `json:"class_counts"`      // examples of each class, in the order of classes
	Missing     int           `json:"missing"`           // values that are missing, over all columns
	MaxValue    float32       `json:"max_value"`         // pixels lie in 0..max_value; 0 for tables
	Columns     []ColumnStats `json:"columns,omitempty"` // of a table
	Label       string        `json:"label,omitempty"`   // the label column of a table
}

// Describe counts the classes of s and, of a table, reads it all for the statistics of its columns.
func Describe(ctx context.Context, name string, s Set) (Info, error) {
	schema := s.Schema()
	info := Info{Name: name, N: s.Len(), Shape: schema.Dims(), Classes: []string{}, ClassCounts: []int{},
		MaxValue: schema.MaxValue, Label: schema.Label}
	if schema.Labelled() {
		y, err := Labels(ctx, s)
		if err != nil {
			return Info{}, err
		}
		info.Classes = schema.Classes
		info.ClassCounts = make([]int, len(schema.Classes))
		for _, k := range y {
			info.ClassCounts[k]++
		}
	}
	if schema.IsImage() {
		return info, nil
	}
	stats, err := columnStats(ctx, s)
	if err != nil {
		return Info{}, err
	}
	for j, c := range schema.Columns {
		m := stats[j]
		info.Missing += m.missing
		column := ColumnStats{Column: c, Missing: m.missing}
		if c.Kind != Categorical {
			column.Mean, column.SD, column.Min, column.Max = m.mean, m.sd(), decimal(m.low), decimal(m.high)
		}
		info.Columns = append(info.Columns, column)
	}
	return info, nil
}

// decimal is the shortest decimal number that reads as the same float32, so that 4.3 is not shown as 4.300000190734863.
func decimal(x float64) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 32), 64)
	if err != nil {
		return x
	}
	return v
}
