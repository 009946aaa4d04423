package model_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/toy"
	"github.com/likely-ml/likely/model"
)

func rows(t testing.TB) data.Set {
	set, err := data.NewTable(&data.Schema{
		Shape: data.RowShape(2), Columns: []data.Column{{Name: "a", Kind: data.Numeric}, {Name: "b", Kind: data.Integer}},
		Classes: []string{"no", "yes"}, Label: "answer",
	}, []float32{1, 2, 2, 1, 7, 8, 8, 9}, []int32{0, 0, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func fitted(t testing.TB) *toy.Generator {
	m, _, err := model.NewRecipe[toy.GeneratorSpec]().Fit(t.Context(), rows(t), model.Run{Seed: 7, Provenance: model.Provenance{Data: "rows"}})
	if err != nil {
		t.Fatal(err)
	}
	return m.(*toy.Generator)
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	m := fitted(t)
	if err := model.SaveFile(path, m); err != nil {
		t.Fatal(err)
	}
	loaded, f, err := model.Run{Threads: 3}.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := loaded.(*toy.Generator); !ok {
		t.Errorf("loaded a %T, expected a %T", loaded, m)
	}
	c := f.Card
	if c.Name != "toy-generator" || c.Seed != 7 || c.Provenance.Data != "rows" || c.Classes() != 2 || c.Versions.Format != model.FormatVersion || f.Run.Threads != 3 {
		t.Errorf("card is %+v", c)
	}
	if spec, ok := c.Recipe.(*toy.GeneratorSpec); !ok || spec.Floor != 0.001 {
		t.Errorf("recipe is %+v", c.Recipe)
	}
}

// file is the model's file with one metadatum or tensor changed.
func file(t testing.TB, change func(metadata map[string]string, tensors []model.Tensor) []model.Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := fitted(t).Save(&b); err != nil {
		t.Fatal(err)
	}
	tensors, metadata, err := decode(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	tensors = change(metadata, tensors)
	if delete(metadata, "sha256"); len(metadata) > 0 {
		metadata["sha256"] = fmt.Sprintf("%x", sha256.Sum256(encode(t, tensors, metadata)))
	}
	return encode(t, tensors, metadata)
}

// TestDamage changes one bit in each byte of a model file in turn: none must be read as another model. (JSON's own words in
// the header may change case, which changes nothing.)
func TestDamage(t *testing.T) {
	whole := file(t, func(_ map[string]string, tensors []model.Tensor) []model.Tensor { return tensors })
	for i := range whole {
		damaged := slices.Clone(whole)
		damaged[i] ^= 1 << (i % 8)
		m, _, err := model.Run{}.Read(bytes.NewReader(damaged), int64(len(damaged)))
		if err != nil {
			continue
		}
		var again bytes.Buffer
		if err := m.Save(&again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), whole) {
			t.Errorf("byte %d of %d was changed from %q to %q and nobody noticed", i, len(whole), whole[i], damaged[i])
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	set := func(key, value string) func(map[string]string, []model.Tensor) []model.Tensor {
		return func(m map[string]string, tensors []model.Tensor) []model.Tensor {
			m[key] = value
			return tensors
		}
	}
	for _, c := range []struct {
		what, text string
		change     func(map[string]string, []model.Tensor) []model.Tensor
	}{
		{"another program's file", "not a model file: a .safetensors file that another program wrote",
			func(m map[string]string, tensors []model.Tensor) []model.Tensor { clear(m); return tensors }},
		{"a newer file", "version 99", set("likely_format", "99")},
		{"a version that is no number", `likely_format is "x"`, set("likely_format", "x")},
		{"an unknown model", `unknown model "toy-generater"; did you mean "toy-generator"?`, set("model", "toy-generater")},
		{"a recipe out of range", "floor", set("recipe", `{"floor":-1,"epochs":3}`)},
		{"a recipe with an unknown setting", "recipe", set("recipe", `{"flor":1}`)},
		{"a schema that is no JSON", "schema", set("schema", `{`)},
		{"no schema", "schema", set("schema", "null")},
		{"a schema that is wrong", "shape", set("schema", `{"shape":{"height":0,"width":1,"channels":1}}`)},
		{"a transform of another shape", "transform", set("transform", `{"kind":"unit","in":{"height":2,"width":2,"channels":1},"out":{"height":2,"width":2,"channels":1},"max":255,"steps":[{"scale":255}]}`)},
		{"a seed that is no number", "seed", set("seed", "-1")},
		{"a tensor that is missing", `tensor "mean" is missing`,
			func(_ map[string]string, tensors []model.Tensor) []model.Tensor {
				tensors[0].Name = "average"
				return tensors
			}},
		{"a tensor of another type", `"mean" holds []float32`,
			func(_ map[string]string, tensors []model.Tensor) []model.Tensor {
				tensors[0].Values = make([]float32, 4)
				return tensors
			}},
		{"a tensor of other dims", `"mean" has dims [4], expected [2 2]`,
			func(_ map[string]string, tensors []model.Tensor) []model.Tensor {
				tensors[0].Dims = []int{4}
				return tensors
			}},
	} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := os.WriteFile(path, file(t, c.change), 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := model.Load(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, expected one line with the path that says %q", c.what, err, c.text)
		}
	}
	if _, _, err := model.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: error %v", err)
	}
	if _, _, err := model.Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(f, func(_ map[string]string, tensors []model.Tensor) []model.Tensor { return tensors }))
	for _, c := range calibrated(f) {
		f.Add(saved(f, c))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		m, _, err := model.Run{}.Read(bytes.NewReader(file), int64(len(file)))
		if err == nil {
			if err := m.Save(&bytes.Buffer{}); err != nil {
				t.Fatalf("a model that was read cannot be saved: %v", err)
			}
		}
	})
}

func TestLookup(t *testing.T) {
	if _, err := model.Lookup("toy-generator"); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"toy-generato": `unknown model "toy-generato"; did you mean "toy-generator"?`,
		"resnet":       `unknown model "resnet", expected one of toy-classifier, toy-generator`,
	} {
		if _, err := model.Lookup(name); err == nil || err.Error() != text {
			t.Errorf("Lookup(%q): error %v, expected %q", name, err, text)
		}
	}
	if list := model.List(model.Generative); len(list) != 1 || list[0].Name != "toy-generator" {
		t.Errorf("generative models are %v", list)
	}
}

func TestRegisterPanics(t *testing.T) {
	whole, err := model.Lookup("toy-generator")
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*model.Entry){
		"a name that is taken": func(*model.Entry) {},
		"no name":              func(e *model.Entry) { e.Name = "" },
		"a name with capitals": func(e *model.Entry) { e.Name = "Toy" },
		"no kind":              func(e *model.Entry) { e.Kind = "" },
		"no loader":            func(e *model.Entry) { e.Load = nil },
		"a bad recipe":         func(e *model.Entry) { e.New = func() model.Spec { return &toy.GeneratorSpec{} } },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("registering %s did not panic", what)
				}
			}()
			e := whole
			spoil(&e)
			model.Register(e)
		}()
	}
}

