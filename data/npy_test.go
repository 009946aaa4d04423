package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// npyBytes writes an array from the definition of the format, version 1.0, without padding.
func npyBytes(descr string, fortran bool, shape string, elements any) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, map[bool]string{true: "True", false: "False"}[fortran], shape)
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	b, err := binary.Append(append(b, header...), binary.LittleEndian, elements)
	if err != nil {
		panic(err)
	}
	return b
}

// TestNPYGolden reads arrays of numpy of every type and order, in memory and by rows, and refuses those that are no tables
// of numbers.
func TestNPYGolden(t *testing.T) {
	raw, err := os.ReadFile("testdata/npy/want.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Arrays  map[string][][]*float64
		Refused []string
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Arrays) != 42 || len(want.Refused) != 11 {
		t.Fatalf("%d arrays and %d to refuse, expected 42 and 11", len(want.Arrays), len(want.Refused))
	}
	for name, rows := range want.Arrays {
		kind := Integer
		if name[0] == 'f' || name[0] == 'v' || name == "line" {
			kind = Numeric
		}
		schema := &Schema{Shape: RowShape(len(rows[0]))}
		for j := range rows[0] {
			schema.Columns = append(schema.Columns, Column{Name: fmt.Sprint("x", j), Kind: kind})
		}
		var x []float32
		for _, row := range rows {
			for _, v := range row {
				if v == nil {
					x = append(x, float32(math.NaN()))
				} else {
					x = append(x, float32(*v))
				}
			}
		}
		for _, memory := range []int64{0, 1} {
			s := open(t, filepath.Join("testdata", "npy", name+".npy"), Options{Memory: memory}).All
			if _, disk := s.(*npySet); disk != (memory == 1) {
				t.Errorf("%s with %d bytes of memory became %T", name, memory, s)
			}
			if !reflect.DeepEqual(s.Schema(), schema) {
				t.Errorf("%s: schema %+v, expected %+v", name, s.Schema(), schema)
			}
			if got := all(t, s).X; !same(got, x) {
				t.Errorf("%s with %d bytes of memory: %v, expected %v", name, memory, got, x)
			}
		}
	}
	for _, name := range want.Refused {
		path := filepath.Join("testdata", "npy", name+".npy")
		_, err := Open(context.Background(), path, Options{})
		part := "expected bool, integers of 8 to 64 bits, float32 or float64"
		if slices.Contains([]string{"scalar", "empty", "no-columns", "cube"}, name) {
			part = "expected (n, d)"
		}
		wantError(t, err, path, "byte 10", part)
	}
}

// TestNPYStreams compares arrays of several blocks, read by rows in any order, with the numbers that they were made of.
func TestNPYStreams(t *testing.T) {
	const n, d = 70_000, 9
	r := rand.New(rand.NewPCG(1, 1))
	rowMajor, columnMajor, want := make([]float64, n*d), make([]float64, n*d), make([]float32, n*d)
	for i := range n {
		for j := range d {
			v := r.NormFloat64()
			rowMajor[i*d+j], columnMajor[j*n+i], want[i*d+j] = v, v, float32(v)
		}
	}
	index := append(r.Perm(n), n-1, n-1, 0, 1, 2)
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"c.npy":    npyBytes("<f8", false, "(70000, 9)", rowMajor),
		"f.npy":    npyBytes("<f8", true, "(70000, 9)", columnMajor),
		"c.npy.gz": gzipped(t, npyBytes("<f8", false, "(70000, 9)", rowMajor)),
	} {
		path := write(t, content, dir, name)
		calls := 0
		memory := open(t, path, Options{Progress: func(Progress) { calls++ }})
		if !same(all(t, memory.All).X, want) {
			t.Errorf("%s in memory has other values", name)
		}
		if calls != 4 {
			t.Errorf("%s: %d calls of progress, expected one per block and pass, 4", name, calls)
		}
		if strings.HasSuffix(name, ".gz") {
			continue
		}
		disk := open(t, path, Options{Memory: 1000})
		got, expected := all(t, Subset(disk.All, index)), all(t, Subset(memory.All, index))
		if !same(got.X, expected.X) {
			t.Errorf("%s by rows has other values than in memory", name)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := ReadAll(ctx, disk.All); err != context.Canceled {
			t.Errorf("%s: error %v of a cancelled read, expected %v", name, err, context.Canceled)
		}
		if _, err := Open(ctx, path, Options{}); err != context.Canceled {
			t.Errorf("%s: error %v of a cancelled open, expected %v", name, err, context.Canceled)
		}
		write(t, content[:len(content)-1], path)
		_, err := ReadAll(context.Background(), disk.All)
		wantError(t, err, name, "as when it was opened")
	}
}

