package generative

import (
	"slices"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// unet maps a picture to a picture of the same size, told how much noise there is and which class is wanted (Ronneberger,
// Fischer and Brox, U-Net, 2015; in the shape of Ho, Jain and Abbeel, Denoising diffusion probabilistic models, 2020,
// appendix B). A residual block at each size, each size half the one before, with more channels; at the coarsest every
// pixel looks at all others; then back up, each size beside what the way down gave there:
//
//	28x28x1 → patches → 14x14 block ─────────────────────→ 14x14 block → patches → 28x28x1
//	                       └→ 7x7 block → attention → 7x7 block ┘
//
// Pictures enter as patches, squares of pixels side by side as channels: a network on patches of 2x2 pixels takes half the
// time of one that has a size more (Hoogeboom, Heek and Salimans, Simple diffusion, 2023, section 3.3).
type unet struct {
	In      nn.Conv
	Down    []unetBlock    // from fine to coarse
	Halve   []nn.Conv      // after each of Down but the last
	Look    *unetAttention // nil where there are too many pixels even there
	Coarse  unetBlock
	Up      []unetBlock // from coarse to fine
	OutNorm nn.GroupNorm
	Out     nn.Conv

	patch         int
	height, width int        // that the patches cover: the picture's, rounded up to whole patches at the coarsest size
	shape         data.Shape // of the picture
}

// mostLooking bounds the pixels of the coarsest size that look at each other: time and memory grow with their square.
const mostLooking = 1024

// newUNet makes a U-Net with that many channels at each size, under a condition of width told.
func newUNet(shape data.Shape, patch int, channels []int, told int) *unet {
	coarsest := patch << (len(channels) - 1) // the side of a pixel of the coarsest size
	up := func(side int) int { return (side + coarsest - 1) / coarsest * coarsest }
	u := &unet{patch: patch, height: up(shape.Height), width: up(shape.Width), shape: shape}
	conv := func(in, out, stride int) nn.Conv { return nn.NewConv(in, out, 3, stride, 1, nn.LeCunNormal) }
	area := patch * patch * shape.Channels
	u.In = conv(area, channels[0], 1)
	wide := channels[0]
	for i, c := range channels {
		if i > 0 {
			u.Halve = append(u.Halve, conv(wide, wide, 2))
		}
		u.Down = append(u.Down, newUNetBlock(wide, c, told))
		wide = c
	}
	if u.height/coarsest*(u.width/coarsest) <= mostLooking {
		u.Look = &unetAttention{nn.NewGroupNorm(normGroups(wide), wide), nn.NewAttention(wide, 1, nn.GlorotUniform)}
	}
	u.Coarse = newUNetBlock(wide, wide, told)
	for _, c := range slices.Backward(channels[:len(channels)-1]) {
		u.Up = append(u.Up, newUNetBlock(wide+c, c, told))
		wide = c
	}
	u.OutNorm = nn.NewGroupNorm(normGroups(wide), wide)
	u.Out = nn.NewConv(wide, area, 3, 1, 1, nn.Zeros)
	return u
}

// normGroups is the number of groups of a group normalisation: 8, or fewer where that does not divide the channels.
func normGroups(channels int) int {
	groups := 8
	for channels%groups != 0 {
		groups /= 2
	}
	return groups
}

// apply maps x, [n, H, W, C], under the condition told, [n, width].
func (u *unet) apply(x, told *tensor.Node) *tensor.Node {
	h := u.In.Apply(u.toPatches(x))
	var fine []*tensor.Node
	for i := range u.Down {
		if i > 0 {
			h = u.Halve[i-1].Apply(h)
		}
		h = u.Down[i].apply(h, told)
		fine = append(fine, h)
	}
	if u.Look != nil {
		h = u.Look.apply(h)
	}
	h = u.Coarse.apply(h, told)
	for i := range u.Up {
		beside := fine[len(fine)-2-i]
		h = u.Up[i].apply(tensor.Concat(3, nn.UpSample(h, 2), beside), told)
	}
	return u.fromPatches(u.Out.Apply(nn.SiLU(u.OutNorm.Apply(h))))
}

// toPatches is [n, H, W, C] as [n, H/patch, W/patch, patch²·C], with zeros below and to the right where the patches reach
// beyond the picture.
func (u *unet) toPatches(x *tensor.Node) *tensor.Node {
	n, p, c := x.Dims()[0], u.patch, u.shape.Channels
	if below, right := u.height-u.shape.Height, u.width-u.shape.Width; below+right > 0 {
		x = tensor.Pad(x, 0, make([]int, 4), []int{0, below, right, 0}, make([]int, 4))
	}
	if p == 1 {
		return x
	}
	x = tensor.Transpose(tensor.Reshape(x, n, u.height/p, p, u.width/p, p, c), 0, 1, 3, 2, 4, 5)
	return tensor.Reshape(x, n, u.height/p, u.width/p, p*p*c)
}

// fromPatches undoes toPatches.
func (u *unet) fromPatches(x *tensor.Node) *tensor.Node {
	n, p, c := x.Dims()[0], u.patch, u.shape.Channels
	if p > 1 {
		x = tensor.Transpose(tensor.Reshape(x, n, u.height/p, u.width/p, p, p, c), 0, 1, 3, 2, 4, 5)
		x = tensor.Reshape(x, n, u.height, u.width, c)
	}
	return tensor.SliceAxis(tensor.SliceAxis(x, 1, 0, u.shape.Height), 2, 0, u.shape.Width)
}

// unetBlock is a residual block that the condition scales and shifts (Dhariwal and Nichol, Diffusion models beat GANs on
// image synthesis, 2021, section 3: adaptive group normalisation):
//
//	x + conv(SiLU((1 + scale)·norm(conv(SiLU(norm(x)))) + shift)),   (scale, shift) = dense(told)
//
// The convolution Skip makes the channels of x fit. The last convolution begins as 0, and so the block as x.
type unetBlock struct {
	Norm1 nn.GroupNorm
	Conv1 nn.Conv
	Told  nn.Dense
	Norm2 nn.GroupNorm
	Conv2 nn.Conv
	Skip  *nn.Conv // nil where the channels fit
}

func newUNetBlock(in, out, told int) unetBlock {
	r := unetBlock{
		Norm1: nn.NewGroupNorm(normGroups(in), in), Conv1: nn.NewConv(in, out, 3, 1, 1, nn.LeCunNormal),
		Told:  nn.NewDense(told, 2*out, nn.Zeros),
		Norm2: nn.NewGroupNorm(normGroups(out), out), Conv2: nn.NewConv(out, out, 3, 1, 1, nn.Zeros),
	}
	if in != out {
		skip := nn.NewConv(in, out, 1, 1, 0, nn.LeCunNormal)
		r.Skip = &skip
	}
	return r
}

func (r *unetBlock) apply(x, told *tensor.Node) *tensor.Node {
	h := r.Conv1.Apply(nn.SiLU(r.Norm1.Apply(x)))
	n, c := h.Dims()[0], h.Dims()[3]
	change := tensor.Reshape(r.Told.Apply(told), n, 1, 1, 2*c)
	scale, shift := tensor.SliceAxis(change, 3, 0, c), tensor.SliceAxis(change, 3, c, 2*c)
	h = tensor.Add(tensor.Mul(r.Norm2.Apply(h), tensor.AddScalar(scale, 1)), shift)
	h = r.Conv2.Apply(nn.SiLU(h))
	if r.Skip != nil {
		x = r.Skip.Apply(x)
	}
	return tensor.Add(x, h)
}

// unetAttention is x + attention(norm(x)) over the pixels.
type unetAttention struct {
	Norm nn.GroupNorm
	Look nn.Attention
}

func (a *unetAttention) apply(x *tensor.Node) *tensor.Node {
	d := x.Dims()
	pixels := tensor.Reshape(a.Norm.Apply(x), d[0], d[1]*d[2], d[3])
	return tensor.Add(x, tensor.Reshape(a.Look.Apply(pixels), d...))
}

// rowNet is to the rows of a table what [unet] is to pictures: residual blocks of dense layers,
//
//	h + dense(SiLU((1 + scale)·norm(h) + shift)),   (scale, shift) = dense(told)
type rowNet struct {
	In      nn.Dense
	Blocks  []rowNetBlock
	OutNorm nn.LayerNorm
	Out     nn.Dense
}

type rowNetBlock struct {
	Norm  nn.LayerNorm
	Told  nn.Dense
	Inner nn.Dense
	Outer nn.Dense
}

// newRowNet makes a network for rows of size columns.
func newRowNet(size, units, blocks, told int) *rowNet {
	m := &rowNet{In: nn.NewDense(size, units, nn.LeCunNormal)}
	for range blocks {
		m.Blocks = append(m.Blocks, rowNetBlock{
			nn.NewLayerNorm(units), nn.NewDense(told, 2*units, nn.Zeros),
			nn.NewDense(units, units, nn.HeNormal), nn.NewDense(units, units, nn.Zeros),
		})
	}
	m.OutNorm, m.Out = nn.NewLayerNorm(units), nn.NewDense(units, size, nn.Zeros)
	return m
}

// apply maps x, [n, size], under the condition told, [n, width].
func (m *rowNet) apply(x, told *tensor.Node) *tensor.Node {
	h := m.In.Apply(x)
	for i := range m.Blocks {
		h = m.Blocks[i].apply(h, told)
	}
	return m.Out.Apply(nn.SiLU(m.OutNorm.Apply(h)))
}

func (b *rowNetBlock) apply(x, told *tensor.Node) *tensor.Node {
	units := x.Dims()[1]
	change := b.Told.Apply(told)
	scale, shift := tensor.SliceAxis(change, 1, 0, units), tensor.SliceAxis(change, 1, units, 2*units)
	h := tensor.Add(tensor.Mul(b.Norm.Apply(x), tensor.AddScalar(scale, 1)), shift)
	return tensor.Add(x, b.Outer.Apply(nn.SiLU(b.Inner.Apply(nn.SiLU(h)))))
}
