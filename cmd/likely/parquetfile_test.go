package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/likely-ml/likely/data"
)

// readParquet reads a file: its names of columns, their types, and the values, row by row.
func readParquet(file []byte) (names, types []string, rows [][]any, groups int, err error) {
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, nil, nil, 0, err
	}
	for _, c := range f.Schema().Fields() {
		names, types = append(names, c.Name()), append(types, fmt.Sprint(c.Type()))
		if !c.Optional() {
			return nil, nil, nil, 0, fmt.Errorf("column %s has no nulls", c.Name())
		}
	}
	for _, g := range f.RowGroups() {
		r := g.Rows()
		for buffer := make([]parquet.Row, 100); err == nil; {
			var n int
			n, err = r.ReadRows(buffer)
			for _, row := range buffer[:n] {
				values := make([]any, len(names))
				for _, v := range row {
					switch {
					case v.IsNull():
					case v.Kind() == parquet.Double:
						values[v.Column()] = v.Double()
					case v.Kind() == parquet.Int64:
						values[v.Column()] = v.Int64()
					default:
						values[v.Column()] = string(v.ByteArray())
					}
				}
				rows = append(rows, values)
			}
		}
		if err = errors.Join(r.Close(), err); !errors.Is(err, io.EOF) {
			return nil, nil, nil, 0, err
		}
		err = nil
	}
	return names, types, rows, len(f.RowGroups()), nil
}

// list is a column of the given cells.
func list(name string, kind data.Kind, cells ...string) column {
	return column{name, kind, func(i int) string { return cells[i] }}
}

func TestParquet(t *testing.T) {
	var file bytes.Buffer
	err := writeParquet(t.Context(), &file, []column{
		list("z, with a comma", data.Numeric, "0.1", "", "-1e-30"),
		list("a", data.Integer, "-3", "1.6777216e+07", ""),
		list("", data.Categorical, "", "rose", "Gänseblümchen"),
	}, 3)
	if err != nil {
		t.Fatal(err)
	}
	names, types, rows, _, err := readParquet(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"z, with a comma", "a", ""}; !reflect.DeepEqual(names, want) {
		t.Errorf("columns %q, expected %q", names, want)
	}
	if want := []string{"DOUBLE", "INT(64,true)", "STRING"}; !reflect.DeepEqual(types, want) {
		t.Errorf("types %q, expected %q", types, want)
	}
	if want := [][]any{{0.1, int64(-3), nil}, {nil, int64(16777216), "rose"}, {-1e-30, nil, "Gänseblümchen"}}; !reflect.DeepEqual(rows, want) {
		t.Errorf("rows %v, expected %v", rows, want)
	}
}

// A wide table is written in several groups of rows.
func TestParquetGroups(t *testing.T) {
	const n, width = leastGroup + 3, groupValues/leastGroup + 1
	columns := make([]column, width)
	for j := range columns {
		columns[j] = column{fmt.Sprint("x", j), data.Integer, func(i int) string { return fmt.Sprint(i*width + j) }}
	}
	var file bytes.Buffer
	if err := writeParquet(t.Context(), &file, columns, n); err != nil {
		t.Fatal(err)
	}
	_, _, rows, groups, err := readParquet(file.Bytes())
	if err != nil || len(rows) != n || groups != 2 {
		t.Fatalf("%d rows in %d groups, error %v, expected %d in 2", len(rows), groups, err, n)
	}
	for i, row := range rows {
		for j, v := range row {
			if v != int64(i*width+j) {
				t.Fatalf("row %d, column %d: %v, expected %d", i, j, v, i*width+j)
			}
		}
	}
}

func TestParquetErrors(t *testing.T) {
	for want, columns := range map[string][]column{
		`two columns are named "a"`:                             {list("a", data.Integer, "1"), list("a", data.Integer, "1")},
		`column "a": 0.5, expected a whole number of 64 bits`:   {list("a", data.Integer, "0.5")},
		`column "a": 1e+19, expected a whole number of 64 bits`: {list("a", data.Integer, "1e19")},
		"65536 columns, expected at most 65535":                 make([]column, 65536),
	} {
		if err := writeParquet(t.Context(), io.Discard, columns, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
}