// TestNPYLabel takes a column for the class, and its name as in a CSV table.
func TestNPYLabel(t *testing.T) {
	dir := t.TempDir()
	path := write(t, npyBytes("<f4", false, "(4, 3)", []float32{1, 10, 2, 3, 9, 4, 5, 10, 6, 7, -1.5, 8}), dir, "a.npy")
	csv := open(t, write(t, []byte("x0,x1,x2\n1,10,2\n3,9,4\n5,10,6\n7,-1.5,8\n"), dir, "a.csv"), Options{Label: "x1"})
	for _, memory := range []int64{0, 1} {
		src := open(t, path, Options{Label: "x1", Memory: memory})
		if got, want := src.All.Schema().Classes, []string{"-1.5", "9", "10"}; !slices.Equal(got, want) || !slices.Equal(got, csv.All.Schema().Classes) {
			t.Errorf("classes %q, expected %q", got, want)
		}
		got, want := all(t, src.All), all(t, csv.All)
		if !same(got.X, want.X) || !slices.Equal(got.Y, want.Y) {
			t.Errorf("x %v, y %v, expected %v, %v", got.X, got.Y, want.X, want.Y)
		}
	}
	if got := open(t, path, Options{Ignore: []string{"x0", "x2"}}).All; got.Schema().Columns[0].Name != "x1" || !same(all(t, got).X, []float32{10, 9, 10, -1.5}) {
		t.Errorf("without x0 and x2: %+v", got.Schema())
	}
	large := open(t, write(t, npyBytes("<i8", false, "(2,)", []int64{1<<24 + 1, 0}), dir, "b.npy"), Options{})
	if len(large.Notes) != 1 || !strings.Contains(large.Notes[0], `"x0"`) {
		t.Errorf("notes %q, expected one on x0", large.Notes)
	}
}

