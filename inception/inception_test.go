package inception

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor/cpu"
)

// golden is the format that testdata/make_inception.py describes.
type golden struct {
	Cases   []goldenPicture
	Resized []goldenPicture
}

type goldenPicture struct {
	Name                    string
	Height, Width, Channels int
	Features                []float64
	Pixels                  [][4]float64
}

func readGolden(t *testing.T) golden {
	text, err := os.ReadFile("testdata/inception.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Cases) != 2 || len(g.Resized) != 2 {
		t.Fatalf("testdata/inception.json has %d and %d pictures, expected 2 and 2", len(g.Cases), len(g.Resized))
	}
	return g
}

// numbers are n numbers on [-1, 1), those of the function of that name in make_inception.py.
func numbers(name string, n int) []float64 {
	h := uint32(2166136261)
	for _, c := range []byte(name) {
		h = (h ^ uint32(c)) * 16777619
	}
	v := make([]float64, n)
	for i := range v {
		x := h + uint32(i)
		x = (x ^ x>>16) * 0x85EBCA6B
		x = (x ^ x>>13) * 0xC2B2AE35
		x ^= x >> 16
		v[i] = float64(x>>8)/(1<<23) - 1
	}
	return v
}

// stateDict are the weights of make_inception.py, and what a whole state dict has beside them.
var stateDict = sync.OnceValues(func() ([]model.Tensor, error) {
	_, units, err := program(1)
	if err != nil {
		return nil, err
	}
	tensors := []model.Tensor{
		{Name: "fc.bias", Dims: []int{2}, Values: make([]float32, 2)},
		{Name: "AuxLogits.conv0.conv.weight", Dims: []int{1}, Values: make([]float32, 1)},
		{Name: "Conv2d_1a_3x3.bn.num_batches_tracked", Values: make([]int64, 1)},
	}
	for _, u := range units {
		height, width, in, out := u.kernel[0], u.kernel[1], u.kernel[2], u.kernel[3]
		add := func(part string, change func(v float64) float64, dims ...int) {
			size := 1
			for _, d := range dims {
				size *= d
			}
			values := make([]float32, size)
			for i, v := range numbers(u.name+"."+part, size) {
				values[i] = float32(change(v))
			}
			tensors = append(tensors, model.Tensor{Name: u.name + "." + part, Dims: dims, Values: values})
		}
		bound := math.Sqrt(6 / float64(in*height*width))
		near1, near0 := func(v float64) float64 { return 1 + v/4 }, func(v float64) float64 { return v / 8 }
		add("conv.weight", func(v float64) float64 { return v * bound }, out, in, height, width)
		add("bn.weight", near1, out)
		add("bn.bias", near0, out)
		add("bn.running_mean", near0, out)
		add("bn.running_var", near1, out)
	}
	return tensors, nil
})

func weightsByFormula(t *testing.T) []model.Tensor {
	tensors, err := stateDict()
	if err != nil {
		t.Fatal(err)
	}
	return tensors
}

// batch is the picture of make_inception.py: blocks of 4×4 equal pixels.
func (g goldenPicture) batch() data.Batch {
	b := data.NewBatch(data.Shape{Height: g.Height, Width: g.Width, Channels: g.Channels}, 1, false)
	rows, columns := (g.Height+3)/4, (g.Width+3)/4
	v := numbers(g.Name, rows*columns*g.Channels)
	for i := range g.Height {
		for j := range g.Width {
			for k := range g.Channels {
				b.X[(i*g.Width+j)*g.Channels+k] = float32(math.Floor((v[(i/4*columns+j/4)*g.Channels+k] + 1) * 128))
			}
		}
	}
	return b
}

