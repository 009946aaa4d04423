package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	red   = color.NRGBA{R: 255, A: 255}
	grey  = color.NRGBA{R: 90, G: 90, B: 90, A: 255}
	glass = color.NRGBA{R: 255, A: 0}
	half  = color.NRGBA{R: 0, G: 0, B: 0, A: 128}
)

// webpFile writes a lossless WebP picture of one colour, after the WebP Lossless Bitstream Specification: five prefix codes
// with one symbol each, so that no pixel takes a bit. Go has no encoder at hand.
func webpFile(width, height int, c color.NRGBA) []byte {
	var bits []byte
	n := 0
	put := func(value uint32, count int) {
		for i := range count {
			if n%8 == 0 {
				bits = append(bits, 0)
			}
			bits[n/8] |= byte(value>>i&1) << (n % 8)
			n++
		}
	}
	put(0x2f, 8) // signature
	put(uint32(width-1), 14)
	put(uint32(height-1), 14)
	put(1, 1) // alpha is used
	put(0, 3) // version
	put(0, 1) // no transform
	put(0, 1) // no colour cache
	put(0, 1) // one group of prefix codes
	for _, v := range []uint8{c.G, c.R, c.B, c.A, 0} {
		put(1, 1) // a simple code
		put(0, 1) // of one symbol
		put(1, 1) // of 8 bits
		put(uint32(v), 8)
	}
	if len(bits)%2 == 1 {
		bits = append(bits, 0)
	}
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(12+len(bits)))
	b = binary.LittleEndian.AppendUint32(append(b, "WEBPVP8L"...), uint32(len(bits)))
	return append(b, bits...)
}

func TestClassFolders(t *testing.T) {
	dir := t.TempDir()
	write(t, pngFile(t, 4, 3, plain(red)), dir, "10", "a.png")
	write(t, pngFile(t, 4, 3, plain(grey)), dir, "2", "deep", "b.PNG")
	write(t, pngFile(t, 4, 3, plain(grey)), dir, "2", "a.png")
	write(t, []byte("notes"), dir, "2", "readme.txt")
	write(t, []byte("junk"), dir, "2", ".hidden.png")
	write(t, []byte("junk"), dir, "__MACOSX", "x.png")
	write(t, []byte("junk"), dir, ".DS_Store")
	src := open(t, dir, Options{})
	schema := src.All.Schema()
	if schema.Shape != (Shape{3, 4, 3}) || !slices.Equal(schema.Classes, []string{"2", "10"}) || src.All.Len() != 3 {
		t.Fatalf("%d pictures of %v in classes %q, expected 3 of 3x4x3 in 2, 10", src.All.Len(), schema.Shape, schema.Classes)
	}
	b := all(t, src.All)
	if !slices.Equal(b.Y, []int32{0, 0, 1}) {
		t.Errorf("labels %v, expected 0, 0, 1", b.Y)
	}
	if got := b.Row(2)[:6]; !slices.Equal(got, []float32{255, 0, 0, 255, 0, 0}) {
		t.Errorf("red is %v", got)
	}
}

// TestGreyOrColour: grey where every pixel of every picture is grey, whatever the files say.
func TestGreyOrColour(t *testing.T) {
	dir := t.TempDir()
	write(t, pngFile(t, 2, 2, plain(grey)), dir, "a.png")
	if got := open(t, dir, Options{}).All.Schema().Channels; got != 1 {
		t.Errorf("grey pictures in colour files have %d channels, expected 1", got)
	}
	if got := all(t, open(t, dir, Options{Channels: 3}).All).X[:3]; !slices.Equal(got, []float32{90, 90, 90}) {
		t.Errorf("grey as colour %v, expected 90, 90, 90", got)
	}
	write(t, pngFile(t, 2, 2, plain(red)), dir, "b.png")
	if got := open(t, dir, Options{}).All.Schema().Channels; got != 3 {
		t.Errorf("colour pictures have %d channels, expected 3", got)
	}
	// 0.299 * 255 = 76.245
	if got := all(t, open(t, dir, Options{Channels: 1}).All).Row(1)[0]; got != 76 {
		t.Errorf("red as grey is %v, expected 76", got)
	}
}

