package model_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/likely-ml/likely/model"
)

func encode(t interface{ Fatal(...any) }, tensors []model.Tensor, metadata map[string]string) []byte {
	var b bytes.Buffer
	if err := model.WriteTensors(&b, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(file []byte) ([]model.Tensor, map[string]string, error) {
	return model.ReadTensors(bytes.NewReader(file), int64(len(file)))
}

// raw is a file with the given header, as it stands, and n bytes of data.
func raw(header string, n int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, n)...)
}

// TestLayout writes a small file and compares it with the bytes that docs/format.md draws.
func TestLayout(t *testing.T) {
	got := encode(t, []model.Tensor{
		{Name: "step", Values: []int32{7}},
		{Name: "bias", Dims: []int{2}, Values: []float32{1, -2}},
		{Name: "mean", Dims: []int{1}, Values: []float64{0.5}},
	}, map[string]string{"model": "x"})
	header := `{"__metadata__":{"model":"x"},` +
		`"bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},` +
		`"mean":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},` +
		`"step":{"dtype":"I32","shape":[],"data_offsets":[16,20]}}`
	for (8+len(header))%64 != 0 {
		header += " "
	}
	want := raw(header, 0)
	want = binary.LittleEndian.AppendUint64(want, math.Float64bits(0.5))
	want = binary.LittleEndian.AppendUint32(want, math.Float32bits(1))
	want = binary.LittleEndian.AppendUint32(want, math.Float32bits(-2))
	want = binary.LittleEndian.AppendUint32(want, 7)
	if !bytes.Equal(got, want) {
		t.Errorf("file is\n%q, expected\n%q", got, want)
	}
}

func TestOrderOfTensorsDoesNotMatter(t *testing.T) {
	a := model.Tensor{Name: "a", Dims: []int{3}, Values: []uint8{1, 2, 3}}
	b := model.Tensor{Name: "b", Dims: []int{2}, Values: []float32{4, 5}}
	if !bytes.Equal(encode(t, []model.Tensor{a, b}, nil), encode(t, []model.Tensor{b, a}, nil)) {
		t.Error("the order of the tensors changed the file")
	}
}

// values draws a slice of one of the types.
func values(t *rapid.T, n int) any {
	switch rapid.IntRange(0, 5).Draw(t, "type") {
	case 0:
		return rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "f32")
	case 1:
		return rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "f64")
	case 2:
		return rapid.SliceOfN(rapid.Int32(), n, n).Draw(t, "i32")
	case 3:
		return rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "i64")
	case 4:
		return rapid.SliceOfN(rapid.Uint32(), n, n).Draw(t, "u32")
	}
	return rapid.SliceOfN(rapid.Uint8(), n, n).Draw(t, "u8")
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tensors []model.Tensor
		for i := range rapid.IntRange(0, 6).Draw(t, "tensors") {
			dims := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "dims")
			n := 1
			for _, d := range dims {
				n *= d
			}
			name := fmt.Sprintf("%d%s", i, rapid.String().Draw(t, "name"))
			tensors = append(tensors, model.Tensor{Name: strings.ToValidUTF8(name, "?"), Dims: dims, Values: values(t, n)})
		}
		metadata := map[string]string{"key": strings.ToValidUTF8(rapid.String().Draw(t, "metadata"), "?")}
		file := encode(t, tensors, metadata)
		got, meta, err := decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(meta, metadata) {
			t.Fatalf("metadata %q, expected %q", meta, metadata)
		}
		if len(got) != len(tensors) {
			t.Fatalf("%d tensors, expected %d", len(got), len(tensors))
		}
		if again := encode(t, got, meta); !bytes.Equal(file, again) {
			t.Fatal("what was read writes another file")
		}
		for cut := range len(file) {
			if _, _, err := decode(file[:cut]); err == nil {
				t.Fatalf("a file cut at byte %d of %d was read", cut, len(file))
			}
		}
	})
}

