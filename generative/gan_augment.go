package generative

import (
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// diffAugment is T(x) of DiffAugment (Zhao et al., Differentiable augmentation for data-efficient GAN training, 2020, eq. 4 to 6)
// for pictures [n, H, W, C] in [−1, 1]: colour (brightness, saturation and contrast), translation and cutout, drawn for each
// picture anew. The discriminator sees T(x) and T(G(z)) only, so that it cannot learn a small set by heart; the generator learns
// through T by its gradient, so that its own pictures need not look like T's. Each of the three is left out for half of the
// pictures, which makes certain of that (Karras et al., Training generative adversarial networks with limited data, 2020,
// section 2.2): those show D what no T explains. It is off by default: with the relativistic loss, whose penalties hold D back too,
// it gained nothing on the digits nor on 100 to 500 pictures of Fashion-MNIST.
func diffAugment(x *tensor.Node, noise *nn.Noise) *tensor.Node {
	n := x.Dims()[0]
	uniform := func(low, high float64) *tensor.Node {
		return tensor.AddScalar(tensor.MulScalar(noise.Uniform(n, 1, 1, 1), high-low), low)
	}
	sometimes := func(changed, x *tensor.Node) *tensor.Node {
		return tensor.Select(tensor.Less(uniform(0, 1), x.Graph().Scalar(tensor.Float32, 0.5)), changed, x)
	}
	coloured := tensor.Add(x, uniform(-0.5, 0.5))
	if x.Dims()[3] > 1 {
		coloured = stretch(coloured, uniform(0, 2), 3)
	}
	x = sometimes(stretch(coloured, uniform(0.5, 1.5), 1, 2, 3), x)
	x = sometimes(translate(x, noise), x)
	return sometimes(cutOut(x, noise), x)
}

// stretch moves pictures away from their mean over axes by a factor.
func stretch(x, factor *tensor.Node, axes ...int) *tensor.Node {
	count := 1
	for _, a := range axes {
		count *= x.Dims()[a]
	}
	mean := tensor.MulScalar(tensor.SumKeep(x, axes...), 1/float64(count))
	return tensor.Add(mean, tensor.Mul(tensor.Sub(x, mean), factor))
}

// translate moves each picture by up to an eighth of its size along both axes; what comes in is 0.
func translate(x *tensor.Node, noise *nn.Noise) *tensor.Node {
	d := x.Dims()
	height, width := d[1], d[2]
	row, rowInside := shifted(noise, d[0], height, 1)
	column, columnInside := shifted(noise, d[0], width, 2)
	g := x.Graph()
	index := tensor.Add(tensor.Mul(row, g.Scalar(tensor.Int32, float64(width))), column)
	index = tensor.Select(tensor.And(rowInside, columnInside), index, g.Scalar(tensor.Int32, -1)) // where Gather reads zeros
	flat := tensor.Gather(tensor.Reshape(x, d[0], height*width, d[3]), tensor.Reshape(index, d[0], height*width))
	return tensor.Reshape(flat, d...)
}

// shifted is where each place along an axis of n pictures comes from, Int32 with the axis in its place of [n, H, W], and
// whether that is inside.
func shifted(noise *nn.Noise, n, extent, axis int) (from, inside *tensor.Node) {
	most := (extent + 4) / 8
	from = tensor.Add(places(noise.Key.Graph(), extent, axis), integers(noise, n, -most, most))
	return from, between(from, 0, extent)
}

// cutOut sets a rectangle of half the height and width to 0, its centre anywhere in the picture.
func cutOut(x *tensor.Node, noise *nn.Noise) *tensor.Node {
	d := x.Dims()
	g := x.Graph()
	inside := func(extent, axis int) *tensor.Node {
		side := (extent + 1) / 2
		first := integers(noise, d[0], -side/2, extent-side/2)
		return between(tensor.Sub(places(g, extent, axis), first), 0, side)
	}
	cut := tensor.And(inside(d[1], 1), inside(d[2], 2))
	return tensor.Select(tensor.Reshape(cut, d[0], d[1], d[2], 1), tensor.ZerosLike(x), x)
}

// places are 0 … extent−1 along an axis of [1, H, W], the others 1.
func places(g *tensor.Graph, extent, axis int) *tensor.Node {
	dims := []int{1, 1, 1}
	dims[axis] = extent
	return g.Iota(tensor.ShapeOf(tensor.Int32, dims...), axis)
}

// integers are uniform on low … high, Int32 [n, 1, 1].
func integers(noise *nn.Noise, n, low, high int) *tensor.Node {
	u := tensor.Floor(tensor.MulScalar(noise.Uniform(n, 1, 1), float64(high-low+1)))
	return tensor.Convert(tensor.AddScalar(u, float64(low)), tensor.Int32)
}

// between tells where low ≤ i < limit.
func between(i *tensor.Node, low, limit int) *tensor.Node {
	g := i.Graph()
	return tensor.And(tensor.GreaterEqual(i, g.Scalar(tensor.Int32, float64(low))), tensor.Less(i, g.Scalar(tensor.Int32, float64(limit))))
}
