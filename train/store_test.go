package train_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/train"
)

// Parameters come back from a file as they were; where one is missing or of another shape the file is damaged.
func TestTensorsAndVars(t *testing.T) {
	layer := nn.NewDense(3, 2, nn.HeNormal)
	ps := nn.Collect(&layer)
	want := ps.Init(1)
	var file bytes.Buffer
	if err := model.WriteTensors(&file, train.Tensors(ps, want), nil); err != nil {
		t.Fatal(err)
	}
	tensors, _, err := model.ReadTensors(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := train.Vars(ps, &model.File{Tensors: tensors})
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range want {
		if b := got[name]; !b.Shape.Equal(a.Shape) || !slices.Equal(a.F32, b.F32) {
			t.Errorf("%s became %v, expected %v", name, b, a)
		}
	}
	for _, in := range []int{2, 4} {
		other := nn.NewDense(in, 2, nn.HeNormal)
		if _, err := train.Vars(nn.Collect(&other), &model.File{Tensors: tensors}); !errors.Is(err, model.ErrDamaged) {
			t.Errorf("read into a layer of %d inputs: error %v, expected %v", in, err, model.ErrDamaged)
		}
	}
}
