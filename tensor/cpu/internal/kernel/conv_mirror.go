package kernel

// mirrored returns the geometry of the same trilinear form with x and y exchanged, for strides of 1. There position
// i = o + d·k − p of x is also o = i + d·k' − (d(K−1) − p) with k' = K−1−k, so that a convolution is the gradient of
// another one, whose weights are
//
//	w'[k', b, (group,a)] = w[K−1−k', a, (group,b)].
func (g *ConvGeometry) mirrored() ConvGeometry {
	m := *g
	m.CI, m.CO = g.CO, g.CI
	for i, a := range g.Axes {
		m.Axes[i].In, m.Axes[i].Out = a.Out, a.In
		m.Axes[i].Pad = a.Dilation*(a.Kernel-1) - a.Pad
	}
	return m
}

// isBetterMirrored reports whether the mirrored geometry exists and has few input channels, where this one has few
// output channels: there the many channels fill the vectors.
func (g *ConvGeometry) isBetterMirrored() bool {
	return g.Axes[0].Stride == 1 && g.Axes[1].Stride == 1 && g.CO <= fewChannels && g.CI > fewChannels
}

// mirroredY is ConvY by ConvX of the mirrored geometry.
type mirroredY[T float] struct{ columnsX[T] } // of the mirrored geometry

func newMirroredY[T float](c conv[T]) *mirroredY[T] {
	c.ConvGeometry = c.mirrored()
	return &mirroredY[T]{*newColumnsX(c)}
}

func (m *mirroredY[T]) packed() int { return m.WLen() }

func (m *mirroredY[T]) pack(_ *scratch[T], w, packed []T) {
	original := m.mirrored()
	mirrorWeights(&original, packed, w)
}

// mirroredW is ConvW of the mirrored geometry.
type mirroredW[T float] struct{ gatherW[T] } // of the mirrored geometry

func newMirroredW[T float](c conv[T]) *mirroredW[T] {
	c.ConvGeometry = c.mirrored()
	return &mirroredW[T]{*newGatherW(c)}
}

func (m *mirroredW[T]) weights(s *scratch[T], n0, n1 int, x, y, w []T) {
	s.conv.mirror = reserve(s.conv.mirror, m.WLen())
	m.gatherW.weights(s, n0, n1, y, x, s.conv.mirror)
	mirrorWeights(&m.ConvGeometry, w, s.conv.mirror)
}

// mirrorWeights sets dst to the weights of g's mirrored geometry, src being those of g.
func mirrorWeights[T float](g *ConvGeometry, dst, src []T) {
	last := g.taps() - 1
	size := g.CI * g.Groups * g.CO // of a tap
	for k := range g.taps() {
		from, to := src[k*size:][:size], dst[(last-k)*size:][:size]
		for a := range g.CI {
			for group := range g.Groups {
				for b := range g.CO {
					to[(b*g.Groups+group)*g.CI+a] = from[(a*g.Groups+group)*g.CO+b]
				}
			}
		}
	}
}
