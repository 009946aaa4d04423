package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// orderedColumns is the root of a schema whose columns stay in their order, where those of a Group are sorted by name.
type orderedColumns struct {
	parquet.Group
	place map[string]int
}

func (o orderedColumns) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int { return cmp.Compare(o.place[a.Name()], o.place[b.Name()]) })
	return fields
}

// Values are written in groups of rows: a group has about groupValues of them, but leastGroup rows, since each column of a group
// takes some hundred bytes beside its values.
const (
	groupValues = 1 << 21
	leastGroup  = 1024
)

// writeParquet writes a table of n examples as Apache Parquet. Every column may have nulls; it is of doubles, of 64-bit integers
// where its numbers are whole, or of strings, and has the values that the same table has in CSV.
func writeParquet(ctx context.Context, w io.Writer, columns []column, n int) error {
	if len(columns) > parquet.MaxColumnIndex+1 {
		return fmt.Errorf("%d columns, expected at most %d in Parquet; choose a name that ends in .csv or .npy", len(columns), parquet.MaxColumnIndex+1)
	}
	root := orderedColumns{parquet.Group{}, map[string]int{}}
	for j, c := range columns {
		if _, twice := root.Group[c.name]; twice {
			return fmt.Errorf("two columns are named %q, expected different names in Parquet; choose a name that ends in .csv", c.name)
		}
		root.Group[c.name], root.place[c.name] = parquet.Optional(c.node()), j
	}
	rows := min(n, max(leastGroup, groupValues/len(columns)))
	file := parquet.NewWriter(w, parquet.NewSchema("likely", root), parquet.Compression(&parquet.Snappy), parquet.CreatedBy("likely", model.Version, ""),
		parquet.PageBufferSize(max(min(8*rows, parquet.DefaultPageBufferSize), 64)))
	values := make([]parquet.Value, 0, rows)
	for first := 0; first < n; first += rows {
		for j, c := range columns {
			if err := ctx.Err(); err != nil {
				return err
			}
			values = values[:0]
			for i := first; i < min(first+rows, n); i++ {
				v, err := c.value(i)
				if err != nil {
					return err
				}
				defined := 1
				if v.IsNull() {
					defined = 0
				}
				values = append(values, v.Level(0, defined, j))
			}
			if _, err := file.ColumnWriters()[j].WriteRowValues(values); err != nil {
				return err
			}
		}
		if err := file.Flush(); err != nil {
			return err
		}
	}
	return file.Close()
}

// node is the type of a column.
func (c *column) node() parquet.Node {
	switch c.kind {
	case data.Integer:
		return parquet.Int(64)
	case data.Categorical:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	return parquet.Leaf(parquet.DoubleType)
}

// value is a cell in that type.
func (c *column) value(i int) (parquet.Value, error) {
	text := c.cell(i)
	switch {
	case text == "":
		return parquet.NullValue(), nil
	case c.kind == data.Categorical:
		return parquet.ByteArrayValue([]byte(text)), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return parquet.Value{}, fmt.Errorf("column %q: %w", c.name, err)
	case c.kind == data.Numeric:
		return parquet.DoubleValue(v), nil
	case v != math.Trunc(v) || !(math.Abs(v) < 1<<63):
		return parquet.Value{}, fmt.Errorf("column %q: %v, expected a whole number of 64 bits; choose a name that ends in .csv", c.name, v)
	}
	return parquet.Int64Value(int64(v)), nil
}
