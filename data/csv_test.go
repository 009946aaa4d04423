package data

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const flowers = `length,petals,colour,kind
5.1,4,red,a
?,5,blue,b
4.9,,"red",a
1e1, 7 ,NA,b
`

func TestCSVInference(t *testing.T) {
	nan := float32(math.NaN())
	path := write(t, []byte(flowers), t.TempDir(), "flowers.csv")
	src := open(t, path, Options{Label: "kind"})
	want := &Schema{Shape: RowShape(3), Label: "kind", Classes: []string{"a", "b"}, Columns: []Column{
		{Name: "length", Kind: Numeric}, {Name: "petals", Kind: Integer},
		{Name: "colour", Kind: Categorical, Levels: []string{"blue", "red"}},
	}}
	if got := src.All.Schema(); !reflect.DeepEqual(got, want) {
		t.Errorf("schema %+v, expected %+v", got, want)
	}
	b := all(t, src.All)
	if wantX := []float32{5.1, 4, 1, nan, 5, 0, 4.9, nan, 1, 10, 7, nan}; !same(b.X, wantX) || !slices.Equal(b.Y, []int32{0, 1, 0, 1}) {
		t.Errorf("x %v, y %v, expected %v, 0 1 0 1", b.X, b.Y, wantX)
	}
	if src := open(t, path, Options{}); src.All.Schema().Labelled() || src.All.Schema().Size() != 4 {
		t.Errorf("without a label: %v, expected 4 columns and no classes", src.All.Schema().Shape)
	}
}

// TestCSVDialects writes one table in several ways.
func TestCSVDialects(t *testing.T) {
	dir := t.TempDir()
	want := all(t, open(t, write(t, []byte(flowers), dir, "plain.csv"), Options{Label: "kind"}).All)
	for name, content := range map[string]string{
		"semicolon.csv":  strings.ReplaceAll(flowers, ",", ";"),
		"tab.tsv":        strings.ReplaceAll(flowers, ",", "\t"),
		"crlf.csv":       strings.ReplaceAll(flowers, "\n", "\r\n"),
		"bom.csv":        "\xEF\xBB\xBF" + flowers,
		"blank.csv":      "\n" + strings.ReplaceAll(flowers, "\n", "\n\n"),
		"unfinished.csv": strings.TrimSuffix(flowers, "\n"),
		"zipped.csv.gz":  string(gzipped(t, []byte(flowers))),
	} {
		for _, memory := range []int64{0, 40} { // in memory, and by offset
			if memory == 40 && strings.HasSuffix(name, ".gz") {
				continue
			}
			got := all(t, open(t, write(t, []byte(content), dir, name), Options{Label: "kind", Memory: memory}).All)
			if !same(got.X, want.X) || !slices.Equal(got.Y, want.Y) {
				t.Errorf("%s with %d bytes of memory: %v %v, expected %v %v", name, memory, got.X, got.Y, want.X, want.Y)
			}
		}
	}
}

func TestCSVHeader(t *testing.T) {
	for content, header := range map[string]bool{
		"a,b\n1,2\n":               true,
		"1,2\n3,4\n":               false,
		"a,1\nb,2\n":               false,
		"x,y\np,q\np,r\nq,q\n":     true,
		"p,q\np,r\nq,q\n":          false,
		"a,\n1,2\n":                false,
		"1,2,kind\n3,4,a\n5,6,b\n": true, // by the label's name
	} {
		o := Options{}
		if strings.Contains(content, "kind") {
			o.Label = "kind"
		}
		src := open(t, write(t, []byte(content), t.TempDir(), "t.csv"), o)
		if got := src.All.Schema().Columns[0].Name != "x1"; got != header {
			t.Errorf("%q: header %v, expected %v", content, got, header)
		}
		if want := strings.Count(content, "\n"); header && src.All.Len() != want-1 || !header && src.All.Len() != want {
			t.Errorf("%q: %d rows", content, src.All.Len())
		}
	}
	src := open(t, write(t, []byte("1,2,a\n3,4,b\n"), t.TempDir(), "t.csv"), Options{Label: "3"})
	if got := src.All.Schema(); !slices.Equal(got.Classes, []string{"a", "b"}) || got.Size() != 2 {
		t.Errorf("label by number: %+v", got)
	}
}

