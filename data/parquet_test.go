package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
)

// TestParquetLikeCSV reads tables that DuckDB wrote in both formats; testdata/parquet/make.mjs says how.
func TestParquetLikeCSV(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for name, label := range map[string]string{
		"types-snappy": "answer", "types-v2-zstd": "answer",
		"many-plain": "class", "many-gzip": "class", "many-brotli": "class", "many-lz4_raw": "class", "many-v2": "class",
	} {
		t.Run(name, func(t *testing.T) {
			table, _, _ := strings.Cut(name, "-")
			folder := filepath.Join("testdata", "parquet")
			for _, o := range []Options{{}, {Label: label}, {Label: label, Memory: 4000}} {
				want, got := open(t, filepath.Join(folder, table+".csv.gz"), o).All, open(t, filepath.Join(folder, name+".parquet"), o).All
				if !reflect.DeepEqual(got.Schema(), want.Schema()) {
					t.Fatalf("schema %+v, expected %+v", got.Schema(), want.Schema())
				}
				a, b := all(t, got), all(t, want)
				d := len(want.Schema().Columns)
				for i := range b.X {
					if !same(a.X[i:i+1], b.X[i:i+1]) {
						t.Errorf("row %d, column %q: %v, expected %v", i/d, want.Schema().Columns[i%d].Name, a.X[i], b.X[i])
					}
				}
				if !slices.Equal(a.Y, b.Y) {
					t.Errorf("labels %v, expected %v", a.Y, b.Y)
				}
			}
		})
	}
}

// Columns that cannot be read can be left out.
func TestParquetNested(t *testing.T) {
	path := filepath.Join("testdata", "parquet", "nested.parquet")
	_, err := Open(context.Background(), path, Options{})
	wantError(t, err, path, `column "list"`, "lists or records", "leave it out")
	_, err = Open(context.Background(), path, Options{Ignore: []string{"list"}})
	wantError(t, err, path, `column "record"`, "lists or records")
	_, err = Open(context.Background(), path, Options{Ignore: []string{"list", "record"}})
	wantError(t, err, path, `column "bytes"`, "expected text in UTF-8", "leave the column out")
	b := all(t, open(t, path, Options{Ignore: []string{"list", "record", "bytes"}, Label: "text"}).All)
	if !same(b.X, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8}) || !slices.Equal(b.Y, []int32{0, 1, 2, 0, 1, 2, 0, 1, 2}) {
		t.Errorf("x %v, y %v", b.X, b.Y)
	}
}

// parquetCase is a column of one type, and a random value of it with the cell that this is.
type parquetCase struct {
	node      parquet.Node
	encodings []encoding.Encoding
	draw      func(rng *rand.Rand) (parquet.Value, cell)
}

