// Package xla runs programs of package tensor through XLA, on whatever a PJRT plugin drives: GPUs, TPUs, processors.
//
// A program becomes one StableHLO module (lower.go, lower_product.go, lower_random.go, written as text by stablehlo.go), which
// the plugin compiles (backend.go). Composites are lowered by their definition. Lowering needs no cgo and is part of every
// build; compiling and running are under the build tag xla, since the client of the PJRT interface, github.com/gomlx/go-xla, needs
// cgo. In a build without the tag [New] fails.
//
// The text is our own, in place of go-xla's builder: that has no error function, and what it gives needs its client's
// dependencies, while this can be tested in every build.
//
// Random bits and uniform numbers are the same bits as on every backend. Products and convolutions of float32 are asked for at
// XLA's highest precision, so that operands are not rounded to TF32 or bfloat16. But XLA chooses the order of sums, contracts
// products and sums, and has elementary functions of its own (within 6 units in the last place on an NVIDIA H200, most within 2), and where
// several updates add to one element of [tensor.ScatterAdd] their order may differ from run to run. So this backend is outside
// the promise of equal bits; its tests compare it with the reference within tolerances that they state.
//
// Inputs are copied to the device by every run and outputs back. Variables are too, unless they are held there
// ([tensor.Holder]), as package train does: a training step of a CNN took 8.0 ms with copies and 1.2 ms without, one of a U-Net 66
// and 5.9 ms (H200, BenchmarkStep of bench). Constants that are large are copied once, by Compile. Held variables are not donated:
// a step's new values stand beside the old ones until it ends.
//
// Compiling takes seconds, since XLA times algorithms for each product and convolution. Without that (XLA_FLAGS
// --xla_gpu_autotune_level=0) the CNN's step took 9.3 ms, the U-Net's 64.
package xla