// TestCSVStreams compares a table read by offsets with the same table in memory, quotes and line breaks in fields included.
func TestCSVStreams(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	words := []string{"plain", "with, comma", "with\nbreak", `with "quote"`, ""}
	rows := [][]string{{"x", "word", "n", "y"}}
	for range 3000 {
		rows = append(rows, []string{fmt.Sprint(r.NormFloat64()), words[r.IntN(len(words))], fmt.Sprint(r.IntN(9)), string(rune('a' + r.IntN(3)))})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	path := write(t, b.Bytes(), t.TempDir(), "t.csv")
	calls := 0
	memory := open(t, path, Options{Label: "y", Progress: func(Progress) { calls++ }})
	disk := open(t, path, Options{Label: "y", Memory: 100})
	if _, ok := disk.All.(*csvSet); !ok {
		t.Fatalf("a table larger than memory became %T", disk.All)
	}
	if calls != 6 {
		t.Errorf("%d calls of progress, expected one per 1000 rows and pass", calls)
	}
	perm := r.Perm(3000)
	got, want := all(t, Subset(disk.All, perm)), all(t, Subset(memory.All, perm))
	if !same(got.X, want.X) || !slices.Equal(got.Y, want.Y) {
		t.Error("rows from disk differ from rows in memory")
	}
	write(t, b.Bytes()[:b.Len()-1], path)
	_, err := ReadAll(context.Background(), disk.All)
	wantError(t, err, "t.csv", "expected", "as when it was opened")
}

func TestCSVDamage(t *testing.T) {
	var numbers, names, prices strings.Builder
	numbers.WriteString("n,m\n")
	names.WriteString("name,m\n")
	prices.WriteString("y,m\n")
	for i := range 2000 {
		fmt.Fprintf(&numbers, "%d,1\n", i)
		fmt.Fprintf(&names, "who%d,1\n", i)
		fmt.Fprintf(&prices, "%d.5,1\n", i)
	}
	numbers.WriteString("l2,1\n")
	for name, c := range map[string]struct {
		content string
		label   string
		want    []string
	}{
		"empty":            {"", "", []string{"empty"}},
		"header only":      {"a,b\n", "", []string{"no rows"}},
		"ragged":           {"a,b\n1,2\n1,2,3\n", "", []string{"line 3", "3 fields, expected 2 as in line 1"}},
		"short":            {"a,b\n1,2\n\n1\n", "", []string{"line 4", "1 fields, expected 2"}},
		"open quote":       {"a,b\n1,\"2\n3,4\n", "", []string{"line 2", "quote"}},
		"stray quote":      {"a,b\n1,2\"3\n", "", []string{"line 2", "quote"}},
		"infinite":         {"a,b\n1,2\n-Inf,4\n", "", []string{"line 3", `"a"`, "-Inf is not finite"}},
		"beyond float32":   {"a,b\n1,2\n1e39,4\n", "", []string{"line 3", `"a"`, "1e39 is not finite"}},
		"number misspelt":  {numbers.String(), "", []string{"line 2002", `"n"`, `"l2"`, "2000 of 2001 rows"}},
		"identifiers":      {names.String(), "", []string{`"name"`, "more than 1000", "remove the column"}},
		"empty column":     {"a,b\n1,\n2,NA\n", "", []string{`"b"`, "no value at all"}},
		"same names":       {"a,b,a,y\n1,2,3,p\n", "y", []string{"columns 1 and 3", `"a"`}},
		"same, no label":   {"a,a\n1,2\n", "", []string{"columns 1 and 2", `"a"`}},
		"no name":          {"a,,y\n1,2,p\n", "y", []string{"column 2 has no name"}},
		"no label column":  {"a,b\n1,2\n", "y", []string{`no label column "y"`, `"a", "b"`}},
		"label, no header": {"1,2\n3,4\n", "9", []string{`"9" and no header`, "1 to 2"}},
		"missing label":    {"a,y\n1,p\n2,\n", "y", []string{"line 3", `"y"`, "no value"}},
		"all labels gone":  {"a,y\n1,\n2,\n", "y", []string{`"y" has no value`}},
		"label is a price": {prices.String(), "y", []string{`"y"`, "classes"}},
		"label alone":      {"y\np\nq\n", "y", []string{"no column besides the label"}},
		"binary":           {"a\x00b", "", []string{"line 1", "zero byte"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, []byte(c.content), t.TempDir(), "t.csv")
			_, err := Open(context.Background(), path, Options{Label: c.label})
			wantError(t, err, append(c.want, path)...)
		})
	}
}

