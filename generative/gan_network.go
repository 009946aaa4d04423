package generative

import (
	"math"
	"math/rand/v2"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// generator makes pictures: G(z, y), [n, H, W, C] in [−1, 1], of z (n, latent) and classes y (n), nil without labels.
type generator interface {
	generate(z, y *tensor.Node, mode *nn.Mode) *tensor.Node
}

// discriminator judges pictures: D(x, y), a logit for each, (n, 1).
type discriminator interface {
	judge(x, y *tensor.Node, mode *nn.Mode) *tensor.Node
}

// adversaries are the two networks of a [GAN].
type adversaries struct {
	Generator     generator
	Discriminator discriminator
	// apart: the discriminator takes real and generated pictures in batches of their own, as its batch norm must not mix them.
	apart bool
}

// traits are what a discriminator has beside its layers.
type traits struct {
	classes   int
	project   bool // the class by projection, see verdict; else by a map for each class beside the picture's channels
	spectral  bool // weights divided by their spectral norms
	batchNorm bool
}

// leak is the slope of leaky ReLU in both networks, as in DCGAN.
const leak = 0.2

// newDCGAN is the pair of DCGAN (Radford, Metz and Chintala, 2016), with feature maps of wide and deep channels.
func newDCGAN(latent, wide, deep int, out data.Shape, t traits) *adversaries {
	return &adversaries{newDCGANGenerator(latent, wide, deep, out, t.classes), newDCGANDiscriminator(wide, deep, out, t), t.batchNorm}
}

// dcganGenerator is dense to a fourth of the size, then two transposed convolutions that double it.
type dcganGenerator struct {
	Dense         nn.Dense
	Norm1         nn.BatchNorm
	Up1           nn.ConvTransposed
	Norm2         nn.BatchNorm
	Up2           nn.ConvTransposed
	classes       int
	height, width int // a fourth of the picture's, rounded up
	deep          int
	out           data.Shape
}

func newDCGANGenerator(latent, wide, deep int, out data.Shape, classes int) *dcganGenerator {
	init := nn.Normal(0.02)
	g := &dcganGenerator{classes: classes, height: (out.Height + 3) / 4, width: (out.Width + 3) / 4, deep: deep, out: out}
	g.Dense = nn.NewDense(latent+classes, g.height*g.width*deep, init).NoBias()
	g.Norm1 = nn.NewBatchNorm(deep)
	g.Up1 = nn.NewConvTransposed(deep, wide, 4, 2, 1, init).NoBias()
	g.Norm2 = nn.NewBatchNorm(wide)
	g.Up2 = nn.NewConvTransposed(wide, out.Channels, 4, 2, 1, init)
	return g
}

func (g *dcganGenerator) generate(z, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := tensor.Reshape(g.Dense.Apply(joinClass(z, y, g.classes)), z.Dims()[0], g.height, g.width, g.deep)
	h = g.Up1.Apply(nn.ReLU(g.Norm1.Apply(h, mode)))
	h = g.Up2.Apply(nn.ReLU(g.Norm2.Apply(h, mode)))
	return crop(tensor.Tanh(h), g.out)
}

// dcganDiscriminator is two convolutions that halve the size, then dense.
type dcganDiscriminator struct {
	Down1   judgeConv
	Down2   judgeConv
	Norm2   *nn.BatchNorm // nil for none
	Verdict verdict
	traits
}

func newDCGANDiscriminator(wide, deep int, out data.Shape, t traits) *dcganDiscriminator {
	d := &dcganDiscriminator{traits: t}
	init := nn.Init(nn.HeNormal) // without a norm the initial weights alone set the scale
	if t.batchNorm {
		init = nn.Normal(0.02)
	}
	d.Down1 = t.conv(nn.NewConv(out.Channels+t.classMaps(), wide, 4, 2, 1, init))
	down2 := nn.NewConv(wide, deep, 4, 2, 1, init)
	if t.batchNorm {
		norm := nn.NewBatchNorm(deep)
		d.Norm2, down2 = &norm, down2.NoBias()
	}
	d.Down2 = t.conv(down2)
	d.Verdict = t.verdict(out.Height/4*(out.Width/4)*deep, nn.Normal(0.02))
	return d
}

func (d *dcganDiscriminator) judge(x, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := nn.LeakyReLU(d.Down1.apply(d.joinMaps(x, y), mode), leak)
	h = d.Down2.apply(h, mode)
	if d.Norm2 != nil {
		h = d.Norm2.Apply(h, mode)
	}
	return d.Verdict.apply(nn.Flatten(nn.LeakyReLU(h, leak)), y, mode)
}

// newResNet is a pair of residual networks without any normalisation, after R3GAN (Huang et al., The GAN is dead; long live
// the GAN! A modern GAN baseline, 2024, section 3), cut down: one block at each of two sizes, of two 3×3 convolutions.
func newResNet(latent, wide, deep int, out data.Shape, t traits) *adversaries {
	return &adversaries{newResNetGenerator(latent, wide, deep, out, t.classes), newResNetDiscriminator(wide, deep, out, t), false}
}

// ganBlock is a residual block x + Conv2(a(Conv1(a(x)))), a the leaky ReLU.
type ganBlock struct{ Conv1, Conv2 judgeConv }

// ganBlocks is how many residual blocks a network has.
const ganBlocks = 2

// newGANBlock makes a block that begins as the identity: Conv2 at zero, and Conv1 smaller by √ganBlocks, so that all blocks
// together change the output by a fixed amount in the first step (Zhang, Dauphin and Ma, Fixup initialization, 2019,
// section 3, with 2 layers in a block). Under spectral norm, which undoes any scale, Conv2 begins as Conv1 does.
func newGANBlock(channels int, t traits) ganBlock {
	fixup := func(dst []float32, fanIn, fanOut int, r *rand.Rand) {
		nn.HeNormal(dst, fanIn*ganBlocks, fanOut, r)
	}
	last := nn.Init(nn.Zeros)
	if t.spectral {
		last = fixup
	}
	return ganBlock{t.conv(nn.NewConv(channels, channels, 3, 1, 1, fixup)), t.conv(nn.NewConv(channels, channels, 3, 1, 1, last))}
}

func (b ganBlock) apply(x *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := b.Conv1.apply(nn.LeakyReLU(x, leak), mode)
	return tensor.Add(x, b.Conv2.apply(nn.LeakyReLU(h, leak), mode))
}

// resnetGenerator is dense to a fourth of the size, a block, up to twice that, a block, and a transposed convolution.
type resnetGenerator struct {
	Dense         nn.Dense
	Block1        ganBlock
	Narrow        nn.Conv // 1×1, from deep to wide
	Block2        ganBlock
	Up            nn.ConvTransposed
	classes       int
	height, width int // a fourth of the picture's, rounded up
	deep          int
	out           data.Shape
}

func newResNetGenerator(latent, wide, deep int, out data.Shape, classes int) *resnetGenerator {
	g := &resnetGenerator{classes: classes, height: (out.Height + 3) / 4, width: (out.Width + 3) / 4, deep: deep, out: out}
	g.Dense = nn.NewDense(latent+classes, g.height*g.width*deep, nn.LeCunNormal)
	g.Block1 = newGANBlock(deep, traits{})
	g.Narrow = nn.NewConv(deep, wide, 1, 1, 0, nn.LeCunNormal).NoBias()
	g.Block2 = newGANBlock(wide, traits{})
	g.Up = nn.NewConvTransposed(wide, out.Channels, 4, 2, 1, nn.LeCunNormal)
	return g
}

func (g *resnetGenerator) generate(z, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := tensor.Reshape(g.Dense.Apply(joinClass(z, y, g.classes)), z.Dims()[0], g.height, g.width, g.deep)
	h = g.Narrow.Apply(g.Block1.apply(h, mode))
	h = g.Block2.apply(nn.UpSample(h, 2), mode)
	return crop(tensor.Tanh(g.Up.Apply(nn.LeakyReLU(h, leak))), g.out)
}

// resnetDiscriminator is the generator's reverse: a convolution that halves the size, a block, half of that, a block, and
// the sum of each channel over the picture, weighted by place.
type resnetDiscriminator struct {
	Down    judgeConv
	Block1  ganBlock
	Widen   judgeConv // 1×1, from wide to deep
	Block2  ganBlock
	Place   *nn.Param // [H/4, W/4, deep]
	Verdict verdict
	traits
}

func newResNetDiscriminator(wide, deep int, out data.Shape, t traits) *resnetDiscriminator {
	d := &resnetDiscriminator{traits: t}
	height, width := out.Height/4, out.Width/4
	d.Down = t.conv(nn.NewConv(out.Channels+t.classMaps(), wide, 4, 2, 1, nn.LeCunNormal))
	d.Block1 = newGANBlock(wide, t)
	d.Widen = t.conv(nn.NewConv(wide, deep, 1, 1, 0, nn.LeCunNormal).NoBias())
	d.Block2 = newGANBlock(deep, t)
	d.Place = &nn.Param{Dims: []int{height, width, deep}, Init: nn.Constant(float32(1 / math.Sqrt(float64(height*width))))}
	d.Verdict = t.verdict(deep, nn.LeCunNormal)
	return d
}

func (d *resnetDiscriminator) judge(x, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	h := d.Block1.apply(d.Down.apply(d.joinMaps(x, y), mode), mode)
	h = d.Block2.apply(d.Widen.apply(nn.AveragePool(h, 2), mode), mode)
	h = tensor.Mul(nn.LeakyReLU(h, leak), d.Place.Node(x.Graph()))
	return d.Verdict.apply(tensor.Sum(h, 1, 2), y, mode)
}

// judgeConv is a convolution, under spectral norm if the traits ask for it.
type judgeConv struct {
	nn.Conv
	Spectral *nn.SpectralNorm
}

func (t traits) conv(l nn.Conv) judgeConv {
	if !t.spectral {
		return judgeConv{l, nil}
	}
	return judgeConv{l, nn.NewSpectralNorm(l.Weight)}
}

func (l judgeConv) apply(x *tensor.Node, mode *nn.Mode) *tensor.Node {
	return l.ApplyWeight(x, weightOf(l.Weight, l.Spectral, x.Graph(), mode))
}

// weightOf is a weight, divided by its spectral norm where there is one.
func weightOf(p *nn.Param, s *nn.SpectralNorm, g *tensor.Graph, mode *nn.Mode) *tensor.Node {
	if s == nil {
		return p.Node(g)
	}
	return s.Weight(g, mode)
}

// verdict turns features φ of a picture, (n, p), into the logit w·φ + b, or with projection into (w + e_y)·φ + b with a
// vector e_y for each class (Miyato and Koyama, cGANs with projection discriminator, 2018, eq. 3 with a linear ψ): log
// p(y|x) − log q(y|x) is linear in φ where both are softmaxes of linear functions.
type verdict struct {
	Dense         nn.Dense
	Spectral      *nn.SpectralNorm
	Class         *nn.Param // e, [classes, p]; nil without projection
	ClassSpectral *nn.SpectralNorm
}

func (t traits) verdict(features int, init nn.Init) verdict {
	v := verdict{Dense: nn.NewDense(features, 1, init)}
	if t.classes > 0 && t.project {
		v.Class = &nn.Param{Dims: []int{t.classes, features}, Init: init, FanIn: features, FanOut: t.classes}
	}
	if t.spectral {
		v.Spectral = nn.NewSpectralNorm(v.Dense.Weight)
		if v.Class != nil {
			v.ClassSpectral = nn.NewSpectralNorm(v.Class)
		}
	}
	return v
}

func (v verdict) apply(features, y *tensor.Node, mode *nn.Mode) *tensor.Node {
	g := features.Graph()
	logit := v.Dense.ApplyWeight(features, weightOf(v.Dense.Weight, v.Spectral, g, mode))
	if v.Class == nil {
		return logit
	}
	own := tensor.Take(weightOf(v.Class, v.ClassSpectral, g, mode), y)
	return tensor.Add(logit, tensor.SumKeep(tensor.Mul(own, features), 1))
}

// classMaps is how many maps joinMaps adds.
func (t traits) classMaps() int {
	if t.project {
		return 0
	}
	return t.classes
}

// joinMaps adds a map for each class to the channels of x, 1 everywhere for x's own and 0 for the others.
func (t traits) joinMaps(x, y *tensor.Node) *tensor.Node {
	if t.classMaps() == 0 {
		return x
	}
	s := x.Dims()
	own := tensor.Reshape(tensor.OneHot(y, tensor.Float32, t.classes), s[0], 1, 1, t.classes)
	return tensor.Concat(3, x, tensor.BroadcastTo(own, s[0], s[1], s[2], t.classes))
}

// joinClass is z with the class beside it, as a row of zeros and a one.
func joinClass(z, y *tensor.Node, classes int) *tensor.Node {
	if classes == 0 {
		return z
	}
	return tensor.Concat(1, z, tensor.OneHot(y, tensor.Float32, classes))
}

// crop is the upper left part of pictures, of the extents of out.
func crop(x *tensor.Node, out data.Shape) *tensor.Node {
	return tensor.SliceAxis(tensor.SliceAxis(x, 1, 0, out.Height), 2, 0, out.Width)
}