// parquetCases take some bits away from their numbers, so that differences are of several widths.
func parquetCases() map[string]parquetCase {
	text := func(rng *rand.Rand) string {
		return strings.Repeat("la", rng.IntN(3)) + fmt.Sprint("x", rng.Uint64()>>rng.IntN(64))
	}
	int64s := func(rng *rand.Rand) int64 { return int64(rng.Uint64()) >> rng.IntN(64) }
	int32s := func(rng *rand.Rand) int32 { return int32(rng.Uint32()) >> rng.IntN(32) }
	whole := func(v float64) cell { return cell{kind: wholeCell, number: v} }
	day := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	delta := []encoding.Encoding{nil, &parquet.RLEDictionary, &parquet.DeltaBinaryPacked, &parquet.ByteStreamSplit}
	split := []encoding.Encoding{nil, &parquet.RLEDictionary, &parquet.ByteStreamSplit}
	texts := []encoding.Encoding{nil, &parquet.RLEDictionary, &parquet.DeltaLengthByteArray, &parquet.DeltaByteArray}
	return map[string]parquetCase{
		"bool": {parquet.Leaf(parquet.BooleanType), []encoding.Encoding{nil, &parquet.RLE}, func(rng *rand.Rand) (parquet.Value, cell) {
			v := rng.IntN(9) == 1
			return parquet.BooleanValue(v), cell{kind: textCell, text: map[bool]string{false: "False", true: "True"}[v]}
		}},
		"int8": {parquet.Int(8), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := int8(rng.Uint32())
			return parquet.Int32Value(int32(v)), whole(float64(v))
		}},
		"int32": {parquet.Leaf(parquet.Int32Type), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := int32s(rng)
			return parquet.Int32Value(v), whole(float64(v))
		}},
		"int64": {parquet.Int(64), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := int64s(rng)
			return parquet.Int64Value(v), whole(float64(v))
		}},
		"uint32": {parquet.Uint(32), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := rng.Uint32()
			return parquet.Int32Value(int32(v)), whole(float64(v))
		}},
		"uint64": {parquet.Uint(64), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := rng.Uint64()
			return parquet.Int64Value(int64(v)), whole(float64(v))
		}},
		"float": {parquet.Leaf(parquet.FloatType), split, func(rng *rand.Rand) (parquet.Value, cell) {
			v := float32(rng.NormFloat64())
			return parquet.FloatValue(v), cell{kind: realCell, number: float64(v)}
		}},
		"double": {parquet.Leaf(parquet.DoubleType), split, func(rng *rand.Rand) (parquet.Value, cell) {
			v := rng.NormFloat64()
			if rng.IntN(50) == 0 {
				return parquet.DoubleValue(math.NaN()), cell{}
			}
			return parquet.DoubleValue(v), cell{kind: realCell, number: v}
		}},
		"text": {parquet.String(), texts, func(rng *rand.Rand) (parquet.Value, cell) {
			v := text(rng)
			return parquet.ByteArrayValue([]byte(v)), cell{kind: textCell, text: v}
		}},
		"bytes": {parquet.Leaf(parquet.ByteArrayType), texts, func(rng *rand.Rand) (parquet.Value, cell) {
			v := text(rng)
			return parquet.ByteArrayValue([]byte(v)), cell{kind: textCell, text: v}
		}},
		"enum": {parquet.Enum(), texts, func(rng *rand.Rand) (parquet.Value, cell) {
			v := []string{"a", "b", ""}[rng.IntN(3)]
			return parquet.ByteArrayValue([]byte(v)), cell{kind: textCell, text: v}
		}},
		"uuid": {parquet.UUID(), []encoding.Encoding{nil, &parquet.RLEDictionary, &parquet.DeltaByteArray}, func(rng *rand.Rand) (parquet.Value, cell) {
			v := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, rng.Uint64()), rng.Uint64())
			h := fmt.Sprintf("%x", v)
			return parquet.FixedLenByteArrayValue(v), cell{kind: textCell, text: h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]}
		}},
		"decimal of int32": {parquet.Decimal(2, 9, parquet.Int32Type), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := int32s(rng)
			return parquet.Int32Value(v), cell{kind: realCell, number: float64(v) / 100}
		}},
		"decimal of bytes": {parquet.Decimal(0, 20, parquet.FixedLenByteArrayType(9)), []encoding.Encoding{nil, &parquet.RLEDictionary}, func(rng *rand.Rand) (parquet.Value, cell) {
			v := int64s(rng)
			b := append([]byte{byte(v >> 63)}, binary.BigEndian.AppendUint64(nil, uint64(v))...)
			return parquet.FixedLenByteArrayValue(b), whole(float64(v))
		}},
		"date": {parquet.Date(), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := rng.IntN(60000) - 30000
			return parquet.Int32Value(int32(v)), cell{kind: textCell, text: day.AddDate(0, 0, v).Format(time.DateOnly)}
		}},
		"time": {parquet.Time(parquet.Millisecond), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			h, m, s := rng.IntN(24), rng.IntN(60), rng.IntN(60)
			return parquet.Int32Value(int32(1000*(60*(60*h+m)+s) + 5)), cell{kind: textCell, text: fmt.Sprintf("%02d:%02d:%02d.005", h, m, s)}
		}},
		"timestamp": {parquet.TimestampAdjusted(parquet.Nanosecond, false), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := time.Duration(rng.IntN(1e18) - 5e17)
			return parquet.Int64Value(int64(v)), cell{kind: textCell, text: day.Add(v).Format("2006-01-02 15:04:05.999999999")}
		}},
		"timestamp in UTC": {parquet.TimestampAdjusted(parquet.Millisecond, true), delta, func(rng *rand.Rand) (parquet.Value, cell) {
			v := rng.IntN(1e12) - 5e11
			return parquet.Int64Value(int64(v)), cell{kind: textCell, text: day.Add(time.Duration(v)*time.Millisecond).Format("2006-01-02 15:04:05.999") + "+00:00"}
		}},
		"int96": {parquet.Leaf(parquet.Int96Type), []encoding.Encoding{nil, &parquet.RLEDictionary}, func(rng *rand.Rand) (parquet.Value, cell) {
			days, nanos := rng.IntN(30000), rng.IntN(86400e9)
			return parquet.Int96Value(deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(days + 2440588)}),
				cell{kind: textCell, text: day.AddDate(0, 0, days).Add(time.Duration(nanos)).Format("2006-01-02 15:04:05.999999999")}
		}},
	}
}