func TestCSVForModel(t *testing.T) {
	dir := t.TempDir()
	model := open(t, write(t, []byte(flowers), dir, "flowers.csv"), Options{Label: "kind"}).All.Schema()
	try := func(content string) (*Source, error) {
		return Open(context.Background(), write(t, []byte(content), dir, "new.csv"), Options{Schema: model})
	}
	src, err := try("id,colour,kind,length,petals\n1,red,b,2,3.5\n2,,b,4,5\n")
	if err != nil {
		t.Fatal(err)
	}
	b := all(t, src.All)
	nan := float32(math.NaN())
	if !same(b.X, []float32{2, 3.5, 1, 4, 5, nan}) || !slices.Equal(b.Y, []int32{1, 1}) {
		t.Errorf("x %v, y %v", b.X, b.Y)
	}
	if len(src.Notes) != 1 || !strings.Contains(src.Notes[0], `"id"`) {
		t.Errorf("notes %q, expected one on id", src.Notes)
	}
	if src, err = try("colour,length,petals\nred,2,3\n"); err != nil || src.All.Schema().Labelled() {
		t.Errorf("without its label: %v, expected an unlabelled set", err)
	}
	for _, content := range []string{"2,3,red\n", "2,3,red,b\n"} {
		if src, err = try(content); err != nil || !same(all(t, src.All).X, []float32{2, 3, 1}) || src.All.Schema().Labelled() != strings.Contains(content, "b") {
			t.Errorf("without a header: %v", err)
		}
	}
	_, err = try("id,colour,kind,length,petals\n1,red,b,2,3\n2,blue,b,x,4\n")
	wantError(t, err, "line 3", `"length"`, `"x", expected a number`)
	_, err = try("colour,kind,length\nred,b,2\n")
	wantError(t, err, "line 1", `"petals"`, "missing")
	_, err = try("length,colour,length,petals\n2,red,2,3\n")
	wantError(t, err, "line 1", "columns 1 and 3", `"length"`)
	_, err = try("colour,length,petals\nteal,2,3\n")
	wantError(t, err, "line 2", `unknown level "teal"`, `"blue", "red"`)
	_, err = try("colour,length,petals,kind\nred,2,3,c\n")
	wantError(t, err, "line 2", `unknown class "c"`, `"a", "b"`)
	_, err = try("")
	wantError(t, err, "empty")
	_, err = Open(context.Background(), filepath.Join(dir, "new.csv"), Options{Schema: open(t, "digits", Options{}).All.Schema()})
	wantError(t, err, "a table", "8x8x1")
	_, err = Open(context.Background(), "digits", Options{Schema: model})
	wantError(t, err, "no table", "3 columns")
	_, err = Open(context.Background(), "digits", Options{Label: "kind"})
	wantError(t, err, "no table", `label column "kind"`)
}

// TestCSVWithoutHeaderForModel reads a table without a header for a model that was fitted to it, whichever column the label
// is and whether or not it is read too.
func TestCSVWithoutHeaderForModel(t *testing.T) {
	path := write(t, []byte("1,a,3\n2,b,4\n"), t.TempDir(), "t.csv")
	for _, label := range []string{"2", "x2"} {
		schema := *open(t, path, Options{Label: label}).All.Schema()
		for _, classes := range [][]string{schema.Classes, nil} {
			schema.Classes = classes
			src := open(t, path, Options{Schema: &schema})
			b := all(t, src.All)
			if !same(b.X, []float32{1, 3, 2, 4}) || src.All.Schema().Labelled() != (classes != nil) || classes != nil && !slices.Equal(b.Y, []int32{0, 1}) {
				t.Errorf("label %s, classes %v: x %v, y %v", label, classes, b.X, b.Y)
			}
		}
	}
}

// TestCSVLabelNumber: the number of the label column is no name where it stands among the values of the first row.
func TestCSVLabelNumber(t *testing.T) {
	s := open(t, write(t, []byte("n,2019\n1,0.5\n2,1.5\n"), t.TempDir(), "t.csv"), Options{Label: "2019"}).All
	if s.Len() != 2 || s.Schema().Columns[0].Name != "n" {
		t.Errorf("%d rows of %+v, expected 2 of n", s.Len(), s.Schema().Columns)
	}
	for content, want := range map[string]struct {
		n      int
		column string
	}{
		"1,0.5\n2,1.5\n1,2.5\n":       {3, "x2"}, // the class of the first row is 1
		"2,1,0\n1,5,1\n":              {2, "x2"},
		"1,2\n1,0.5\n2,1.5\n":         {2, "2"}, // columns that are counted
		"0,1,2\n3,0.5,7\n4,1.5,8\n":   {2, "0"},
		"0,1,2,3\n4,9,4,4\n5,1,4,4\n": {2, "0"},
	} {
		s := open(t, write(t, []byte(content), t.TempDir(), "t.csv"), Options{Label: "1"}).All
		if got := s.Schema().Columns[0].Name; s.Len() != want.n || got != want.column {
			t.Errorf("%q: %d rows, first column %q, expected %d and %q", content, s.Len(), got, want.n, want.column)
		}
	}
}

