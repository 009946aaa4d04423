package nn_test

import "math"

// The layers as plain loops in float64; pictures are [N, H, W, C] in d.

func plainDense(x, w, b []float64) []float64 {
	in, out := len(w)/len(b), len(b)
	y := make([]float64, len(x)/in*out)
	for i := range y {
		n, o := i/out, i%out
		y[i] = b[o]
		for k := range in {
			y[i] += x[n*in+k] * w[k*out+o]
		}
	}
	return y
}

func plainConv(x, w, b []float64, d [4]int, out, kernel, stride, pad, dilation, groups int) []float64 {
	extent := func(in int) int { return (in+2*pad-dilation*(kernel-1)-1)/stride + 1 }
	in := d[3] / groups
	var y []float64
	for n := range d[0] {
		for oy := range extent(d[1]) {
			for ox := range extent(d[2]) {
				for o := range out {
					first := o / (out / groups) * in // of the group's input channels
					sum := b[o]
					for ky := range kernel {
						for kx := range kernel {
							iy, ix := oy*stride+ky*dilation-pad, ox*stride+kx*dilation-pad
							if iy < 0 || iy >= d[1] || ix < 0 || ix >= d[2] {
								continue
							}
							for c := range in {
								sum += x[((n*d[1]+iy)*d[2]+ix)*d[3]+first+c] * w[((ky*kernel+kx)*in+c)*out+o]
							}
						}
					}
					y = append(y, sum)
				}
			}
		}
	}
	return y
}

// plainTransposed spreads each input over the kernel's extent of the output.
func plainTransposed(x, w, b []float64, d [4]int, out, kernel, stride, pad int) []float64 {
	height, width := (d[1]-1)*stride+kernel-2*pad, (d[2]-1)*stride+kernel-2*pad
	y := make([]float64, d[0]*height*width*out)
	for i := range y {
		y[i] = b[i%out]
	}
	for i, v := range x {
		c, ix, iy, n := i%d[3], i/d[3]%d[2], i/d[3]/d[2]%d[1], i/d[3]/d[2]/d[1]
		for ky := range kernel {
			for kx := range kernel {
				oy, ox := iy*stride+ky-pad, ix*stride+kx-pad
				if oy < 0 || oy >= height || ox < 0 || ox >= width {
					continue
				}
				for o := range out {
					y[((n*height+oy)*width+ox)*out+o] += v * w[((ky*kernel+kx)*out+o)*d[3]+c]
				}
			}
		}
	}
	return y
}

// plainNorm normalises over the elements that group puts together; scale and shift belong to the last axis.
func plainNorm(x []float64, channels int, scale, shift []float64, group func(i int) int) []float64 {
	members := map[int][]float64{}
	for i, v := range x {
		members[group(i)] = append(members[group(i)], v)
	}
	y := make([]float64, len(x))
	for i, v := range x {
		mean, variance := moments(members[group(i)])
		y[i] = (v-mean)/math.Sqrt(variance+1e-5)*scale[i%channels] + shift[i%channels]
	}
	return y
}

// moments are the mean and the variance, divided by n.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, variance
}

func plainPool(x []float64, d [4]int, size int, greatest bool) []float64 {
	height, width := d[1]/size, d[2]/size
	y := make([]float64, d[0]*height*width*d[3])
	for i := range y {
		c, ox, oy, n := i%d[3], i/d[3]%width, i/d[3]/width%height, i/d[3]/width/height
		best, sum := math.Inf(-1), 0.0
		for ky := range size {
			for kx := range size {
				v := x[((n*d[1]+oy*size+ky)*d[2]+ox*size+kx)*d[3]+c]
				best, sum = max(best, v), sum+v
			}
		}
		y[i] = sum / float64(size*size)
		if greatest {
			y[i] = best
		}
	}
	return y
}
