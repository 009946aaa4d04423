package main

import (
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

const (
	unetBatch  = 32
	normGroups = 8
	timeWidth  = 128
	timeInput  = 32 // features of the time that the network is given
)

// unet predicts the noise in a picture of 28x28 (in the shape of Ho et al., Denoising diffusion probabilistic models, 2020,
// appendix B): 32, 64 and 128 channels at 28, 14 and 7 pixels.
type unet struct {
	Time1, Time2 nn.Dense
	In           nn.Conv
	Fine         residual // 28x28
	Down1        nn.Conv
	Middle       residual // 14x14
	Down2        nn.Conv
	Coarse       residual // 7x7
	Look         attention
	Coarse2      residual
	MiddleUp     residual // 14x14, with what Middle gave
	FineUp       residual // 28x28, with what Fine gave
	Norm         nn.GroupNorm
	Out          nn.Conv
}

// residual is x + conv(SiLU(norm(conv(SiLU(norm(x))) + time))); the convolution Skip makes the channels of x fit.
type residual struct {
	Norm1 nn.GroupNorm
	Conv1 nn.Conv
	Time  nn.Dense
	Norm2 nn.GroupNorm
	Conv2 nn.Conv
	Skip  *nn.Conv // nil where the channels fit
}

// attention is x + attention(norm(x)) over the pixels.
type attention struct {
	Norm nn.GroupNorm
	Look nn.Attention
}

func newUNet() *unet {
	conv := func(in, out, stride int) nn.Conv { return nn.NewConv(in, out, 3, stride, 1, nn.HeNormal) }
	return &unet{
		Time1: nn.NewDense(timeInput, timeWidth, nn.HeNormal), Time2: nn.NewDense(timeWidth, timeWidth, nn.HeNormal),
		In:   conv(1, 32, 1),
		Fine: newResidual(32, 32), Down1: conv(32, 32, 2),
		Middle: newResidual(32, 64), Down2: conv(64, 64, 2),
		Coarse:  newResidual(64, 128),
		Look:    attention{nn.NewGroupNorm(normGroups, 128), nn.NewAttention(128, 1, nn.GlorotUniform)},
		Coarse2: newResidual(128, 128), MiddleUp: newResidual(128+64, 64), FineUp: newResidual(64+32, 32),
		Norm: nn.NewGroupNorm(normGroups, 32), Out: conv(32, 1, 1),
	}
}

func newResidual(in, out int) residual {
	r := residual{
		nn.NewGroupNorm(normGroups, in), nn.NewConv(in, out, 3, 1, 1, nn.HeNormal), nn.NewDense(timeWidth, out, nn.HeNormal),
		nn.NewGroupNorm(normGroups, out), nn.NewConv(out, out, 3, 1, 1, nn.HeNormal), nil}
	if in != out {
		skip := nn.NewConv(in, out, 1, 1, 0, nn.HeNormal)
		r.Skip = &skip
	}
	return r
}

func (r *residual) apply(x, time *tensor.Node) *tensor.Node {
	h := r.Conv1.Apply(nn.SiLU(r.Norm1.Apply(x)))
	t := r.Time.Apply(time)
	h = tensor.Add(h, tensor.Reshape(t, t.Dims()[0], 1, 1, t.Dims()[1]))
	h = r.Conv2.Apply(nn.SiLU(r.Norm2.Apply(h)))
	if r.Skip != nil {
		x = r.Skip.Apply(x)
	}
	return tensor.Add(x, h)
}

func (a *attention) apply(x *tensor.Node) *tensor.Node {
	d := x.Dims()
	pixels := tensor.Reshape(a.Norm.Apply(x), d[0], d[1]*d[2], d[3])
	return tensor.Add(x, tensor.Reshape(a.Look.Apply(pixels), d...))
}

func (u *unet) apply(x, time *tensor.Node) *tensor.Node {
	t := nn.SiLU(u.Time2.Apply(nn.SiLU(u.Time1.Apply(time))))
	fine := u.Fine.apply(u.In.Apply(x), t)
	middle := u.Middle.apply(u.Down1.Apply(fine), t)
	h := u.Coarse.apply(u.Down2.Apply(middle), t)
	h = u.Coarse2.apply(u.Look.apply(h), t)
	h = u.MiddleUp.apply(tensor.Concat(3, nn.UpSample(h, 2), middle), t)
	h = u.FineUp.apply(tensor.Concat(3, nn.UpSample(h, 2), fine), t)
	return u.Out.Apply(nn.SiLU(u.Norm.Apply(h)))
}

func trainUNet() []phase {
	net := newUNet()
	params := nn.Collect(net)
	return []phase{{params, params, func(g *tensor.Graph, _ *nn.Mode) *tensor.Node {
		x := g.Input("x", tensor.Float32, unetBatch, 28, 28, 1)
		time := g.Input("time", tensor.Float32, unetBatch, timeInput)
		noise := g.Input("noise", tensor.Float32, unetBatch, 28, 28, 1)
		return tensor.Mean(tensor.Square(tensor.Sub(net.apply(x, time), noise)))
	}}}
}
