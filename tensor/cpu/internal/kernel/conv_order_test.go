package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestConvOrder: single elements are, to the last bit, the sums that the documentation defines, computed term by term
// in arbitrary precision by orderedProduct.
func TestConvOrder(t *testing.T) {
	strided := ConvAxis{In: 9, Kernel: 5, Out: 6, Stride: 2, Dilation: 1, Pad: 3}
	dilated := ConvAxis{In: 8, Kernel: 3, Out: 5, Stride: 2, Dilation: 3, Pad: 3}
	plain := ConvAxis{In: 20, Kernel: 3, Out: 20, Stride: 1, Dilation: 1, Pad: 1}
	var ws Workspace
	for i, g := range []ConvGeometry{
		{N: 2, Groups: 1, CI: 17, CO: 9, Axes: [2]ConvAxis{strided, strided}}, // 425 terms, 30 outputs
		{N: 2, Groups: 2, CI: 7, CO: 5, Axes: [2]ConvAxis{dilated, strided}},
		{N: 3, Groups: 1, CI: 7, CO: 8, Axes: [2]ConvAxis{plain, plain}}, // 400 outputs
		{N: 3, Groups: 1, CI: 3, CO: 8, Axes: [2]ConvAxis{plain, plain}},
		{N: 17, Groups: 1, CI: 3, CO: 5, Axes: [2]ConvAxis{strided, dilated}},
		{N: 70, Groups: 1, CI: 1, CO: 3, Axes: [2]ConvAxis{ // 7 images have just 196 outputs
			{In: 5, Kernel: 2, Out: 4, Stride: 1, Dilation: 1}, {In: 8, Kernel: 2, Out: 7, Stride: 1, Dilation: 1}}},
	} {
		c := newConvCase[float32](g, uint64(i))
		for _, l := range levels() {
			restore := Use(l)
			x, _, y, _ := c.run(&ws, 1)
			parts := make([]float32, ConvWParts*len(c.w))
			planW := PlanConvW[float32](&c.ConvGeometry)
			for p := range ConvWParts {
				planW.Part(&ws, p, c.x, c.y, parts[p*len(c.w):][:len(c.w)])
			}
			restore()
			rng := rand.New(rand.NewPCG(uint64(i), 5))
			for range 100 {
				at := rng.IntN(len(y))
				if want := c.orderedY(at); y[at] != want {
					t.Fatalf("%v, %+v: y[%d] = %v, want %v", l, g, at, y[at], want)
				}
				if at = rng.IntN(len(x)); g.CI > 6 {
					if want := c.orderedX(at); x[at] != want {
						t.Fatalf("%v, %+v: x[%d] = %v, want %v", l, g, at, x[at], want)
					}
				}
				at = rng.IntN(len(c.w))
				part := rng.IntN(ConvWParts)
				if got, want := parts[part*len(c.w)+at], c.orderedW(part, at); got != want {
					t.Fatalf("%v, %+v: part %d of w[%d] = %v, want %v", l, g, part, at, got, want)
				}
			}
		}
	}
}

// xAt, wAt and yAt return an element, zero outside of the image.
func (c *convCase[T]) xAt(n, i0, i1, group, a int) T {
	h, v := c.Axes[0], c.Axes[1]
	if i0 < 0 || i0 >= h.In || i1 < 0 || i1 >= v.In {
		return 0
	}
	return c.x[((n*h.In+i0)*v.In+i1)*c.Groups*c.CI+group*c.CI+a]
}

func (c *convCase[T]) yAt(n, o0, o1, group, b int) T {
	h, v := c.Axes[0], c.Axes[1]
	if o0 < 0 || o0 >= h.Out || o1 < 0 || o1 >= v.Out {
		return 0
	}
	return c.y[((n*h.Out+o0)*v.Out+o1)*c.Groups*c.CO+group*c.CO+b]
}

func (c *convCase[T]) wAt(k0, k1, a, group, b int) T {
	return c.w[((k0*c.Axes[1].Kernel+k1)*c.CI+a)*c.Groups*c.CO+group*c.CO+b]
}

// digits takes a row-major index apart.
func digits(index int, sizes ...int) []int {
	d := make([]int, len(sizes))
	for i := len(sizes) - 1; i >= 0; i-- {
		d[i], index = index%sizes[i], index/sizes[i]
	}
	return d
}

func (c *convCase[T]) orderedY(at int) float32 {
	h, v := c.Axes[0], c.Axes[1]
	d := digits(at, c.N, h.Out, v.Out, c.Groups, c.CO)
	var x, w []float32
	for k0 := range h.Kernel {
		for k1 := range v.Kernel {
			for a := range c.CI {
				x = append(x, float32(c.xAt(d[0], h.Stride*d[1]+h.Dilation*k0-h.Pad, v.Stride*d[2]+v.Dilation*k1-v.Pad, d[3], a)))
				w = append(w, float32(c.wAt(k0, k1, a, d[3], d[4])))
			}
		}
	}
	return orderedProduct(x, w, 0, false)
}

func (c *convCase[T]) orderedX(at int) float32 {
	h, v := c.Axes[0], c.Axes[1]
	d := digits(at, c.N, h.In, v.In, c.Groups, c.CI)
	var w, y []float32
	for k0 := h.Kernel - 1; k0 >= 0; k0-- {
		for k1 := v.Kernel - 1; k1 >= 0; k1-- {
			u0, u1 := d[1]+h.Pad-h.Dilation*k0, d[2]+v.Pad-v.Dilation*k1
			if u0%h.Stride != 0 || u1%v.Stride != 0 {
				continue
			}
			for b := range c.CO {
				w = append(w, float32(c.wAt(k0, k1, d[4], d[3], b)))
				y = append(y, float32(c.yAt(d[0], u0/h.Stride, u1/v.Stride, d[3], b)))
			}
		}
	}
	if len(w) == 0 {
		return 0
	}
	return orderedProduct(w, y, 0, false)
}

func (c *convCase[T]) orderedW(part, at int) float32 {
	h, v := c.Axes[0], c.Axes[1]
	d := digits(at, h.Kernel, v.Kernel, c.CI, c.Groups, c.CO)
	outputs := h.Out * v.Out
	together := (196 + outputs - 1) / outputs
	var sum float32
	first, end := part*c.N/8, (part+1)*c.N/8
	for n := first; n < end; n += together {
		var x, y []float32
		for m := n; m < min(n+together, end); m++ {
			for o0 := range h.Out {
				for o1 := range v.Out {
					x = append(x, float32(c.xAt(m, h.Stride*o0+h.Dilation*d[0]-h.Pad, v.Stride*o1+v.Dilation*d[1]-v.Pad, d[3], d[2])))
					y = append(y, float32(c.yAt(m, o0, o1, d[3], d[4])))
				}
			}
		}
		sum = orderedProduct(x, y, sum, n > first)
	}
	return sum
}