func TestTransparentIsWhite(t *testing.T) {
	path := write(t, pngFile(t, 2, 1, func(x, _ int) color.Color { return []color.Color{glass, half}[x] }), t.TempDir(), "a.png")
	got := all(t, open(t, path, Options{}).All).X
	// Half-transparent black over white: 255 * (1 - 128/255) = 127.
	if !slices.Equal(got, []float32{255, 127}) {
		t.Errorf("pixels %v, expected 255, 127", got)
	}
}

func TestLumaKeepsGrey(t *testing.T) {
	for v := range 256 {
		if got := luma([]uint8{uint8(v), uint8(v), uint8(v)}); int(got) != v {
			t.Errorf("luma of grey %d is %d", v, got)
		}
	}
	for _, px := range [][]uint8{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {10, 200, 30}} {
		want := 0.299*float64(px[0]) + 0.587*float64(px[1]) + 0.114*float64(px[2])
		if got := float64(luma(px)); !(math.Abs(got-want) <= 0.51) {
			t.Errorf("luma of %v is %v, expected %v", px, got, want)
		}
	}
}

func TestFormats(t *testing.T) {
	m := image.NewPaletted(image.Rect(0, 0, 3, 2), color.Palette{grey, color.Black})
	var g, j bytes.Buffer
	if err := gif.Encode(&g, m, nil); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&j, m, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"a.gif": g.Bytes(), "a.jpeg": j.Bytes(), "a.JPG": j.Bytes(), "a.webp": webpFile(3, 2, grey)} {
		src := open(t, write(t, content, t.TempDir(), name), Options{})
		b := all(t, src.All)
		if src.All.Schema().Shape != (Shape{2, 3, 1}) || !(math.Abs(float64(b.X[0])-90) <= 1) {
			t.Errorf("%s: %v with first pixel %v, expected 2x3x1 with 90", name, src.All.Schema().Shape, b.X[0])
		}
	}
}

// TestResize: sizes that differ become the commonest, with a note; a plain colour stays that colour, and shrinking by a
// whole factor keeps the mean.
func TestResize(t *testing.T) {
	dir := t.TempDir()
	ramp := func(x, y int) color.Color { return color.Gray{uint8(16*y + x)} }
	write(t, pngFile(t, 16, 16, ramp), dir, "a.png")
	write(t, pngFile(t, 8, 8, plain(grey)), dir, "b.png")
	write(t, pngFile(t, 8, 8, plain(grey)), dir, "c.png")
	src := open(t, dir, Options{})
	if src.All.Schema().Shape != (Shape{8, 8, 1}) || len(src.Notes) != 1 || !strings.Contains(src.Notes[0], "2 sizes; all are resized to 8x8, which 2 of 3 have") {
		t.Errorf("%v with notes %q, expected 8x8x1 and one note", src.All.Schema().Shape, src.Notes)
	}
	mean := 0.0
	for _, v := range all(t, src.All).Row(0) {
		mean += float64(v) / 64
	}
	if !(math.Abs(mean-127.5) <= 0.5) { // each pixel is rounded
		t.Errorf("mean %v after shrinking, expected 127.5", mean)
	}
	for _, v := range all(t, open(t, dir, Options{Height: 13, Width: 5}).All).Row(1) {
		if v != 90 {
			t.Fatalf("plain 90 became %v", v)
		}
	}
}

