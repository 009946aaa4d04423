package main

import (
	"encoding/binary"
	"math"

	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// message is a protocol buffer being written: each field is a tag, number·8 + wire type, and its value
// (https://protobuf.dev/programming-guides/encoding). The numbers of fields below are those of onnx.proto3 of ONNX 1.14.
type message []byte

func (m *message) number(field int, v uint64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3)
	*m = binary.AppendUvarint(*m, v)
}

func (m *message) bytes(field int, b []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|2)
	*m = binary.AppendUvarint(*m, uint64(len(b)))
	*m = append(*m, b...)
}

func (m *message) text(field int, s string) { m.bytes(field, []byte(s)) }

const (
	onnxFloat     = 1  // TensorProto.DataType
	onnxIntsType  = 7  // AttributeProto.AttributeType
	onnxOpset     = 13 // version of the operators
	onnxIRVersion = 8
)

// onnxGraph builds an ONNX model of nodes in a row, each reading the one before.
type onnxGraph struct {
	graph  message
	vars   tensor.Vars
	latest string
	nodes  int
}

// newONNX begins a model whose input "x" has these extents.
func newONNX(vars tensor.Vars, dims ...int) *onnxGraph {
	o := &onnxGraph{vars: vars, latest: "x"}
	o.graph.text(2, "network")
	o.graph.bytes(11, valueInfo("x", dims))
	return o
}

// node adds an operator on the latest value and these arrays.
func (o *onnxGraph) node(op string, attributes message, arrays ...string) {
	var n message
	for _, in := range append([]string{o.latest}, arrays...) {
		n.text(1, in)
	}
	o.nodes++
	o.latest = op + string(rune('a'+o.nodes))
	n.text(2, o.latest)
	n.text(4, op)
	o.graph.bytes(1, append(n, attributes...))
}

// array adds a constant.
func (o *onnxGraph) array(name string, dims []int, values []float32) {
	var t message
	for _, d := range dims {
		t.number(1, uint64(d))
	}
	t.number(2, onnxFloat)
	t.text(8, name)
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	t.bytes(9, raw)
	o.graph.bytes(5, t)
}

func (o *onnxGraph) relu()    { o.node("Relu", nil) }
func (o *onnxGraph) flatten() { o.node("Flatten", nil) }

func (o *onnxGraph) dense(l nn.Dense) {
	w := l.Weight
	o.gemm(w.Name, w.Dims, o.vars[w.Name].F32, l.Bias)
}

// densePicture is dense on a flattened picture. ONNX has channels first, [C, H, W], this project last, so the rows of the
// weights change places.
func (o *onnxGraph) densePicture(l nn.Dense, height, width, channels int) {
	w := l.Weight
	out := w.Dims[1]
	old, rows := o.vars[w.Name].F32, make([]float32, 0, w.Dims[0]*out)
	for c := range channels {
		for pixel := range height * width {
			at := (pixel*channels + c) * out
			rows = append(rows, old[at:at+out]...)
		}
	}
	o.gemm(w.Name, w.Dims, rows, l.Bias)
}

func (o *onnxGraph) gemm(name string, dims []int, weights []float32, bias *nn.Param) {
	o.array(name, dims, weights)
	o.array(bias.Name, bias.Dims, o.vars[bias.Name].F32)
	o.node("Gemm", nil, name, bias.Name)
}

// conv is a convolution of stride 1 whose padding keeps the size; ONNX has its weights as [out, in, height, width].
func (o *onnxGraph) conv(l nn.Conv) {
	d := l.Weight.Dims
	kernel, in, out := d[0], d[2], d[3]
	weights := make([]float32, 0, kernel*kernel*in*out)
	for b := range out {
		for a := range in {
			for tap := range kernel * kernel {
				weights = append(weights, o.vars[l.Weight.Name].F32[(tap*in+a)*out+b])
			}
		}
	}
	o.array(l.Weight.Name, []int{out, in, kernel, kernel}, weights)
	o.array(l.Bias.Name, l.Bias.Dims, o.vars[l.Bias.Name].F32)
	pad := kernel / 2
	o.node("Conv", append(ints("kernel_shape", kernel, kernel), ints("pads", pad, pad, pad, pad)...), l.Weight.Name, l.Bias.Name)
}

func (o *onnxGraph) maxPool(size int) {
	o.node("MaxPool", append(ints("kernel_shape", size, size), ints("strides", size, size)...))
}

// ints is a node's attribute that lists integers.
func ints(name string, values ...int) message {
	var a, field message
	a.text(1, name)
	for _, v := range values {
		a.number(8, uint64(v))
	}
	a.number(20, onnxIntsType)
	field.bytes(5, a)
	return field
}

// finish names the latest value as the output, of these extents, and gives the file.
func (o *onnxGraph) finish(dims ...int) []byte {
	o.graph.bytes(12, valueInfo(o.latest, dims))
	var opset, model message
	opset.number(2, onnxOpset)
	model.number(1, onnxIRVersion)
	model.text(2, "likely bench")
	model.bytes(7, o.graph)
	model.bytes(8, opset)
	return model
}

// valueInfo is a name with its type, float32 of these extents.
func valueInfo(name string, dims []int) message {
	var shape, array, kind, info message
	for _, d := range dims {
		var dim message
		dim.number(1, uint64(d))
		shape.bytes(1, dim)
	}
	array.number(1, onnxFloat)
	array.bytes(2, shape)
	kind.bytes(1, array)
	info.text(1, name)
	info.bytes(2, kind)
	return info
}

func exportMLP(n int) func(tensor.Vars) []byte {
	return func(vars tensor.Vars) []byte {
		net := newMLP()
		nn.Collect(net)
		o := newONNX(vars, n, 784)
		o.dense(net.H1)
		o.relu()
		o.dense(net.H2)
		o.relu()
		o.dense(net.Out)
		return o.finish(n, 10)
	}
}

func exportCNN(n int) func(tensor.Vars) []byte {
	return func(vars tensor.Vars) []byte {
		net := newCNN()
		nn.Collect(net)
		o := newONNX(vars, n, 1, 28, 28)
		for _, c := range []nn.Conv{net.C1, net.C2} {
			o.conv(c)
			o.maxPool(2)
			o.relu()
		}
		o.flatten()
		o.densePicture(net.H1, 7, 7, 64)
		o.relu()
		o.dense(net.Out)
		return o.finish(n, 10)
	}
}