// TestParquetRoundTrip reads what another program's code wrote of random values, in every encoding, with and without nulls, in
// both versions of pages and with every codec, in pages and row groups large and small.
func TestParquetRoundTrip(t *testing.T) {
	codecs := []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Brotli, &parquet.Zstd, &parquet.Lz4Raw}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, c := range parquetCases() {
		for _, e := range c.encodings {
			if e == nil {
				e = &parquet.Plain
			}
			for variant := range 16 {
				optional, version := variant&1 == 1, 1+variant>>1&1
				codec := codecs[rng.IntN(len(codecs))]
				n := []int{1, 7, 250, 1500}[variant>>2]
				t.Run(fmt.Sprintf("%s, %v, optional %v, version %d, %v, %d rows", name, e, optional, version, codec, n), func(t *testing.T) {
					node := parquet.Compressed(parquet.Encoded(c.node, e), codec)
					if optional {
						node = parquet.Optional(node)
					}
					var file bytes.Buffer
					w := parquet.NewWriter(&file, parquet.NewSchema("test", parquet.Group{"c": node}), parquet.DataPageVersion(version),
						parquet.PageBufferSize(64<<rng.IntN(10)), parquet.MaxRowsPerRowGroup(int64(1+n/8+rng.IntN(2*n))))
					want := make([]cell, n)
					var again parquet.Value
					for i := range want {
						v, level := parquet.NullValue(), 0
						switch {
						case optional && rng.IntN(4) == 0: // a null
						case i > 0 && rng.IntN(3) > 0 && !again.IsNull(): // a run
							v, want[i] = again, want[i-1]
						default:
							v, want[i] = c.draw(rng)
						}
						again = v
						if optional && !v.IsNull() {
							level = 1
						}
						if _, err := w.WriteRows([]parquet.Row{{v.Level(0, level, 0)}}); err != nil {
							t.Fatal(err)
						}
					}
					if err := w.Close(); err != nil {
						t.Fatal(err)
					}
					got, err := parquetCells(file.Bytes())
					if err != nil {
						t.Fatal(err)
					}
					if len(got) != n {
						t.Fatalf("%d rows, expected %d", len(got), n)
					}
					for i := range got {
						if got[i] != want[i] {
							t.Fatalf("row %d: %+v, expected %+v", i, got[i], want[i])
						}
					}
				})
			}
		}
	}
}

// parquetCells reads the first column of a file.
func parquetCells(file []byte) ([]cell, error) {
	f := &parquetFile{blob: &blob{name: "t.parquet", mem: file, size: int64(len(file))}}
	if err := f.readFooter(); err != nil {
		return nil, err
	}
	if f.rows > 1<<20 {
		return nil, fmt.Errorf("%d rows", f.rows)
	}
	used := make([]bool, len(f.columns))
	used[0] = true
	var cells []cell
	err := f.each(context.Background(), used, "", Options{Progress: func(Progress) {}}, func(_ int, row []cell) error {
		cells = append(cells, row[0])
		return nil
	})
	return cells, err
}