// TestNPYForModel reads arrays in the terms of a model that was fitted to an array or to a CSV table, whichever column the
// label is and whether or not it is there.
func TestNPYForModel(t *testing.T) {
	value := map[rune][2]float64{'a': {1, 3}, 'b': {2, 4}, 'y': {7, 8}}
	array := func(columns string) []byte {
		var x []float64
		for i := range 2 {
			for _, c := range columns {
				x = append(x, value[c][i])
			}
		}
		return npyBytes("<f8", false, fmt.Sprintf("(2, %d)", len(columns)), x)
	}
	dir := t.TempDir()
	for _, c := range []struct {
		file    string
		content []byte // that the model was fitted to
		label   string
		columns string // of the array
	}{
		{"a.npy", array("ab"), "", "ab"},
		{"a.npy", array("yab"), "x0", "yab"},
		{"a.npy", array("ayb"), "x1", "ayb"},
		{"a.npy", array("aby"), "x2", "aby"},
		{"a.csv", []byte("1,2\n3,4\n"), "", "ab"},
		{"a.csv", []byte("7,1,2\n8,3,4\n"), "1", "yab"},
		{"a.csv", []byte("1,7,2\n3,8,4\n"), "x2", "ayb"},
		{"a.csv", []byte("1,2,7\n3,4,8\n"), "3", "aby"},
		{"a.csv", []byte("x0,x1,x2\n1,7,2\n3,8,4\n"), "x1", "ayb"},
		{"a.csv", []byte("kind,length,width\n7,1,2\n8,3,4\n"), "kind", "aby"},
	} {
		schema := *open(t, write(t, c.content, dir, c.file), Options{Label: c.label}).All.Schema()
		for _, classes := range [][]string{schema.Classes, nil} {
			for _, columns := range []string{c.columns, "ab"} {
				schema.Classes = classes
				src := open(t, write(t, array(columns), dir, "new.npy"), Options{Schema: &schema})
				labelled := classes != nil && len(columns) == 3
				b := all(t, src.All)
				if !same(b.X, []float32{1, 2, 3, 4}) || src.All.Schema().Labelled() != labelled || labelled && !slices.Equal(b.Y, []int32{0, 1}) {
					t.Errorf("%q, label %q, classes %q, array of %s: x %v, y %v", c.content, c.label, classes, columns, b.X, b.Y)
				}
			}
		}
	}
	// A table without a header of a model that was fitted to an array.
	schema := open(t, write(t, array("ayb"), dir, "a.npy"), Options{Label: "x1"}).All.Schema()
	b := all(t, open(t, write(t, []byte("1,7,2\n3,8,4\n"), dir, "a.csv"), Options{Schema: schema}).All)
	if !same(b.X, []float32{1, 2, 3, 4}) || !slices.Equal(b.Y, []int32{0, 1}) {
		t.Errorf("CSV table of the model of an array: x %v, y %v", b.X, b.Y)
	}

	refuse := func(schema *Schema, content []byte, parts ...string) {
		t.Helper()
		path := write(t, content, dir, "new.npy")
		_, err := Open(context.Background(), path, Options{Schema: schema})
		wantError(t, err, append(parts, path)...)
	}
	refuse(schema, array("aybb"), "4 columns, expected the 2 columns of the model", `with its label "x1"`)
	refuse(schema, array("aab"), "row 0 from 0", `"x1"`, `unknown class "1"`)
	refuse(open(t, "digits", Options{}).All.Schema(), array("ab"), "a table", "8x8x1")
	levels := open(t, write(t, []byte("c,d\n2,1\n4,1\nred,1\n"), dir, "l.csv"), Options{}).All.Schema()
	if b := all(t, open(t, write(t, array("ba"), dir, "new.npy"), Options{Schema: levels}).All); !same(b.X, []float32{0, 1, 1, 3}) {
		t.Errorf("numbers that are levels: %v", b.X)
	}
	refuse(levels, array("ab"), "row 0 from 0", `"c"`, `unknown level "1"`)
}