// TestFeaturesGolden compares with PyTorch in float64, through the file format.
func TestFeaturesGolden(t *testing.T) {
	var file bytes.Buffer
	if err := model.WriteTensors(&file, weightsByFormula(t), nil); err != nil {
		t.Fatal(err)
	}
	w, err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if name := w.Name(); !strings.HasPrefix(name, "inception-v3 pool3 (weights SHA-256 ") || len(name) != len("inception-v3 pool3 (weights SHA-256 012345678901)") {
		t.Errorf("the features are called %q", name)
	}
	n, err := New(w, cpu.New(1), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range readGolden(t).Cases {
		x := c.batch()
		if c.Name == "grey" { // the same picture in other units
			for i := range x.X {
				x.X[i] /= 16
			}
		}
		largest := map[string]float32{"grey": 255.0 / 16, "colour": 255}[c.Name]
		got := make([]float32, Size)
		if err := n.Features(context.Background(), got, x, largest); err != nil {
			t.Fatal(err)
		}
		if len(c.Features) != Size {
			t.Fatalf("%s: %d golden features", c.Name, len(c.Features))
		}
		norm, difference := 0.0, 0.0
		for i, want := range c.Features {
			d := float64(got[i]) - want
			norm, difference = norm+want*want, difference+d*d
			if !(math.Abs(d) <= 2e-5) { // features are of order 1
				t.Fatalf("%s: feature %d is %v, PyTorch has %v", c.Name, i, got[i], want)
			}
		}
		if relative := math.Sqrt(difference / norm); !(relative <= 5e-6) {
			t.Errorf("%s: the features differ from PyTorch's by %.2g of their norm", c.Name, relative)
		} else {
			t.Logf("%s: the features differ from PyTorch's by %.2g of their norm", c.Name, relative)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	grey := data.NewBatch(data.Shape{Height: 8, Width: 8, Channels: 1}, 2, false)
	if err := n.Features(cancelled, make([]float32, 2*Size), grey, 255); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	for _, c := range []struct {
		x       data.Batch
		room    int
		largest float32
		want    string
	}{
		{data.NewBatch(data.Shape{Height: 8, Width: 8, Channels: 2}, 1, false), Size, 255, "takes pictures of 1 or 3 channels"},
		{grey, Size, 255, "room for 2048 features of 2 pictures"},
		{grey, 2 * Size, float32(math.NaN()), "pixels go from 0 to NaN"},
	} {
		if err := n.Features(context.Background(), make([]float32, c.room), c.x, c.largest); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected one with %q", err, c.want)
		}
	}
}

// TestResizeGolden compares with PyTorch's interpolate, enlarging and shrinking.
func TestResizeGolden(t *testing.T) {
	for _, c := range readGolden(t).Resized {
		got := make([]float32, Side*Side*3)
		resize(got, c.batch().X, taps(c.Height), taps(c.Width), c.Width, c.Channels, 255)
		for _, p := range c.Pixels {
			v := got[(int(p[0])*Side+int(p[1]))*3+int(p[2])]
			if d := math.Abs(float64(v) - p[3]); !(d <= 1e-6) {
				t.Errorf("%s: row %v, column %v, channel %v is %v, PyTorch has %v", c.Name, p[0], p[1], p[2], v, p[3])
			}
		}
	}
}

// TestPixelsAreOf8Bits: what generators make beyond the range or between the levels becomes what a file would hold.
func TestPixelsAreOf8Bits(t *testing.T) {
	for _, c := range []struct{ v, want float32 }{{-3, -1}, {0, -1}, {16, 1}, {20, 1}, {8, 128*2.0/255 - 1}, {0.02, -1}} {
		got := make([]float32, Side*Side*3)
		resize(got, []float32{c.v}, taps(1), taps(1), 1, 1, 16)
		for i, v := range got {
			if v != c.want {
				t.Fatalf("pixel %v of 16 became %v at %d, expected %v", c.v, v, i, c.want)
			}
		}
	}
}

// TestUnits: the state dict of pytorch-fid has 94 convolutions with 21,785,568 numbers in kernels and normalisations that lead to pool3.
func TestUnits(t *testing.T) {
	_, units, err := program(1)
	if err != nil {
		t.Fatal(err)
	}
	parameters := 0
	for _, u := range units {
		parameters += u.kernel[0]*u.kernel[1]*u.kernel[2]*u.kernel[3] + 2*u.kernel[3]
	}
	if len(units) != 94 || parameters != 21785568 {
		t.Errorf("%d convolutions with %d parameters, expected 94 with 21785568", len(units), parameters)
	}
}

func TestBadWeights(t *testing.T) {
	whole := weightsByFormula(t)
	at := func(name string) int {
		for i, x := range whole {
			if x.Name == name {
				return i
			}
		}
		t.Fatalf("no tensor %s", name)
		return 0
	}
	changed := func(name string, to ...model.Tensor) []model.Tensor {
		i := at(name)
		return append(append(append([]model.Tensor{}, whole[:i]...), to...), whole[i+1:]...)
	}
	const first, variance = "Conv2d_1a_3x3.conv.weight", "Conv2d_1a_3x3.bn.running_var"
	spoilt := func(name string, v float32) []model.Tensor {
		x := whole[at(name)]
		values := append([]float32{}, x.Values.([]float32)...)
		values[5] = v
		return changed(name, model.Tensor{Name: name, Dims: x.Dims, Values: values})
	}
	for _, c := range []struct {
		tensors []model.Tensor
		want    string
	}{
		{nil, `tensor "Conv2d_1a_3x3.conv.weight" is missing, expected float32 [32 3 3 3]`},
		{changed(first), `tensor "Conv2d_1a_3x3.conv.weight" is missing`},
		{changed(first, model.Tensor{Name: first, Dims: []int{3, 3, 3, 32}, Values: make([]float32, 864)}),
			`tensor "Conv2d_1a_3x3.conv.weight" has dims [3 3 3 32], expected [32 3 3 3]`},
		{changed(first, model.Tensor{Name: first, Dims: []int{32, 3, 3, 3}, Values: make([]float64, 864)}),
			`tensor "Conv2d_1a_3x3.conv.weight" holds float64, expected float32`},
		{spoilt(first, float32(math.NaN())), `tensor "Conv2d_1a_3x3.conv.weight" has NaN as element 5`},
		{spoilt(variance, -1), `tensor "Conv2d_1a_3x3.bn.running_var" has -1 as element 5, expected a variance`},
	} {
		if _, err := newWeights(c.tensors); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected one with %q", err, c.want)
		}
	}
	more := append(append([]model.Tensor{}, whole...), model.Tensor{Name: "head.weight", Dims: []int{1}, Values: []float32{1}})
	if _, err := newWeights(more); err == nil || !strings.Contains(err.Error(), `tensor "head.weight", dims [1], is not of pytorch-fid's Inception-v3`) {
		t.Errorf("one tensor too many: error %v", err)
	}
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.safetensors")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "expected the weights") {
		t.Errorf("no file: error %v", err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "a folder, expected the weights") {
		t.Errorf("a folder: error %v", err)
	}
	var file bytes.Buffer
	if err := model.WriteTensors(&file, []model.Tensor{{Name: "fc.bias", Dims: []int{4}, Values: make([]float32, 4)}}, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		text []byte
		want string
	}{
		{"weights.pth", []byte("PK\x03\x04 a zip archive, as PyTorch saves them"), "not a .safetensors file"},
		{"cut.safetensors", file.Bytes()[:file.Len()-2], "the file is cut off"},
		{"other.safetensors", file.Bytes(), `tensor "Conv2d_1a_3x3.conv.weight" is missing`},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, c.text, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: error %v, expected one with %q", c.name, err, c.want)
		}
	}
}
