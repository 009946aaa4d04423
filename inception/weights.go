package inception

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor"
)

// epsilon is added to the variances of batch normalisation.
const epsilon = 0.001

// Weights are what the network has learned, by the name of the tensor. The SHA-256 of their file names them.
type Weights struct {
	vars   tensor.Vars
	SHA256 [sha256.Size]byte
}

// Name names the features that the weights give, for results.
func (w *Weights) Name() string {
	return fmt.Sprintf("inception-v3 pool3 (weights SHA-256 %x)", w.SHA256[:6])
}

// Load reads the weights in a .safetensors file: the state dict of pytorch-fid, saved as it is. Each convolution NAME has the float32 tensors
// NAME.conv.weight (out, in, height, width) and NAME.bn.weight, .bias, .running_mean and .running_var (out). What does not lead to the
// features is ignored: fc.*, AuxLogits.* and the counters num_batches_tracked. Errors name the file and the tensor.
func Load(path string) (*Weights, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w, expected the weights of Inception-v3 as a .safetensors file", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: a folder, expected the weights of Inception-v3 as a .safetensors file", path)
	}
	w, err := Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

// Read reads the weights from a .safetensors file of the given size in bytes, as [Load] does.
func Read(r io.ReaderAt, size int64) (*Weights, error) {
	tensors, _, err := model.ReadTensors(r, size)
	switch {
	case errors.Is(err, model.ErrNotModel):
		return nil, errors.New("not a .safetensors file; expected the state dict of pytorch-fid's Inception-v3 in that format")
	case errors.Is(err, model.ErrDamaged):
		return nil, fmt.Errorf("the weights of Inception-v3: %w", err)
	case err != nil:
		return nil, err
	}
	w, err := newWeights(tensors)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size)); err != nil {
		return nil, err
	}
	sum.Sum(w.SHA256[:0])
	return w, nil
}

// newWeights folds the normalisation of each convolution into its kernel and a bias: with f = weight/√(running_var + ε),
//
//	(x ∗ k − running_mean)·f + bias = x ∗ (k·f) + (bias − running_mean·f)
//
// computed in float64 and rounded once. Kernels get the engine's order, (height, width, in, out).
func newWeights(tensors []model.Tensor) (*Weights, error) {
	left := make(map[string]model.Tensor, len(tensors))
	for _, t := range tensors {
		if !ignored(t.Name) {
			left[t.Name] = t
		}
	}
	take := func(name string, dims ...int) ([]float32, error) {
		t, ok := left[name]
		if !ok {
			return nil, fmt.Errorf("tensor %q is missing, expected float32 %v as in pytorch-fid's Inception-v3", name, dims)
		}
		delete(left, name)
		v, ok := t.Values.([]float32)
		if !ok {
			return nil, fmt.Errorf("tensor %q holds %s, expected float32", name, strings.TrimPrefix(fmt.Sprintf("%T", t.Values), "[]"))
		}
		if !slices.Equal(t.Dims, dims) {
			return nil, fmt.Errorf("tensor %q has dims %v, expected %v", name, t.Dims, dims)
		}
		for i, x := range v {
			if x-x != 0 { // NaN and the infinities
				return nil, fmt.Errorf("tensor %q has %v as element %d, expected a finite number", name, x, i)
			}
		}
		return v, nil
	}
	_, units, err := program(1)
	if err != nil {
		return nil, err
	}
	w := &Weights{vars: tensor.Vars{}}
	for _, u := range units {
		height, width, in, out := u.kernel[0], u.kernel[1], u.kernel[2], u.kernel[3]
		k, err := take(u.name+".conv.weight", out, in, height, width)
		if err != nil {
			return nil, err
		}
		var norm [4][]float32
		for i, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			if norm[i], err = take(u.name+".bn."+part, out); err != nil {
				return nil, err
			}
		}
		kernel := tensor.NewArray(tensor.Shape{DType: tensor.Float32, Dims: u.kernel[:]})
		bias := tensor.NewArray(tensor.Shape{DType: tensor.Float32, Dims: []int{out}})
		area := height * width
		for o := range out {
			variance := float64(norm[3][o])
			if variance < 0 {
				return nil, fmt.Errorf("tensor %q has %v as element %d, expected a variance of at least 0", u.name+".bn.running_var", variance, o)
			}
			f := float64(norm[0][o]) / math.Sqrt(variance+epsilon)
			bias.F32[o] = float32(float64(norm[1][o]) - float64(norm[2][o])*f)
			for i := range in {
				for at := range area {
					kernel.F32[(at*in+i)*out+o] = float32(float64(k[(o*in+i)*area+at]) * f)
				}
			}
		}
		w.vars[u.name+kernelSuffix], w.vars[u.name+biasSuffix] = kernel, bias
	}
	for _, t := range tensors { // in their order, so that the same one is named each time
		if _, ok := left[t.Name]; ok {
			return nil, fmt.Errorf("tensor %q, dims %v, is not of pytorch-fid's Inception-v3", t.Name, t.Dims)
		}
	}
	return w, nil
}

// ignored reports whether a tensor of the state dict does not lead to the features.
func ignored(name string) bool {
	return strings.HasPrefix(name, "fc.") || strings.HasPrefix(name, "AuxLogits.") || strings.HasSuffix(name, ".num_batches_tracked")
}
