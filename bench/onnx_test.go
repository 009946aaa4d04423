package main

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/likely-ml/likely/nn"
)

// fields are the values of a protocol buffer by field number.
type fields map[int][]field

type field struct {
	number uint64
	bytes  []byte
}

// decode reads a message of varints and byte strings, the only kinds that ONNX models of this program hold.
func decode(t *testing.T, b []byte) fields {
	t.Helper()
	f := fields{}
	varint := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			t.Fatalf("a broken number in %x", b)
		}
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		tag := varint()
		v := field{number: varint()}
		if tag&7 == 2 {
			if v.number > uint64(len(b)) {
				t.Fatalf("a string of %d bytes, and %d are left", v.number, len(b))
			}
			v.bytes, b = b[:v.number], b[v.number:]
		} else if tag&7 != 0 {
			t.Fatalf("wire type %d", tag&7)
		}
		f[int(tag>>3)] = append(f[int(tag>>3)], v)
	}
	return f
}

func (f fields) texts(number int) (out []string) {
	for _, v := range f[number] {
		out = append(out, string(v.bytes))
	}
	return out
}

func (f fields) numbers(number int) (out []int) {
	for _, v := range f[number] {
		out = append(out, int(v.number))
	}
	return out
}

// A tiny network's model holds its operators in a row, and its weights in ONNX's order.
func TestONNXModel(t *testing.T) {
	net := &struct {
		C   nn.Conv
		Out nn.Dense
	}{nn.NewConv(2, 3, 3, 1, 1, nn.Normal(1)), nn.NewDense(2*1*3, 5, nn.Normal(1))}
	vars := nn.Collect(net).Init(1)
	o := newONNX(vars, 7, 2, 4, 2)
	o.conv(net.C)
	o.maxPool(2)
	o.relu()
	o.flatten()
	o.densePicture(net.Out, 2, 1, 3)

	model := decode(t, o.finish(7, 5))
	if got := model.numbers(1); !slices.Equal(got, []int{onnxIRVersion}) {
		t.Errorf("IR version %v", got)
	}
	if got := decode(t, model[8][0].bytes).numbers(2); !slices.Equal(got, []int{onnxOpset}) {
		t.Errorf("opset %v", got)
	}
	graph := decode(t, model[7][0].bytes)
	var ops []string
	latest := "x"
	for _, n := range graph[1] {
		node := decode(t, n.bytes)
		if in := node.texts(1); in[0] != latest {
			t.Errorf("%v reads %q, expected %q", node.texts(4), in[0], latest)
		}
		ops = append(ops, node.texts(4)...)
		latest = node.texts(2)[0]
	}
	if want := []string{"Conv", "MaxPool", "Relu", "Flatten", "Gemm"}; !slices.Equal(ops, want) {
		t.Errorf("operators %q, expected %q", ops, want)
	}
	if out := decode(t, graph[12][0].bytes).texts(1); out[0] != latest {
		t.Errorf("the output is %q, expected %q", out, latest)
	}

	arrays := map[string]fields{}
	for _, a := range graph[5] {
		f := decode(t, a.bytes)
		arrays[f.texts(8)[0]] = f
	}
	checkArray(t, arrays["c.weight"], []int{3, 2, 3, 3}, func(i []int) float32 {
		return vars["c.weight"].F32[((i[2]*3+i[3])*2+i[1])*3+i[0]]
	})
	checkArray(t, arrays["c.bias"], []int{3}, func(i []int) float32 { return vars["c.bias"].F32[i[0]] })
	checkArray(t, arrays["out.weight"], []int{6, 5}, func(i []int) float32 {
		channel, row := i[0]/2, i[0]%2
		return vars["out.weight"].F32[(row*3+channel)*5+i[1]]
	})
}

// checkArray compares a TensorProto with the element that belongs at each index.
func checkArray(t *testing.T, f fields, dims []int, want func(index []int) float32) {
	t.Helper()
	name := f.texts(8)
	if got := f.numbers(1); !slices.Equal(got, dims) {
		t.Fatalf("%s has extents %v, expected %v", name, got, dims)
	}
	if got := f.numbers(2); !slices.Equal(got, []int{onnxFloat}) {
		t.Errorf("%s has type %v", name, got)
	}
	raw := f[9][0].bytes
	index := make([]int, len(dims))
	for at := range len(raw) / 4 {
		for rest, axis := at, len(dims)-1; axis >= 0; axis-- {
			index[axis], rest = rest%dims[axis], rest/dims[axis]
		}
		if got := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*at:])); got != want(index) {
			t.Fatalf("%s%v is %v, expected %v", name, index, got, want(index))
		}
	}
}
