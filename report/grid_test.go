package report

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
)

// ramp is n pictures whose values run from 0 to just below max.
func ramp(shape data.Shape, n int, max float32) data.Batch {
	b := data.NewBatch(shape, n, false)
	for i := range b.X {
		b.X[i] = max * float32(i%shape.Size()) / float32(shape.Size())
	}
	return b
}

func decode(t *testing.T, b data.Batch, o GridOptions) image.Image {
	t.Helper()
	var file bytes.Buffer
	if err := Grid(&file, b, o); err != nil {
		t.Fatal(err)
	}
	page, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestGridEnlargesEveryPixelToASquare(t *testing.T) {
	b := data.NewBatch(data.Shape{Height: 2, Width: 2, Channels: 1}, 3, false)
	copy(b.X, []float32{0, 16, 8, 4, 0, 0, 0, 0, 16, 16, 16, 16})
	page := decode(t, b, GridOptions{Columns: 2, Scale: 3, Gap: 1, MaxValue: 16})
	if got, want := page.Bounds(), image.Rect(0, 0, 15, 15); got != want {
		t.Fatalf("page is %v, expected %v", got, want)
	}
	for y := range 15 {
		for x := range 15 {
			want := paper.Y
			col, row := (x-1)/7, (y-1)/7
			inX, inY := (x-1)%7, (y-1)%7
			if i := row*2 + col; x > 0 && y > 0 && inX < 6 && inY < 6 && i < 3 {
				value := b.X[i*4+inY/3*2+inX/3]
				want = map[float32]uint8{0: 0, 4: 64, 8: 128, 16: 255}[value]
			}
			if got := page.At(x, y).(color.Gray).Y; got != want {
				t.Fatalf("pixel (%d, %d) is %d, expected %d", x, y, got, want)
			}
		}
	}
}

func TestGridColour(t *testing.T) {
	b := data.NewBatch(data.Shape{Height: 1, Width: 2, Channels: 3}, 1, false)
	copy(b.X, []float32{255, 0, 51, -3, 300, 102})
	page := decode(t, b, GridOptions{Columns: 1, Scale: 1, Gap: 1})
	for x, want := range []color.RGBA{{255, 0, 51, 255}, {0, 255, 102, 255}} {
		if got := color.RGBAModel.Convert(page.At(1+x, 1)); got != want {
			t.Errorf("pixel %d is %v, expected %v", x, got, want)
		}
	}
}

func TestGridChoosesAPageWidth(t *testing.T) {
	for _, side := range []int{8, 28, 32, 64, 96} {
		page := decode(t, ramp(data.Shape{Height: side, Width: side, Channels: 1}, 100, 255), GridOptions{})
		if w := page.Bounds().Dx(); w < 600 || w > 1000 {
			t.Errorf("pictures %d wide make a page %d wide, expected 600 to 1000", side, w)
		}
	}
}

func TestGridDrawsRowLabels(t *testing.T) {
	b := ramp(data.Shape{Height: 8, Width: 8, Channels: 1}, 4, 255)
	plain := decode(t, b, GridOptions{Columns: 2, Scale: 4})
	labelled := decode(t, b, GridOptions{Columns: 2, Scale: 4, Labels: []string{"T-shirt", "a very long class name"}})
	margin := labelled.Bounds().Dx() - plain.Bounds().Dx()
	if want := labelChars*7*labelScale + 2*labelPad; margin != want {
		t.Errorf("labels take %d pixels, expected %d", margin, want)
	}
	dark := 0
	for y := range labelled.Bounds().Dy() {
		for x := range margin {
			if labelled.At(x, y) == ink {
				dark++
			}
		}
	}
	if dark == 0 {
		t.Error("no label is drawn")
	}
}

func TestGridErrors(t *testing.T) {
	pictures := ramp(data.Shape{Height: 2, Width: 2, Channels: 1}, 4, 255)
	for _, c := range []struct {
		name string
		b    data.Batch
		o    GridOptions
		want string
	}{
		{"rows", data.NewBatch(data.RowShape(3), 1, false), GridOptions{}, "table rows"},
		{"channels", data.NewBatch(data.Shape{Height: 2, Width: 2, Channels: 2}, 1, false), GridOptions{}, "2 channels"},
		{"empty", data.NewBatch(pictures.Shape, 0, false), GridOptions{}, "no pictures"},
		{"labels", pictures, GridOptions{Columns: 2, Labels: []string{"one"}}, "1 row labels for a grid of 2 rows"},
		{"negative", pictures, GridOptions{Scale: -1}, "negative"},
	} {
		err := Grid(&bytes.Buffer{}, c.b, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected one with %q", c.name, err, c.want)
		}
	}
}
