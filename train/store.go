package train

import (
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// Tensors are the arrays of parameters as a model file stores them.
func Tensors(ps nn.Params, vars tensor.Vars) []model.Tensor {
	out := make([]model.Tensor, len(ps))
	for i, p := range ps {
		out[i] = model.Tensor{Name: p.Name, Dims: p.Dims, Values: vars[p.Name].F32}
	}
	return out
}

// Vars reads the arrays of parameters from a model file; it fails where one is missing or of another shape.
func Vars(ps nn.Params, f *model.File) (tensor.Vars, error) {
	vars := tensor.Vars{}
	for _, p := range ps {
		values, err := model.Values[float32](f, p.Name, p.Dims...)
		if err != nil {
			return nil, err
		}
		vars[p.Name] = &tensor.Array{Shape: tensor.ShapeOf(tensor.Float32, p.Dims...), F32: values}
	}
	return vars, nil
}
