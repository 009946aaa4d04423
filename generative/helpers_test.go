package generative

import (
	"encoding/csv"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// digits is the embedded set.
func digits(t *testing.T) *data.Source {
	t.Helper()
	source, err := data.Open(t.Context(), "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// some is every k-th example of a set.
func some(set data.Set, k int) data.Set {
	var index []int
	for i := 0; i < set.Len(); i += k {
		index = append(index, i)
	}
	return data.Subset(set, index)
}

// without is a set without its labels.
type without struct {
	data.Set
	schema data.Schema
}

func withoutLabels(set data.Set) data.Set {
	schema := *set.Schema()
	schema.Classes = nil
	return without{set, schema}
}

func (s without) Schema() *data.Schema { return &s.schema }

// read is a whole set.
func read(t *testing.T, set data.Set) data.Batch {
	t.Helper()
	b := data.NewBatch(set.Schema().Shape, set.Len(), set.Schema().Labelled())
	index := make([]int, set.Len())
	for i := range index {
		index[i] = i
	}
	if err := set.Read(t.Context(), b, index); err != nil {
		t.Fatal(err)
	}
	return b
}

// numbers is a set of table rows of real numbers; labels may be nil.
func numbers(t *testing.T, columns int, values []float32, labels []int32, classes ...string) data.Set {
	t.Helper()
	schema := &data.Schema{Shape: data.RowShape(columns), Classes: classes}
	if labels != nil {
		schema.Label = "class"
	}
	for j := range columns {
		schema.Columns = append(schema.Columns, data.Column{Name: "x" + strconv.Itoa(j), Kind: data.Numeric})
	}
	set, err := data.NewTable(schema, values, labels)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// readCSV is the numbers of a table without its header and its last column.
func readCSV(t *testing.T, path string) [][]float64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]float64
	for _, line := range lines[1:] {
		row := make([]float64, len(line)-1)
		for j := range row {
			if row[j], err = strconv.ParseFloat(line[j], 64); err != nil {
				t.Fatal(err)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// fit fits a recipe with seed 1.
func fit(t *testing.T, spec model.Spec, set data.Set, run model.Run) (model.Model, *model.Summary) {
	t.Helper()
	run.Seed = 1
	m, summary, err := spec.Fit(t.Context(), set, run)
	if err != nil {
		t.Fatal(err)
	}
	return m, summary
}

// shaken are the parameters of a network, each with a random part, so that nothing of it is the identity.
func shaken(params nn.Params, sd float64) tensor.Vars {
	r := rand.New(rand.NewPCG(8, 9))
	vars := params.Init(1)
	for _, p := range params {
		for i := range vars[p.Name].F32 {
			vars[p.Name].F32[i] += float32(sd * r.NormFloat64())
		}
	}
	return vars
}

func TestPace(t *testing.T) {
	for _, c := range []struct{ n, batch, epochs, wantBatch, wantEpochs int }{
		{54_000, 128, 0, 128, 50}, // many examples: the usual epochs
		{1_300, 128, 0, 128, 300}, // 10 steps an epoch
		{108, 128, 0, 13, 375},
		{108, 128, 7, 13, 7}, // as asked for
		{3, 128, 0, 2, 3_000},
	} {
		if batch, epochs := pace(c.n, c.batch, c.epochs, 50); batch != c.wantBatch || epochs != c.wantEpochs {
			t.Errorf("%d examples: %d epochs of batches of %d, expected %d of %d", c.n, epochs, batch, c.wantEpochs, c.wantBatch)
		}
	}
}

// readJSON reads a golden file of testdata.
func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