// TestNPYDamage breaks an array in one way at a time.
func TestNPYDamage(t *testing.T) {
	good := npyBytes("<f8", false, "(2, 3)", make([]float64, 6))
	with := func(old, new string) []byte { return bytes.Replace(good, []byte(old), []byte(new), 1) }
	version := func(major byte, length uint32) []byte {
		return binary.LittleEndian.AppendUint32([]byte{0x93, 'N', 'U', 'M', 'P', 'Y', major, 0}, length)
	}
	inf := npyBytes("<f8", true, "(2, 2)", []float64{1, 2, 3, math.Inf(-1)})
	for name, c := range map[string]struct {
		content []byte
		label   string
		want    []string
	}{
		"empty":             {nil, "", []string{"byte 0", "0x93", "numpy.save"}},
		"magic":             {[]byte("PK\x03\x04 an archive"), "", []string{"byte 0", "0x504b0304"}},
		"magic alone":       {good[:8], "", []string{"truncated at byte 8", "12 bytes"}},
		"version":           {version(4, 0), "", []string{"byte 6", "NPY version 4.0"}},
		"minor version":     {with("\x01\x00", "\x01\x01"), "", []string{"NPY version 1.1"}},
		"header cut":        {good[:40], "", []string{"truncated at byte 40", "header up to byte"}},
		"length":            {version(2, math.MaxUint32), "", []string{"truncated at byte 12", "4294967307"}},
		"long header":       {append(version(3, 1<<17), make([]byte, 1<<18)...), "", []string{"byte 8", "within 65536 bytes"}},
		"no dictionary":     {with("{", "["), "", []string{"byte 10", "expected {'descr'"}},
		"not closed":        {with("}", " "), "", []string{"byte 10", "expected {'descr'"}},
		"key missing":       {with("'shape'", "'shame'"), "", []string{"byte 10", "expected {'descr'"}},
		"order":             {with("False", "'abc'"), "", []string{"byte 10", "expected {'descr'"}},
		"shape is a number": {with("(2, 3)", "'2, 3"), "", []string{"byte 10", "expected {'descr'"}},
		"negative":          {with("(2, 3)", "(-2,3)"), "", []string{"(-2,3)", "at least one row"}},
		"huge":              {with("(2, 3)", "(9000000000000000000, 3)"), "", []string{"byte 10"}},
		"many rows":         {npyBytes("<f8", false, "(9000000000000000000, 3)", []float64{1}), "", []string{"truncated", "9000000000000000000 x 3"}},
		"overflow":          {npyBytes("<f8", false, "(99999999999999999999, 3)", []float64{1}), "", []string{"99999999999999999999", "expected (n, d)"}},
		"many columns":      {npyBytes("|u1", false, "(1, 200000)", make([]byte, 200000)), "", []string{"131072 columns", "transpose"}},
		"byte order":        {with("<f8", "|f8"), "", []string{`"|f8"`}},
		"data cut":          {good[:len(good)-1], "", []string{"truncated at byte", "2 x 3 elements of 8 bytes"}},
		"two arrays":        {append(slices.Clone(good), good...), "", []string{"bytes after the end", "one array"}},
		"infinite":          {inf, "", []string{"row 1 from 0", `"x1"`, "-Inf is not finite"}},
		"beyond float32":    {npyBytes("<f8", false, "(2,)", []float64{1, 1e39}), "", []string{"row 1 from 0", `"x0"`, "1e+39 is not finite"}},
		"column of NaN":     {npyBytes("<f4", false, "(1, 2)", []float32{1, float32(math.NaN())}), "", []string{`"x1"`, "no value at all"}},
		"no label column":   {good, "x3", []string{`no label column "x3"`, `"x0", "x1", "x2"`}},
		"label by number":   {good, "2", []string{`no label column "2"`, `"x0", "x1", "x2"`}},
		"label missing":     {npyBytes("<f4", false, "(2, 2)", []float32{1, 0, 2, float32(math.NaN())}), "x1", []string{"row 1 from 0", `"x1"`, "no value"}},
		"label too large":   {npyBytes("<i8", false, "(2, 2)", []int64{1, 1<<53 + 1, 2, 3}), "x1", []string{"row 0 from 0", `"x1"`, "2^53"}},
		"label alone":       {npyBytes("<i8", false, "(2,)", []int64{1, 2}), "x0", []string{"no column besides the label"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.content, t.TempDir(), "a.npy")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Open(context.Background(), path, Options{Label: c.label})
			runtime.ReadMemStats(&after)
			wantError(t, err, append(c.want, path)...)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
				t.Errorf("%d bytes of memory for a file of %d", used, len(c.content))
			}
		})
	}
}

func FuzzNPY(f *testing.F) {
	f.Setenv("XDG_CACHE_HOME", f.TempDir())
	f.Add(npyBytes("<f8", false, "(2, 3)", []float64{1, 2, 3, 4, 5, math.NaN()}), "")
	f.Add(npyBytes("<f4", true, "(2, 3)", []float32{1, 2, 3, 4, 5, 6}), "x1")
	f.Add(npyBytes("|b1", false, "(2,)", []bool{true, false}), "")
	f.Add(npyBytes("<u8", false, "(3L, 2L)", []uint64{1, math.MaxUint64, 3, 4, 5, 6}), "x1")
	f.Add(npyBytes("|i1", false, "(9000000000000000000, 9000000000000000000)", []int8{1, 2}), "")
	f.Add(gzipped(f, npyBytes("<i2", false, "(2, 1)", []int16{1, 2})), "")
	for _, name := range []string{"version2", "version3", "struct", "object", "f8-big-fortran"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "npy", name+".npy"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "x0")
	}
	f.Fuzz(func(t *testing.T, raw []byte, label string) { openTwice(t, raw, "a.npy", label) })
}