// TestBayes compares the posterior with p(x|y)p(y)/p(x), where p(x) comes from the model's own mixture.
func TestBayes(t *testing.T) {
	m := fitted(t)
	x, err := data.ReadAll(t.Context(), rows(t))
	if err != nil {
		t.Fatal(err)
	}
	n := x.Len()
	c, err := model.Bayes(m, nil) // the classes of rows are equally frequent, as in the model's mixture
	if err != nil {
		t.Fatal(err)
	}
	got, given, whole := make([]float64, 2*n), make([]float64, n), make([]float64, n)
	if err := c.LogPosterior(got, x); err != nil {
		t.Fatal(err)
	}
	if err := m.LogProb(whole, x); err != nil {
		t.Fatal(err)
	}
	for k := range 2 {
		y := make([]int32, n)
		for i := range y {
			y[i] = int32(k)
		}
		if err := m.LogProbGiven(given, x, y); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if want := given[i] + math.Log(0.5) - whole[i]; !(math.Abs(got[2*i+k]-want) <= 1e-9*(1+math.Abs(want))) {
				t.Errorf("log p(y=%d|x_%d) is %v, expected %v", k, i, got[2*i+k], want)
			}
		}
	}
}

func TestBayesPrior(t *testing.T) {
	m := fitted(t)
	for _, prior := range [][]float64{{0}, {math.NaN(), 0}, {math.Inf(-1), math.Inf(-1)}, {0, math.Inf(1)}} {
		if _, err := model.Bayes(m, prior); err == nil {
			t.Errorf("prior %v was accepted", prior)
		}
	}
	c, err := model.Bayes(m, []float64{5, math.Inf(-1)}) // only the first class can be
	if err != nil {
		t.Fatal(err)
	}
	x, err := data.ReadAll(t.Context(), rows(t))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, 2*x.Len())
	if err := c.LogPosterior(got, x); err != nil {
		t.Fatal(err)
	}
	for i := range x.Len() {
		if got[2*i] != 0 || !math.IsInf(got[2*i+1], -1) {
			t.Errorf("log posterior of example %d is %v, expected [0 -Inf]", i, got[2*i:2*i+2])
		}
	}
	if err := c.LogPosterior(got[1:], x); !errors.Is(err, model.ErrShape) {
		t.Errorf("too little room: error %v, expected %v", err, model.ErrShape)
	}
	if err := c.Save(&bytes.Buffer{}); err == nil {
		t.Error("a classifier without a file was saved")
	}
}
