package main

import (
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
)

// The convolutions of torchvision's Inception-v3 that lead to pool3: name, channels in and out, height and width of the kernel. The lines
// of a block have IN for the channels that come into it, and N for the number that the block is called with.
const (
	inceptionStem = `Conv2d_1a_3x3 3 32 3 3; Conv2d_2a_3x3 32 32 3 3; Conv2d_2b_3x3 32 64 3 3; Conv2d_3b_1x1 64 80 1 1; Conv2d_4a_3x3 80 192 3 3`
	inceptionA    = `branch1x1 IN 64 1 1; branch5x5_1 IN 48 1 1; branch5x5_2 48 64 5 5; branch_pool IN N 1 1;
		branch3x3dbl_1 IN 64 1 1; branch3x3dbl_2 64 96 3 3; branch3x3dbl_3 96 96 3 3`
	inceptionB = `branch3x3 IN 384 3 3; branch3x3dbl_1 IN 64 1 1; branch3x3dbl_2 64 96 3 3; branch3x3dbl_3 96 96 3 3`
	inceptionC = `branch1x1 IN 192 1 1; branch7x7_1 IN N 1 1; branch7x7_2 N N 1 7; branch7x7_3 N 192 7 1; branch_pool IN 192 1 1;
		branch7x7dbl_1 IN N 1 1; branch7x7dbl_2 N N 7 1; branch7x7dbl_3 N N 1 7; branch7x7dbl_4 N N 7 1; branch7x7dbl_5 N 192 1 7`
	inceptionD = `branch3x3_1 IN 192 1 1; branch3x3_2 192 320 3 3;
		branch7x7x3_1 IN 192 1 1; branch7x7x3_2 192 192 1 7; branch7x7x3_3 192 192 7 1; branch7x7x3_4 192 192 3 3`
	inceptionE = `branch1x1 IN 320 1 1; branch3x3_1 IN 384 1 1; branch3x3_2a 384 384 1 3; branch3x3_2b 384 384 3 1; branch_pool IN 192 1 1;
		branch3x3dbl_1 IN 448 1 1; branch3x3dbl_2 448 384 3 3; branch3x3dbl_3a 384 384 1 3; branch3x3dbl_3b 384 384 3 1`
)

// inceptionWeights writes a file of random weights of Inception-v3, in the form of the published ones: "inception FILE". A kernel is uniform
// on ±sqrt(6/n) with n terms in a sum, which keeps activations of order 1; the normalisations change nothing.
func inceptionWeights(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: inception FILE")
	}
	var tensors []model.Tensor
	r := rand.New(rand.NewPCG(1, 0))
	add := func(name string, dims []int, value func() float32) {
		n := 1
		for _, d := range dims {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = value()
		}
		tensors = append(tensors, model.Tensor{Name: name, Dims: dims, Values: values})
	}
	for _, b := range []struct{ prefix, units, in, n string }{
		{"", inceptionStem, "", ""},
		{"Mixed_5b.", inceptionA, "192", "32"}, {"Mixed_5c.", inceptionA, "256", "64"}, {"Mixed_5d.", inceptionA, "288", "64"},
		{"Mixed_6a.", inceptionB, "288", ""},
		{"Mixed_6b.", inceptionC, "768", "128"}, {"Mixed_6c.", inceptionC, "768", "160"}, {"Mixed_6d.", inceptionC, "768", "160"},
		{"Mixed_6e.", inceptionC, "768", "192"},
		{"Mixed_7a.", inceptionD, "768", ""},
		{"Mixed_7b.", inceptionE, "1280", ""}, {"Mixed_7c.", inceptionE, "2048", ""},
	} {
		for _, line := range strings.Split(b.units, ";") {
			var numbers [4]int
			words := strings.Fields(line)
			for i, word := range words[1:] {
				switch word {
				case "IN":
					word = b.in
				case "N":
					word = b.n
				}
				v, err := strconv.Atoi(word)
				ts.Check(err)
				numbers[i] = v
			}
			in, out, height, width := numbers[0], numbers[1], numbers[2], numbers[3]
			name := b.prefix + words[0]
			bound := math.Sqrt(6 / float64(in*height*width))
			add(name+".conv.weight", []int{out, in, height, width}, func() float32 { return float32(bound * (2*r.Float64() - 1)) })
			for part, v := range map[string]float32{"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1} {
				add(name+".bn."+part, []int{out}, func() float32 { return v })
			}
		}
	}
	ts.Check(atomicfile.Write(ts.MkAbs(args[0]), func(w io.Writer) error { return model.WriteTensors(w, tensors, nil) }))
}
