package data

import (
	"context"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// flowersARFF is the table of flowers, and what else ARFF allows.
const flowersARFF = `% flowers
@RELATION 'some flowers' % and a comment

@Attribute length REAL
@attribute	"petals" numeric % whole numbers
@attribute colour{blue, "red"}
@attribute kind {a,b}
@DATA
5.1,4,red,a
% between rows
?, 5 , blue, b
4.9 ? 'red' a
  1e1,	7,?,'b' % the last
`

// TestARFFLikeCSV reads one table from both formats.
func TestARFFLikeCSV(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	csv := write(t, []byte(flowers), dir, "flowers.csv")
	for name, content := range map[string]string{
		"plain.arff":      flowersARFF,
		"crlf.arff":       strings.ReplaceAll(flowersARFF, "\n", "\r\n"),
		"bom.ARFF":        "\xEF\xBB\xBF" + flowersARFF,
		"unfinished.arff": strings.TrimSuffix(flowersARFF, "\n"),
		"zipped.arff.gz":  string(gzipped(t, []byte(flowersARFF))),
		"sparse.arff":     flowersARFF[:strings.Index(flowersARFF, "5.1")] + "{0 5.1, 1 4, 2 red}\n{0 ?, 1 5, 3 b}\n{ 0 4.9, 1 ?,2 'red' }\n{0 10,1 7,2 ?,3 b} %\n",
	} {
		arff := write(t, []byte(content), dir, name)
		for _, o := range []Options{{}, {Label: "kind"}, {Label: "colour", Ignore: []string{"length"}}, {Label: "kind", Memory: 40}} {
			if o.Label == "colour" { // which has a value missing
				_, err := Open(context.Background(), arff, o)
				wantError(t, err, arff, "line", `label column "colour": no value`)
				continue
			}
			want, got := open(t, csv, o).All, open(t, arff, o).All
			if !reflect.DeepEqual(got.Schema(), want.Schema()) {
				t.Errorf("%s, %+v: schema %+v, expected %+v", name, o, got.Schema(), want.Schema())
			}
			if _, disk := got.(*npySet); disk != (o.Memory == 40) {
				t.Errorf("%s with %d bytes of memory became %T", name, o.Memory, got)
			}
			a, b := all(t, got), all(t, want)
			if !same(a.X, b.X) || !slices.Equal(a.Y, b.Y) {
				t.Errorf("%s, %+v: x %v, y %v, expected %v, %v", name, o, a.X, a.Y, b.X, b.Y)
			}
		}
	}
}

// TestARFFTypes: what an attribute declares decides its column, and the values only where it leaves that open.
func TestARFFTypes(t *testing.T) {
	nan := float32(math.NaN())
	const table = `@relation types
@attribute r real
@attribute i integer
@attribute n numeric
@attribute m numeric
@attribute 'a level' {z, 'b c', 10, 9, '?', NA, "it's", '50%', 'tab\there \\ \'x\''}
@attribute s string
@attribute d date "yyyy-MM-dd"
@attribute y {no,yes,never}
@data
1, 1.0, 1, 1, z, 12, "2026-01-02", yes
2, -3, 2, 2.5, '?', 'NA', "2025-12-31", no
3, 4, 3, 3, ?, '', ?, no
4,5e0,4,4,NA,'a,{b}',"2026-01-02",no
5,6,5,5,"it's",12,"2026-01-02",no
6,7,6,6,'50%','x % y',"2026-01-02",no
7,8,7,7,'tab\there \\ \'x\'',12,"2026-01-02",no
8,9,8,8,10,12,"2026-01-02",no
`
	want := &Schema{Shape: RowShape(7), Label: "y", Classes: []string{"no", "yes", "never"}, Columns: []Column{
		{Name: "r", Kind: Numeric}, {Name: "i", Kind: Integer}, {Name: "n", Kind: Integer}, {Name: "m", Kind: Numeric},
		{Name: "a level", Kind: Categorical, Levels: []string{"z", "b c", "10", "9", "?", "NA", "it's", "50%", "tab\there \\ 'x'"}},
		{Name: "s", Kind: Categorical, Levels: []string{"", "12", "NA", "a,{b}", "x % y"}},
		{Name: "d", Kind: Categorical, Levels: []string{"2025-12-31", "2026-01-02"}},
	}}
	s := open(t, write(t, []byte(table), t.TempDir(), "t.arff"), Options{Label: "y"}).All
	if !reflect.DeepEqual(s.Schema(), want) {
		t.Errorf("schema %+v, expected %+v", s.Schema(), want)
	}
	b := all(t, s)
	x := []float32{
		1, 1, 1, 1, 0, 1, 1,
		2, -3, 2, 2.5, 4, 2, 0,
		3, 4, 3, 3, nan, 0, nan,
		4, 5, 4, 4, 5, 3, 1,
		5, 6, 5, 5, 6, 1, 1,
		6, 7, 6, 6, 7, 4, 1,
		7, 8, 7, 7, 8, 1, 1,
		8, 9, 8, 8, 2, 1, 1,
	}
	if !same(b.X, x) || !slices.Equal(b.Y, []int32{1, 0, 0, 0, 0, 0, 0, 0}) {
		t.Errorf("x %v, y %v, expected %v", b.X, b.Y, x)
	}
	numbers := open(t, write(t, []byte("@relation n\n@attribute x real\n@attribute y real\n@data\n1,10\n2,9\n3,0.5\n"), t.TempDir(), "n.arff"), Options{Label: "y"}).All
	if got := numbers.Schema().Classes; !slices.Equal(got, []string{"0.5", "9", "10"}) {
		t.Errorf("classes %q", got)
	}
	if src := open(t, write(t, []byte("@relation n\n@attribute x integer\n@data\n16777217\n"), t.TempDir(), "l.arff"), Options{}); len(src.Notes) != 1 {
		t.Errorf("notes %q, expected one on x", src.Notes)
	}
}

// TestARFFForModel finds the columns of a model that was fitted to a CSV table, by name.
func TestARFFForModel(t *testing.T) {
	dir := t.TempDir()
	model := open(t, write(t, []byte(flowers), dir, "flowers.csv"), Options{Label: "kind"}).All.Schema()
	try := func(attributes, rows string) (*Source, error) {
		content := "@relation new\n"
		for _, a := range strings.Split(attributes, ";") {
			content += "@attribute " + a + "\n"
		}
		return Open(context.Background(), write(t, []byte(content+"@data\n"+rows), dir, "new.arff"), Options{Schema: model})
	}
	src, err := try("id string;kind {b,a};colour {red,blue,teal};length string;petals real", "one,b,red,2,3.5\ntwo,a,?,'4',5\n")
	if err != nil {
		t.Fatal(err)
	}
	b := all(t, src.All)
	if nan := float32(math.NaN()); !same(b.X, []float32{2, 3.5, 1, 4, 5, nan}) || !slices.Equal(b.Y, []int32{1, 0}) {
		t.Errorf("x %v, y %v", b.X, b.Y)
	}
	if len(src.Notes) != 1 || !strings.Contains(src.Notes[0], `"id"`) {
		t.Errorf("notes %q, expected one on id", src.Notes)
	}
	if src, err = try("colour {red};length real;petals real", "red,2,3\n"); err != nil || src.All.Schema().Labelled() {
		t.Errorf("without its label: %v, expected an unlabelled set", err)
	}
	_, err = try("colour {red};length real", "red,2\n")
	wantError(t, err, `"petals"`, "missing", `among "colour", "length"`)
	_, err = try("colour {teal};length real;petals real", "teal,2,3\n")
	wantError(t, err, "line 6", `unknown level "teal"`, `"blue", "red"`, "or ? where")
	_, err = try("colour {red};length string;petals real", "red,long,3\n")
	wantError(t, err, "line 6", `"length"`, `"long", expected a number`)
	_, err = try("colour {red};length real;petals real;length real", "red,1,3,1\n")
	wantError(t, err, "columns 2 and 4", `"length"`)
	_, err = try("colour {red};length real;petals real", "")
	wantError(t, err, "no rows")
	_, err = Open(context.Background(), filepath.Join(dir, "new.arff"), Options{Schema: open(t, "digits", Options{}).All.Schema()})
	wantError(t, err, "a table", "8x8x1")
}

// TestARFFDamage breaks a file in one way at a time.
func TestARFFDamage(t *testing.T) {
	const head = "@relation r\n@attribute n numeric\n@attribute c {p,q}\n@attribute i integer\n@data\n"
	var names strings.Builder
	names.WriteString("@relation r\n@attribute s string\n@data\n")
	for i := range 1001 {
		names.WriteString("who" + strconv.Itoa(i) + "\n")
	}
	for name, c := range map[string]struct {
		content, label string
		want           []string
	}{
		"empty":            {"", "", []string{"line 1", "expected @relation"}},
		"other":            {"a,b\n1,2\n", "", []string{"line 1", `"a,b"`, "expected @relation"}},
		"comments":         {"% a\n\n", "", []string{"expected @relation"}},
		"no data":          {"@relation r\n@attribute n real\n", "", []string{"line 2 without @data"}},
		"no attribute":     {"@relation r\n@data\n1\n", "", []string{"line 2", "expected an @attribute"}},
		"no rows":          {head, "", []string{"no rows"}},
		"keyword":          {"@relation r\n@attributes n real\n", "", []string{"line 2", `"@attributes n real"`, "expected @attribute or @data"}},
		"type":             {"@relation r\n@attribute n number\n", "", []string{"line 2", `"n"`, `"number", expected numeric`}},
		"relational":       {"@relation r\n@attribute bag relational\n", "", []string{"line 2", `"bag"`, `"relational", expected numeric`}},
		"no type":          {"@relation r\n@attribute n\n", "", []string{"line 2", `"n"`, "the end of the line, expected numeric"}},
		"no name":          {"@relation r\n@attribute {a}\n", "", []string{"line 2", `"{", expected the name`}},
		"no levels":        {"@relation r\n@attribute c {}\n", "", []string{"line 2", `"c"`, "no levels"}},
		"open levels":      {"@relation r\n@attribute c {a,\n", "", []string{"line 2", `"c"`, "end of the line, expected a level"}},
		"level twice":      {"@relation r\n@attribute c {a,b,'a'}\n", "", []string{"line 2", `"c"`, `"a" comes twice`}},
		"latin level":      {"@relation r\n@attribute c {\xE9}\n", "", []string{"line 2", `"c"`, "UTF-8"}},
		"latin text":       {"@relation r\n@attribute c string\n@data\n\xE9\n", "", []string{"line 4", `"c"`, "UTF-8"}},
		"attribute weight": {"@relation r\n@attribute c {a} {2}\n", "", []string{"line 2", `"{" after its type`, "weights"}},
		"names twice":      {"@relation r\n@attribute a real\n@attribute 'a' real\n@data\n1,2\n", "", []string{"columns 1 and 2", `"a"`}},
		"short":            {head + "1,p\n", "", []string{"line 6", "2 values, expected 3"}},
		"long":             {head + "1,p,2\n1,p,2,3\n", "", []string{"line 7", "after the 3 values, expected the end"}},
		"comma last":       {head + "1,p,\n", "", []string{"line 6", "2 values"}},
		"comma twice":      {head + "1,,2\n", "", []string{"line 6", `"c"`, "a comma, expected a value"}},
		"row weight":       {head + "1,p,2,{5}\n", "", []string{"line 6", "weights"}},
		"open quote":       {head + "1,'p,2\n", "", []string{"line 6", `"c"`, "not closed"}},
		"quote inside":     {head + "1,p's,2\n", "", []string{"line 6", `"c"`, "in quotes"}},
		"per cent":         {head + "50%,p,2\n", "", []string{"line 6", `"n"`, `has "%" in it`}},
		"no number":        {head + "one,p,2\n", "", []string{"line 6", `"n"`, `"one", expected a number, or ?`}},
		"empty number":     {head + "'',p,2\n", "", []string{"line 6", `"n"`, "expected a number"}},
		"no whole number":  {head + "1,p,2.5\n", "", []string{"line 6", `"i"`, `"2.5", expected a whole number`}},
		"infinite":         {head + "-inf,p,2\n", "", []string{"line 6", `"n"`, "not finite"}},
		"unknown level":    {head + "1,p,2\n1,P,2\n", "", []string{"line 7", `"c"`, `unknown level "P"`, `"p", "q"`, "or ? where"}},
		"unknown class":    {head + "1,P,2\n", "c", []string{"line 6", `"c"`, `unknown class "P"`}},
		"no class":         {head + "1,p,2\n1,?,2\n", "c", []string{"line 7", `"c"`, "no value"}},
		"all missing":      {head + "1,?,2\n", "", []string{`"c"`, "no value at all"}},
		"large class":      {head + "1,p,9007199254740993\n", "i", []string{"line 6", `"i"`, "2^53"}},
		"no label column":  {head + "1,p,2\n", "k", []string{`no label column "k"`, `"n", "c", "i"`}},
		"sparse order":     {head + "{1 p, 0 2}\n", "", []string{"line 6", `"0" in a sparse row`, "from 2 to 2"}},
		"sparse twice":     {head + "{0 1, 0 2}\n", "", []string{"line 6", `"0" in a sparse row`}},
		"sparse place":     {head + "{3 1}\n", "", []string{"line 6", `"3" in a sparse row`, "from 0 to 2"}},
		"sparse sign":      {head + "{-1 1}\n", "", []string{"line 6", `"-1" in a sparse row`}},
		"sparse open":      {head + "{0 1\n", "", []string{"line 6", "the end of the line in a sparse row"}},
		"sparse no value":  {head + "{0}\n", "", []string{"line 6", `"n"`, "expected a value"}},
		"sparse weight":    {head + "{0 1}, {5}\n", "", []string{"line 6", "weights"}},
		"sparse text":      {"@relation r\n@attribute a real\n@attribute s string\n@data\n{0 1}\n", "", []string{"line 5", `"s"`, "no value in a sparse row"}},
		"identifiers":      {names.String(), "", []string{`"s"`, "more than 1000", `"who0" in line 4`, "remove the column"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, []byte(c.content), t.TempDir(), "t.arff")
			_, err := Open(context.Background(), path, Options{Label: c.label})
			wantError(t, err, append(c.want, path)...)
		})
	}
	path := write(t, []byte(head+"1,p,2\n"), t.TempDir(), "t.arff")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, path, Options{}); err != context.Canceled {
		t.Errorf("error %v of a cancelled open, expected %v", err, context.Canceled)
	}
}

func FuzzARFF(f *testing.F) {
	f.Setenv("XDG_CACHE_HOME", f.TempDir())
	f.Add([]byte(flowersARFF), "kind")
	f.Add([]byte("@relation r\n@attribute d date 'yyyy'\n@attribute 'x\\'y' integer\n@data\n{0 '19\\n', 1 3}\n\"2\",?\n"), "d")
	f.Add([]byte("@relation r\n@attribute a {b}\n@data\n{}\n{0 ?}\n"), "")
	f.Add([]byte("@RELATION r\r\n@ATTRIBUTE s STRING\r\n@DATA\r\n''\r\n?\r\n"), "")
	f.Add(gzipped(f, []byte(flowersARFF)), "")
	f.Fuzz(func(t *testing.T, raw []byte, label string) { openTwice(t, raw, "t.arff", label) })
}
