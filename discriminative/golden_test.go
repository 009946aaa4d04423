package discriminative

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/data/builtin"
)

// readGolden reads a file of testdata that a script beside it has made.
func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// goldenArray is an array of a golden file.
type goldenArray struct {
	Name  string
	Shape []int
	Bytes []byte `json:"float32"` // little-endian, base64
}

// values decodes the array.
func (f goldenArray) values() []float32 {
	v := make([]float32, len(f.Bytes)/4)
	for i := range v {
		b := f.Bytes[4*i:]
		v[i] = math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
	}
	return v
}

// csvTable is a table of testdata.
func csvTable(t *testing.T, file string) data.Set {
	t.Helper()
	source, err := data.Open(t.Context(), filepath.Join("testdata", file), data.Options{Label: "class"})
	if err != nil {
		t.Fatal(err)
	}
	return source.Train
}

// digitTable is the embedded digits, all of them in their order, as a table of 64 columns.
func digitTable(t *testing.T) data.Set {
	t.Helper()
	pixels, labels, err := builtin.Digits()
	if err != nil {
		t.Fatal(err)
	}
	const p = builtin.DigitsSide * builtin.DigitsSide
	schema := &data.Schema{Shape: data.RowShape(p)}
	for j := range p {
		schema.Columns = append(schema.Columns, data.Column{Name: fmt.Sprintf("pixel%d", j), Kind: data.Integer})
	}
	for k := range 10 {
		schema.Classes = append(schema.Classes, fmt.Sprint(k))
	}
	values := make([]float32, len(pixels))
	for i, v := range pixels {
		values[i] = float32(v)
	}
	return newTable(t, schema, values, labels)
}

func newTable(t *testing.T, schema *data.Schema, values []float32, labels []int32) data.Set {
	t.Helper()
	set, err := data.NewTable(schema, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// digits is a part of the embedded digits as pictures.
func digits(t *testing.T, split string) data.Set {
	t.Helper()
	source, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := source.Part(split)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// firstDigits is a few pictures for tests that only need some.
func firstDigits(t *testing.T, n int) data.Set {
	t.Helper()
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return data.Subset(digits(t, "train"), index)
}

// near reports numbers that differ by more than tol.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if diff := math.Abs(got - want); !(diff <= tol) {
		t.Errorf("%s is %.17g, expected %.17g within %g (differs by %.2g)", what, got, want, tol, diff)
	}
}