func TestBadFiles(t *testing.T) {
	entry := func(dtype, shape, offsets string) string {
		return fmt.Sprintf(`{"a":{"dtype":%q,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
	}
	for _, c := range []struct {
		what string
		file []byte
		want error
		text string
	}{
		{"nothing", nil, model.ErrNotModel, "0 bytes"},
		{"a text", []byte("a,b\n1,2\n3,4\n5,6\n"), model.ErrNotModel, "does not start like"},
		{"a PNG", []byte("\x89PNG\r\n\x1a\n00000000"), model.ErrNotModel, "does not start like"},
		{"a small length before no JSON", append([]byte{20, 0, 0, 0, 0, 0, 0, 0}, "0123456789012345678901234567"...), model.ErrNotModel, "does not start like"},
		{"a cut header", raw(entry("F32", "[1]", "[0,4]"), 0)[:30], model.ErrDamaged, "cut off at byte 30"},
		{"no JSON", raw("{]", 0), model.ErrDamaged, "header"},
		{"an array", raw("[]", 0), model.ErrNotModel, "does not start like"},
		{"text after the JSON", raw("{} x", 0), model.ErrDamaged, "2 bytes follow"},
		{"a second object", raw("{}{}", 0), model.ErrDamaged, "follow"},
		{"a name twice", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), model.ErrDamaged, `"a" occurs twice`},
		{"metadata that are numbers", raw(`{"__metadata__":{"a":1}}`, 0), model.ErrDamaged, "__metadata__"},
		{"an unknown key", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}}`, 1), model.ErrDamaged, "more"},
		{"an unknown type", raw(entry("F16", "[1]", "[0,2]"), 2), model.ErrDamaged, `"F16"`},
		{"a negative dim", raw(entry("U8", "[-1]", "[0,1]"), 1), model.ErrDamaged, "do not agree"},
		{"dims whose product overflows", raw(entry("U8", "[4294967296,4294967296]", "[0,1]"), 1), model.ErrDamaged, "do not agree"},
		{"dims and bytes that differ", raw(entry("F32", "[2]", "[0,4]"), 4), model.ErrDamaged, "do not agree"},
		{"offsets in the wrong order", raw(entry("U8", "[1]", "[1,0]"), 1), model.ErrDamaged, "do not agree"},
		{"a gap", raw(entry("U8", "[1]", "[1,2]"), 2), model.ErrDamaged, "starts at byte 1, expected 0"},
		{"an overlap", raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), model.ErrDamaged, "expected 2"},
		{"data that are cut off", raw(entry("F64", "[1]", "[0,8]"), 7), model.ErrDamaged, "cut off"},
		{"more data than is said", raw(entry("U8", "[1]", "[0,1]"), 3), model.ErrDamaged, "2 bytes follow"},
		{"a huge tensor in a small file", raw(entry("F64", "[1099511627776]", "[0,8796093022208]"), 8), model.ErrDamaged, "cut off"},
	} {
		_, _, err := decode(c.file)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q, expected one line that wraps %q and says %q", c.what, err, c.want, c.text)
		}
	}
}

func TestBadTensors(t *testing.T) {
	for what, tensors := range map[string][]model.Tensor{
		"a type that is not a number": {{Name: "a", Dims: []int{1}, Values: []string{"x"}}},
		"dims that do not agree":      {{Name: "a", Dims: []int{2, 2}, Values: []float32{1, 2, 3}}},
		"a negative dim":              {{Name: "a", Dims: []int{-1}, Values: []float32{}}},
		"a name twice":                {{Name: "a", Dims: []int{0}, Values: []float32{}}, {Name: "a", Dims: []int{0}, Values: []float32{}}},
		"the name of the metadata":    {{Name: "__metadata__", Dims: []int{0}, Values: []float32{}}},
	} {
		if err := model.WriteTensors(&bytes.Buffer{}, tensors, nil); err == nil {
			t.Errorf("%s was written", what)
		}
	}
}

func FuzzReadTensors(f *testing.F) {
	f.Add(encode(f, []model.Tensor{{Name: "a", Dims: []int{2}, Values: []float32{1, 2}}, {Name: "b", Values: []int64{3}}}, map[string]string{"k": "v"}))
	f.Add(raw("{}", 0))
	f.Add(raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		tensors, metadata, err := decode(file)
		if err != nil {
			return
		}
		again, meta, err := decode(encode(t, tensors, metadata))
		if err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if len(again) != len(tensors) || len(meta) != len(metadata) {
			t.Fatalf("%d tensors and %d metadata, expected %d and %d", len(again), len(meta), len(tensors), len(metadata))
		}
	})
}
