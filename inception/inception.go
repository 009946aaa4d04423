// Package inception computes the features of pictures in which the Fréchet distance is the Fréchet inception distance, FID: the last pooling
// layer ("pool3") of the Inception-v3 network that was trained on ImageNet.
//
// The network is that of the TensorFlow file of 2015 behind the published numbers, as pytorch-fid has it. Its weights are not part of this
// module; [Load] reads them from a file. From PyTorch they come by
//
//	state = torch.load("pt_inception-2015-12-05-6726825d.pth")
//	safetensors.torch.save_file({k: v.contiguous() for k, v in state.items()}, "inception.safetensors")
//
// Sources: C. Szegedy et al., Rethinking the Inception architecture for computer vision, 2015 (the network); M. Heusel et al., GANs trained by a
// two time-scale update rule converge to a local Nash equilibrium, 2017 (FID); M. Seitzer, pytorch-fid, 2020 (the program).
package inception

import (
	"context"
	"fmt"
	"sync"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// Network computes features. It is safe for concurrent use; calls run one after another.
type Network struct {
	batch int
	lock  sync.Mutex
	exe   tensor.Executable
}

// program is the network for a batch of n pictures: input "x" [n, Side, Side, 3] from −1 to 1, output "features" [n, Size].
func program(n int) (*tensor.Program, []unit, error) {
	var w walk
	p, err := tensor.Build(func(g *tensor.Graph) {
		x := network.apply(&w, g.Input("x", tensor.Float32, n, Side, Side, 3))
		g.Output("features", nn.GlobalAverage(x))
	})
	return p, w.units, err
}

// New compiles the network for batches of that many pictures.
func New(w *Weights, b tensor.Backend, batch int) (*Network, error) {
	if batch < 1 {
		return nil, fmt.Errorf("a batch of %d pictures, expected at least 1", batch)
	}
	p, _, err := program(batch)
	if err != nil {
		return nil, err
	}
	if p, err = p.Freeze(w.vars); err != nil {
		return nil, err
	}
	exe, err := b.Compile(p, nil)
	if err != nil {
		return nil, err
	}
	return &Network{batch: batch, exe: exe}, nil
}

// Features sets row i of dst, row-major (n, Size), to the features of picture x_i, which has 1 or 3 channels and pixels from 0 to largest. A
// picture is rounded to 8 bits and resized to Side × Side. A row depends on its picture alone.
func (n *Network) Features(ctx context.Context, dst []float32, x data.Batch, largest float32) error {
	s := x.Shape
	switch {
	case s.Channels != 1 && s.Channels != 3 || s.Height < 1 || s.Width < 1:
		return fmt.Errorf("Inception-v3 takes pictures of 1 or 3 channels, not examples of %v", s)
	case !(largest > 0):
		return fmt.Errorf("pixels go from 0 to %v, expected a largest one above 0", largest)
	case len(dst) != x.Len()*Size:
		return fmt.Errorf("room for %d features of %d pictures, expected %d for each", len(dst), x.Len(), Size)
	}
	n.lock.Lock()
	defer n.lock.Unlock()
	rows, columns := taps(s.Height), taps(s.Width)
	in := n.exe.Input("x").F32
	const pixels = Side * Side * 3
	for from := 0; from < x.Len(); from += n.batch {
		to := min(from+n.batch, x.Len())
		for i := from; i < to; i++ {
			resize(in[(i-from)*pixels:(i-from+1)*pixels], x.Row(i), rows, columns, s.Width, s.Channels, largest)
		}
		if err := n.exe.Run(ctx); err != nil {
			return err
		}
		copy(dst[from*Size:to*Size], n.exe.Output("features").F32)
	}
	return nil
}