func TestLargeIntegersAreNoted(t *testing.T) {
	src := open(t, write(t, []byte("id,a\n16777217,1\n2,2\n"), t.TempDir(), "t.csv"), Options{})
	if len(src.Notes) != 1 || !strings.Contains(src.Notes[0], `"id"`) {
		t.Errorf("notes %q, expected one on id", src.Notes)
	}
}

func TestNumber(t *testing.T) {
	for field, want := range map[string]struct {
		v         float64
		whole, ok bool
	}{
		"12": {12, true, true}, "-3": {-3, true, true}, "+4": {4, true, true}, "1.": {1, false, true}, ".5": {.5, false, true},
		"2e3": {2000, false, true}, "1E-2": {.01, false, true}, "-INF": {math.Inf(-1), false, true}, "1e999": {math.Inf(1), false, true},
		"infinity": {math.Inf(1), false, true}, "0x10": {}, "1_000": {}, "e": {}, "-": {}, ".": {}, "1-2": {}, "1 2": {}, "nan": {}, "": {}, "१": {},
	} {
		v, whole, ok := number(field)
		if v != want.v || whole != want.whole || ok != want.ok {
			t.Errorf("%q is %v, %v, %v, expected %v", field, v, whole, ok, want)
		}
	}
}

func TestSortNames(t *testing.T) {
	for _, c := range [][2][]string{
		{{"10", "9", "1.5", "-2"}, {"-2", "1.5", "9", "10"}},
		{{"10", "9", "b"}, {"10", "9", "b"}},
		{{"01", "1"}, {"01", "1"}},
	} {
		got := slices.Clone(c[0])
		sortNames(got)
		if !slices.Equal(got, c[1]) {
			t.Errorf("%q sorted is %q, expected %q", c[0], got, c[1])
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Setenv("XDG_CACHE_HOME", f.TempDir())
	f.Add([]byte(flowers), "kind")
	f.Add([]byte("1;2\n3;4\n"), "2")
	f.Add([]byte("a\tb\n\"x\ny\"\t1\n"), "")
	f.Add([]byte("\xEF\xBB\xBFa,b\r\n1,?\r\n"), "a")
	f.Add(gzipped(f, []byte(flowers)), "")
	f.Fuzz(func(t *testing.T, raw []byte, label string) { openTwice(t, raw, "t.csv", label) })
}

// Columns that are to be ignored are as if they were not there.
func TestCSVIgnore(t *testing.T) {
	dir := t.TempDir()
	path := write(t, []byte("drawn,a,b,y\n0,1,2,p\n1,3,4,q\n"), dir, "t.csv")
	src := open(t, path, Options{Label: "y", Ignore: []string{"drawn", "b"}})
	want := open(t, write(t, []byte("a,y\n1,p\n3,q\n"), dir, "u.csv"), Options{Label: "y"})
	if got := src.All.Schema(); !reflect.DeepEqual(got, want.All.Schema()) || !same(all(t, src.All).X, []float32{1, 3}) {
		t.Errorf("schema %+v, values %v, expected those of the columns that are left", got, all(t, src.All).X)
	}
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"unknown": {Options{Ignore: []string{"c"}}, `no column "c" to ignore, expected one of "drawn", "a"`},
		"label":   {Options{Label: "y", Ignore: []string{"y"}}, `column "y" is the label`},
		"all":     {Options{Label: "y", Ignore: []string{"drawn", "a", "b"}}, "no column besides the label"},
	} {
		_, err := Open(context.Background(), path, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected one that says %q", name, err, c.want)
		}
	}
	if _, err := Open(context.Background(), "digits", Options{Ignore: []string{"a"}}); err == nil {
		t.Error("a column of pictures is ignored, expected an error")
	}
}