// TestBadPictures puts a corrupt PNG and a cut one among good ones.
func TestBadPictures(t *testing.T) {
	dir := t.TempDir()
	good := pngFile(t, 6, 6, func(x, y int) color.Color { return color.Gray{uint8(40*x + y)} })
	cut := good[:len(good)-25]
	broken := slices.Clone(good)
	copy(broken[len(broken)/2:], "xxxxxx")
	write(t, good, dir, "k", "1.png")
	write(t, cut, dir, "k", "2.png")
	write(t, good, dir, "k", "3.png")
	write(t, broken, dir, "k", "4.png")
	write(t, []byte("not a picture"), dir, "k", "5.png")
	write(t, good, dir, "k", "6.png")
	_, err := Open(context.Background(), dir, Options{})
	wantError(t, err, filepath.Join(dir, "k", "5.png"), "cannot read the picture", "--skip-bad")
	if err := os.Remove(filepath.Join(dir, "k", "5.png")); err != nil {
		t.Fatal(err)
	}
	_, err = Open(context.Background(), dir, Options{})
	wantError(t, err, filepath.Join(dir, "k", "2.png"))
	write(t, []byte("not a picture"), dir, "k", "5.png")

	for _, memory := range []int64{0, 2 * 36, 1} {
		src := open(t, dir, Options{SkipBad: true, Memory: memory})
		if src.Skipped != 3 || src.All.Len() != 3 {
			t.Fatalf("%d skipped, %d left, expected 3 and 3", src.Skipped, src.All.Len())
		}
		b := all(t, src.All)
		if !same(b.Row(0), b.Row(1)) || !same(b.Row(0), b.Row(2)) || b.Row(0)[7] != 41 {
			t.Errorf("with %d bytes of memory the good pictures are not as they were", memory)
		}
	}

	write(t, cut, dir, "l", "1.png")
	_, err = Open(context.Background(), dir, Options{SkipBad: true})
	wantError(t, err, filepath.Join(dir, "l"), `class "l"`)
	bad := t.TempDir()
	write(t, cut, bad, "1.png")
	_, err = Open(context.Background(), bad, Options{SkipBad: true})
	wantError(t, err, "none of 1 pictures", "1.png")
	_, err = Open(context.Background(), filepath.Join(bad, "1.png"), Options{SkipBad: true})
	wantError(t, err, "1.png")
}

// TestHugeHeader asks for more memory than there is, in a header that is whole.
func TestHugeHeader(t *testing.T) {
	for _, side := range []uint32{maxSide + 1, 0x7f000000} {
		raw := pngFile(t, 2, 2, plain(red))
		binary.BigEndian.PutUint32(raw[16:], side)
		binary.BigEndian.PutUint32(raw[20:], side)
		binary.BigEndian.PutUint32(raw[29:], crc32.ChecksumIEEE(raw[12:29]))
		_, err := Open(context.Background(), write(t, raw, t.TempDir(), "a.png"), Options{})
		wantError(t, err, "a.png", "cannot read the picture")
		if side == maxSide+1 {
			wantError(t, err, "8193x8193 pixels, expected 1 to 8192")
		}
	}
}

func TestFolderDamage(t *testing.T) {
	good := pngFile(t, 2, 2, plain(grey))
	ctx := context.Background()

	_, err := Open(ctx, t.TempDir(), Options{})
	wantError(t, err, "no pictures", ".png")

	dir := t.TempDir()
	write(t, good, dir, "a", "1.png")
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Open(ctx, dir, Options{})
	wantError(t, err, `class "b"`, "add some or remove the folder")

	write(t, good, dir, "loose.png")
	_, err = Open(ctx, dir, Options{})
	wantError(t, err, "loose.png", "beside folders")

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	flat := t.TempDir()
	write(t, good, flat, "1.png")
	if _, err := Open(cancelled, flat, Options{}); err != context.Canceled {
		t.Errorf("cancelled open: %v", err)
	}
	for _, o := range []Options{{Height: -1}, {Width: 9000}, {Channels: 2}} {
		_, err := Open(ctx, flat, o)
		wantError(t, err, "expected 1")
	}
}

func TestTrainTest(t *testing.T) {
	dir := t.TempDir()
	write(t, pngFile(t, 4, 4, plain(grey)), dir, "train", "a", "1.png")
	write(t, pngFile(t, 4, 4, plain(grey)), dir, "train", "b", "1.png")
	write(t, pngFile(t, 6, 6, plain(red)), dir, "test", "b", "1.png")
	src := open(t, dir, Options{})
	if src.Train.Len() != 2 || src.Test.Len() != 1 || src.All.Len() != 3 {
		t.Fatalf("%d + %d = %d pictures, expected 2 + 1 = 3", src.Train.Len(), src.Test.Len(), src.All.Len())
	}
	b := all(t, src.Test)
	if b.Shape != (Shape{4, 4, 1}) || b.Y[0] != 1 || b.X[0] != 76 {
		t.Errorf("test picture of %v, class %d, pixel %v, expected it in the terms of train: 4x4x1, 1, 76", b.Shape, b.Y[0], b.X[0])
	}
	write(t, pngFile(t, 4, 4, plain(grey)), dir, "test", "c", "1.png")
	_, err := Open(context.Background(), dir, Options{})
	wantError(t, err, filepath.Join(dir, "test"), `class "c" is unknown`, `"a", "b"`)
}

