package inception

import (
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

const (
	// Side is the height and width of the pictures that the network sees.
	Side = 299
	// Size is the number of features: the channels of the last block.
	Size = 2048
)

// network is Inception-v3 up to its features, (N, 299, 299, 3) to (N, 2048), under the names of torchvision's state dict. What pytorch-fid
// changes of torchvision's network, to agree with the TensorFlow one of 2015, is in the pools: averages leave the padding out, and the last
// block has a maximum where the paper has an average.
var network = inTurn{
	valid("Conv2d_1a_3x3", 32, 3, 2), // 149 × 149
	valid("Conv2d_2a_3x3", 32, 3, 1), // 147
	same("Conv2d_2b_3x3", 64, 3, 3),
	maxHalve, // 73
	valid("Conv2d_3b_1x1", 80, 1, 1),
	valid("Conv2d_4a_3x3", 192, 3, 1), // 71
	maxHalve,                          // 35
	block{"Mixed_5b", blockA(32)},     // 256 channels
	block{"Mixed_5c", blockA(64)},     // 288
	block{"Mixed_5d", blockA(64)},
	block{"Mixed_6a", blockB}, // 17 × 17 × 768
	block{"Mixed_6b", blockC(128)},
	block{"Mixed_6c", blockC(160)},
	block{"Mixed_6d", blockC(160)},
	block{"Mixed_6e", blockC(192)},
	block{"Mixed_7a", blockD},              // 8 × 8 × 1280
	block{"Mixed_7b", blockE(averageSame)}, // 2048 channels
	block{"Mixed_7c", blockE(maxSame)},
}

// blockA is figure 5 of Szegedy et al., with the 5×5 kernel of figure 4 left in one branch.
func blockA(pooled int) layer {
	return sideBySide{
		same("branch1x1", 64, 1, 1),
		inTurn{same("branch5x5_1", 48, 1, 1), same("branch5x5_2", 64, 5, 5)},
		inTurn{same("branch3x3dbl_1", 64, 1, 1), same("branch3x3dbl_2", 96, 3, 3), same("branch3x3dbl_3", 96, 3, 3)},
		inTurn{averageSame, same("branch_pool", pooled, 1, 1)},
	}
}

// blockB halves the picture (figure 10).
var blockB = sideBySide{
	valid("branch3x3", 384, 3, 2),
	inTurn{same("branch3x3dbl_1", 64, 1, 1), same("branch3x3dbl_2", 96, 3, 3), valid("branch3x3dbl_3", 96, 3, 2)},
	maxHalve,
}

// blockC makes 7×7 kernels of 1×7 and 7×1 ones (figure 6, n = 7); c are the channels between them.
func blockC(c int) layer {
	return sideBySide{
		same("branch1x1", 192, 1, 1),
		inTurn{same("branch7x7_1", c, 1, 1), same("branch7x7_2", c, 1, 7), same("branch7x7_3", 192, 7, 1)},
		inTurn{
			same("branch7x7dbl_1", c, 1, 1), same("branch7x7dbl_2", c, 7, 1), same("branch7x7dbl_3", c, 1, 7),
			same("branch7x7dbl_4", c, 7, 1), same("branch7x7dbl_5", 192, 1, 7),
		},
		inTurn{averageSame, same("branch_pool", 192, 1, 1)},
	}
}

// blockD halves the picture.
var blockD = sideBySide{
	inTurn{same("branch3x3_1", 192, 1, 1), valid("branch3x3_2", 320, 3, 2)},
	inTurn{
		same("branch7x7x3_1", 192, 1, 1), same("branch7x7x3_2", 192, 1, 7), same("branch7x7x3_3", 192, 7, 1),
		valid("branch7x7x3_4", 192, 3, 2),
	},
	maxHalve,
}

// blockE spreads 3×3 kernels over 1×3 and 3×1 ones side by side (figure 7).
func blockE(p pool) layer {
	return sideBySide{
		same("branch1x1", 320, 1, 1),
		inTurn{same("branch3x3_1", 384, 1, 1), sideBySide{same("branch3x3_2a", 384, 1, 3), same("branch3x3_2b", 384, 3, 1)}},
		inTurn{
			same("branch3x3dbl_1", 448, 1, 1), same("branch3x3dbl_2", 384, 3, 3),
			sideBySide{same("branch3x3dbl_3a", 384, 1, 3), same("branch3x3dbl_3b", 384, 3, 1)},
		},
		inTurn{p, same("branch_pool", 192, 1, 1)},
	}
}

// layer is a part of the network.
type layer interface {
	// apply computes the layer of x, [N, H, W, C], and notes in w what weights that took.
	apply(w *walk, x *tensor.Node) *tensor.Node
}

// walk is one way through the network, from input to output.
type walk struct {
	prefix string // of names inside a block
	units  []unit
}

// unit is a convolution of the network: its name, and the dims of its kernel, (height, width, in, out).
type unit struct {
	name   string
	kernel [4]int
}

// inTurn applies layers one after the other.
type inTurn []layer

func (l inTurn) apply(w *walk, x *tensor.Node) *tensor.Node {
	for _, next := range l {
		x = next.apply(w, x)
	}
	return x
}

// sideBySide applies layers to the same picture and joins their channels.
type sideBySide []layer

func (l sideBySide) apply(w *walk, x *tensor.Node) *tensor.Node {
	branches := make([]*tensor.Node, len(l))
	for i, branch := range l {
		branches[i] = branch.apply(w, x)
	}
	return tensor.Concat(3, branches...)
}

// block is a layer whose convolutions have names within its own.
type block struct {
	name string
	layer
}

func (l block) apply(w *walk, x *tensor.Node) *tensor.Node {
	outer := w.prefix
	w.prefix += l.name + "."
	x = l.layer.apply(w, x)
	w.prefix = outer
	return x
}

// conv is max(x ∗ kernel + bias, 0): a convolution without bias, batch normalisation and ReLU ("BasicConv2d"), where kernel and bias hold the
// normalisation ([Weights]).
type conv struct {
	name   string
	out    int    // channels
	extent [2]int // of the kernel: height, width
	pad    [2]int
	stride int
}

// same is a convolution that keeps the size of the picture.
func same(name string, out, height, width int) conv {
	return conv{name, out, [2]int{height, width}, [2]int{height / 2, width / 2}, 1}
}

// valid is a convolution without padding.
func valid(name string, out, extent, stride int) conv {
	return conv{name, out, [2]int{extent, extent}, [2]int{}, stride}
}

func (l conv) apply(w *walk, x *tensor.Node) *tensor.Node {
	g, in := x.Graph(), x.Dims()
	u := unit{w.prefix + l.name, [4]int{l.extent[0], l.extent[1], in[3], l.out}}
	w.units = append(w.units, u)
	geometry := tensor.ConvGeometry{N: in[0], Groups: 1, CI: in[3], CO: l.out}
	for i := range geometry.Axes {
		geometry.Axes[i] = tensor.ConvAxis{
			In: in[1+i], Kernel: l.extent[i], Out: (in[1+i]+2*l.pad[i]-l.extent[i])/l.stride + 1, Stride: l.stride, Dilation: 1, Pad: l.pad[i],
		}
	}
	y := tensor.ConvY(geometry, x, g.Variable(u.name+kernelSuffix, tensor.Float32, u.kernel[:]...))
	return nn.ReLU(tensor.Add(y, g.Variable(u.name+biasSuffix, tensor.Float32, l.out)))
}

// Names of the two variables of a unit.
const (
	kernelSuffix = ".kernel"
	biasSuffix   = ".bias"
)

// pool is over windows of 3×3.
type pool int

const (
	maxHalve    pool = iota // the greatest, every second window that fits the picture
	maxSame                 // the greatest, a window around each pixel
	averageSame             // the mean of what is inside the picture, a window around each pixel
)

func (l pool) apply(_ *walk, x *tensor.Node) *tensor.Node {
	switch l {
	case maxHalve:
		return tensor.MaxPool(tensor.Pooling(x, 3, 2, 0), x)
	case maxSame:
		return tensor.MaxPool(tensor.Pooling(x, 3, 1, 1), x)
	default:
		height, width := x.Dims()[1], x.Dims()[2]
		share := tensor.NewArray(tensor.Shape{DType: tensor.Float32, Dims: []int{1, height, width, 1}})
		for i := range height {
			for j := range width {
				share.F32[i*width+j] = 1 / float32(inside(i, height)*inside(j, width))
			}
		}
		return tensor.Mul(tensor.SumPool(tensor.Pooling(x, 3, 1, 1), x), x.Graph().Constant(share))
	}
}

// inside is how many of the places i−1, i, i+1 are in [0, n).
func inside(i, n int) int { return min(i+1, n-1) - max(i-1, 0) + 1 }