// smallParquet is a file of three columns.
func smallParquet(t testing.TB, codec compress.Codec, version int) []byte {
	var file bytes.Buffer
	schema := parquet.NewSchema("small", parquet.Group{
		"a": parquet.Encoded(parquet.Optional(parquet.Int(32)), &parquet.DeltaBinaryPacked), "b": parquet.Encoded(parquet.Optional(parquet.String()), &parquet.RLEDictionary),
		"c": parquet.Encoded(parquet.String(), &parquet.DeltaByteArray),
	})
	w := parquet.NewWriter(&file, schema, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(64))
	for i := range 24 {
		b := parquet.NullValue().Level(0, 0, 1)
		if i%3 != 0 {
			b = parquet.ByteArrayValue([]byte{'x' + byte(i%3)}).Level(0, 1, 1)
		}
		if _, err := w.WriteRows([]parquet.Row{{parquet.Int32Value(int32(i*i)).Level(0, 1, 0), b, parquet.ByteArrayValue([]byte([]string{"no", "yes"}[i%2])).Level(0, 0, 2)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestParquetDamage breaks a file in one way at a time: whatever bit is wrong, there is a table or an error, and of all that a
// file is cut off to, none.
func TestParquetDamage(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, version := range []int{1, 2} {
		whole := smallParquet(t, &parquet.Uncompressed, version)
		for i := range whole {
			if _, err := parquetCells(whole[:i]); err == nil {
				t.Errorf("the first %d bytes of %d are a table", i, len(whole))
			}
			for bit := range 8 {
				damaged := slices.Clone(whole)
				damaged[i] ^= 1 << bit
				parquetCells(damaged)
			}
		}
	}
	whole := smallParquet(t, &parquet.Uncompressed, 2)
	with := func(change func(b []byte) []byte) []byte { return change(slices.Clone(whole)) }
	size := len(whole)
	for name, c := range map[string]struct {
		content []byte
		want    []string
	}{
		"empty":        {nil, []string{"0 bytes, expected at least 12"}},
		"other":        {[]byte("a,b\n1,2\n3,4\n"), []string{`begins with "a,b\n", expected PAR1`}},
		"cut off":      {whole[:size-1], []string{"ends with", "expected PAR1", "fetch it again"}},
		"encrypted":    {with(func(b []byte) []byte { copy(b[size-4:], "PARE"); return b }), []string{"encrypted"}},
		"footer's end": {with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[size-8:], 1e9); return b }), []string{"footer of 1000000000 bytes", "fetch it again"}},
		"no footer":    {with(func(b []byte) []byte { binary.LittleEndian.PutUint32(b[size-8:], 0); return b }), []string{"damaged footer: a header that ends early", "fetch"}},
		"page":         {with(func(b []byte) []byte { b[4] = 0xff; return b }), []string{"row group 0", `column "a"`, "fetch it again"}},
		"value":        {with(func(b []byte) []byte { b[30] ^= 1; return b }), []string{"row group 0", `column "a"`, "fetch it again"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.content, t.TempDir(), "t.parquet")
			_, err := Open(context.Background(), path, Options{})
			wantError(t, err, append(c.want, path)...)
		})
	}
	path := write(t, whole, t.TempDir(), "t.parquet")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, path, Options{}); err != context.Canceled {
		t.Errorf("error %v of a cancelled open, expected %v", err, context.Canceled)
	}
	if b := all(t, open(t, path, Options{Label: "c"}).All); len(b.Y) != 24 || b.X[2] != 1 || b.Y[1] != 1 {
		t.Errorf("the whole file: x %v, y %v", b.X, b.Y)
	}
}

func FuzzParquet(f *testing.F) {
	f.Setenv("XDG_CACHE_HOME", f.TempDir())
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Brotli, &parquet.Zstd, &parquet.Lz4Raw} {
		f.Add(smallParquet(f, codec, 1), "c")
		f.Add(smallParquet(f, codec, 2), "")
	}
	f.Fuzz(func(t *testing.T, raw []byte, label string) {
		// Runs may make of few bytes as many rows as they like, which takes its time.
		if cells, err := parquetCells(raw); err == nil && len(cells) > 1<<12 {
			return
		}
		openTwice(t, raw, "t.parquet", label)
	})
}

// Half-precision numbers, from IEEE 754: 1, -2, the least, the largest, a third, 0, infinity and NaN.
func TestFloat16(t *testing.T) {
	for bits, want := range map[uint16]float64{0x3C00: 1, 0xC000: -2, 0x0001: 0x1p-24, 0x0400: 0x1p-14, 0x7BFF: 65504, 0x3555: 0.333251953125, 0: 0,
		0x7C00: math.Inf(1), 0xFC00: math.Inf(-1)} {
		if got := float16(bits); got != want {
			t.Errorf("%#04x is %v, expected %v", bits, got, want)
		}
	}
	if got := float16(0x7E00); got == got {
		t.Errorf("0x7e00 is %v, expected NaN", got)
	}
}
