package model_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/likely-ml/likely/calibrate"
	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/toy"
	"github.com/likely-ml/likely/model"
)

// calibrated is a classifier with a map of each method behind it.
func calibrated(t testing.TB) (list []*model.Calibrated) {
	t.Helper()
	m, _, err := model.NewRecipe[toy.ClassifierSpec]().Fit(t.Context(), rows(t), model.Run{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	lp := []float64{-0.1, -2.4, -2.4, -0.1, -0.7, -0.7, -1.2, -0.4, -0.4, -1.2, -0.2, -1.7}
	for _, method := range calibrate.Methods() {
		fitted, err := calibrate.Fit(t.Context(), method, lp, []int32{0, 1, 0, 0, 1, 0}, 2)
		if err != nil {
			t.Fatal(err)
		}
		c, err := model.Calibrate(m.(model.Classifier), fitted)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func saved(t testing.TB, m model.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCalibratedSaveAndLoad(t *testing.T) {
	x, err := data.ReadAll(t.Context(), rows(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calibrated(t) {
		whole := saved(t, c)
		m, f, err := model.Run{}.Read(bytes.NewReader(whole), int64(len(whole)))
		if err != nil {
			t.Fatal(err)
		}
		if f.Card.Versions.Format != 2 {
			t.Errorf("format %d, expected 2", f.Card.Versions.Format)
		}
		loaded := m.(*model.Calibrated)
		if loaded.Map.String() != c.Map.String() || !bytes.Equal(saved(t, loaded), whole) {
			t.Errorf("%v was read as %v, or saved again as other bytes", c.Map, loaded.Map)
		}
		if inside := saved(t, loaded.Classifier); !bytes.Equal(inside, saved(t, c.Classifier)) {
			t.Errorf("%v: the classifier inside has changed", c.Map)
		}
		plain, want, got := make([]float64, 2*x.Len()), make([]float64, 2*x.Len()), make([]float64, 2*x.Len())
		if err := errors.Join(c.Classifier.LogPosterior(plain, x), c.LogPosterior(want, x), loaded.LogPosterior(got, x)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) || slices.Equal(got, plain) {
			t.Errorf("%v: log-posterior %v after loading, expected %v, not the classifier's %v", c.Map, got, want, plain)
		}
		if err := c.LogPosterior(want[1:], x); !errors.Is(err, model.ErrShape) {
			t.Errorf("too little room: error %v", err)
		}
		if _, err := model.Calibrate(c, c.Map); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("calibrated twice: error %v", err)
		}
	}
	three, err := calibrate.NewPlatt(make([]float64, 3), make([]float64, 3))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := model.Calibrate(calibrated(t)[0].Classifier, three); err == nil || !strings.Contains(err.Error(), "3 sigmoids for 2 classes") {
		t.Errorf("a map of other classes: error %v", err)
	}
}

func TestLoadRefusesCalibration(t *testing.T) {
	list := calibrated(t)
	for _, c := range []struct {
		what, text string
		of         int
		change     func(metadata map[string]string, tensors map[string]*model.Tensor)
	}{
		{"an unknown method", `calibration is "luck"`, 0, func(m map[string]string, _ map[string]*model.Tensor) { m["calibration"] = "luck" }},
		{"no method", `calibration is ""`, 0, func(m map[string]string, _ map[string]*model.Tensor) { m["calibration"] = "" }},
		{"a version without calibration", "version 1", 0, func(m map[string]string, _ map[string]*model.Tensor) { m["likely_format"] = "1" }},
		{"a version with calibration", "version 2", 0, func(m map[string]string, _ map[string]*model.Tensor) { delete(m, "calibration") }},
		{"a generator", "only a classifier", 0, func(m map[string]string, _ map[string]*model.Tensor) { m["model"] = "toy-generator" }},
		{"no temperature", `"calibration.temperature" is missing`, 1, func(m map[string]string, _ map[string]*model.Tensor) { m["calibration"] = "temperature" }},
		{"a negative temperature", "temperature -1", 0, func(_ map[string]string, t map[string]*model.Tensor) {
			t["calibration.temperature"].Values = []float64{-1}
		}},
		{"too many sigmoids", "3 sigmoids", 1, func(_ map[string]string, t map[string]*model.Tensor) {
			for _, name := range []string{"calibration.slope", "calibration.intercept"} {
				t[name].Dims, t[name].Values = []int{3}, make([]float64, 3)
			}
		}},
		{"knots beyond the end", "knots", 2, func(_ map[string]string, t map[string]*model.Tensor) {
			t["calibration.start"].Values = []int64{0, 1 << 40}
		}},
	} {
		tensors, metadata, err := decode(saved(t, list[c.of]))
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]*model.Tensor{}
		for i := range tensors {
			byName[tensors[i].Name] = &tensors[i]
		}
		c.change(metadata, byName)
		delete(metadata, "sha256")
		metadata["sha256"] = fmt.Sprintf("%x", sha256.Sum256(encode(t, tensors, metadata)))
		whole := encode(t, tensors, metadata)
		_, _, err = model.Run{}.Read(bytes.NewReader(whole), int64(len(whole)))
		if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") || !errors.Is(err, model.ErrDamaged) {
			t.Errorf("%s: error %v, expected one line that says %q", c.what, err, c.text)
		}
	}
}