// Each picture knows its file: through the parts of a folder, their joining, a change of size and a choice of some.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	a := write(t, pngFile(t, 4, 4, plain(grey)), dir, "train", "a", "1.png")
	b := write(t, pngFile(t, 4, 4, plain(grey)), dir, "train", "b", "2.png")
	c := write(t, pngFile(t, 6, 6, plain(red)), dir, "test", "b", "3.png")
	src := open(t, dir, Options{Height: 5})
	for i, want := range []string{a, b, c} {
		if got := File(src.All, i); got != want {
			t.Errorf("example %d comes from %q, expected %q", i, got, want)
		}
	}
	if got := File(Subset(Subset(src.All, []int{2, 0}), []int{1}), 0); got != a {
		t.Errorf("an example of a subset comes from %q, expected %q", got, a)
	}
	adapted := &adapted{base: src.Test, schema: src.Test.Schema()}
	if got := File(adapted, 0); got != c {
		t.Errorf("an adapted example comes from %q, expected %q", got, c)
	}
	if got := File(tableSetOf(t, 1, []float32{1}, nil, nil), 0); got != "" {
		t.Errorf("a row of a table comes from %q, expected no file", got)
	}
}

// TestPicturesForModel reads pictures in the terms of a model that was fitted on the digits.
func TestPicturesForModel(t *testing.T) {
	digits := open(t, "digits", Options{}).All
	model := digits.Schema()
	dir := t.TempDir()
	x := all(t, Subset(digits, []int{17}))
	write(t, pngFile(t, 8, 8, func(c, r int) color.Color {
		v := uint8(math.Round(float64(x.X[8*r+c]) * 255 / 16))
		return color.NRGBA{v, v, v, 255}
	}), dir, "7", "x.png")
	src := open(t, dir, Options{Schema: model})
	b := all(t, src.All)
	if !same(b.X, x.X) || b.Y[0] != 7 {
		t.Errorf("the picture of a digit reads back as %v, class %d, expected %v, class 7", b.X, b.Y[0], x.X)
	}
	labels, err := Labels(context.Background(), src.All)
	if err != nil || !slices.Equal(labels, []int32{7}) || !slices.Equal(src.All.Schema().Classes, model.Classes) {
		t.Errorf("labels %v (%v) of classes %q", labels, err, src.All.Schema().Classes)
	}
	write(t, pngFile(t, 8, 8, plain(grey)), dir, "eight", "x.png")
	_, err = Open(context.Background(), dir, Options{Schema: model})
	wantError(t, err, `class "eight" is unknown`)

	// And the digits in the terms of a model of larger colour pictures.
	big := open(t, "digits", Options{Schema: &Schema{Shape: Shape{16, 16, 3}, MaxValue: 255}})
	got := all(t, Subset(big.All, []int{0}))
	if got.Shape != (Shape{16, 16, 3}) || slices.Max(got.X) < 200 || slices.Max(got.X) > 255 {
		t.Errorf("digit in 16x16x3: %v, largest pixel %v", got.Shape, slices.Max(got.X))
	}
}

func TestProgressCounts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d"} {
		write(t, pngFile(t, 2, 2, plain(grey)), dir, name+".png")
	}
	var last Progress
	calls := 0
	open(t, dir, Options{Progress: func(p Progress) { last, calls = p, calls+1 }})
	if calls != 8 || last != (Progress{"reading pictures", 4, 4, "pictures"}) {
		t.Errorf("%d calls, the last %+v, expected 8, the last for picture 4 of 4", calls, last)
	}
}

func FuzzImage(f *testing.F) {
	f.Add(pngFile(f, 3, 2, plain(half)))
	var j, g bytes.Buffer
	if err := jpeg.Encode(&j, image.NewGray(image.Rect(0, 0, 9, 5)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(j.Bytes())
	if err := gif.Encode(&g, image.NewGray(image.Rect(0, 0, 4, 4)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(g.Bytes())
	f.Add(webpFile(2, 3, red))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		path := write(t, raw, dir, "x.png")
		src, err := Open(context.Background(), path, Options{Height: 4})
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("error without the file: %v", err)
			}
			return
		}
		for i, v := range all(t, src.All).X {
			if !(v >= 0 && v <= 255) || v != float32(int(v)) {
				t.Fatalf("pixel %d is %v, expected a whole number from 0 to 255", i, v)
			}
		}
	})
}
