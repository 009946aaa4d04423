package report

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"
	"time"

	"github.com/likely-ml/likely/data"
)

func animate(t *testing.T, frames ...image.Image) *gif.GIF {
	t.Helper()
	var file bytes.Buffer
	if err := Animation(&file, frames, 120*time.Millisecond, 0); err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(&file)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestAnimationKeepsEveryGrey(t *testing.T) {
	frame := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range frame.Pix {
		frame.Pix[i] = uint8(i)
	}
	g := animate(t, frame, image.NewGray(frame.Rect))
	if len(g.Image) != 2 || g.LoopCount != 0 || g.Delay[0] != 12 || g.Delay[1] != 12 {
		t.Errorf("%d frames, loop count %d, delays %v; expected 2, 0 (without end), [12 12]", len(g.Image), g.LoopCount, g.Delay)
	}
	for i := range 256 {
		if got := rgbOf(g.Image[0].At(i%16, i/16)); got != (rgb{uint8(i), uint8(i), uint8(i)}) {
			t.Fatalf("grey %d became %v", i, got)
		}
	}
}

// An animation ends after as many plays as were asked for, as a file says it: how often it is repeated after the first time.
func TestAnimationEnds(t *testing.T) {
	for plays, want := range map[int]int{0: 0, 1: -1, 2: 1, 3: 2} {
		var file bytes.Buffer
		if err := Animation(&file, []image.Image{image.NewGray(image.Rect(0, 0, 2, 2)), image.NewGray(image.Rect(0, 0, 2, 2))}, time.Second, plays); err != nil {
			t.Fatal(err)
		}
		g, err := gif.DecodeAll(&file)
		if err != nil || g.LoopCount != want {
			t.Errorf("%d plays: loop count %d (%v), expected %d", plays, g.LoopCount, err, want)
		}
	}
}

// More colours than a palette has come out near themselves, and the same each time.
func TestAnimationColour(t *testing.T) {
	frame := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			frame.Set(x, y, color.RGBA{uint8(4 * x), uint8(4 * y), uint8(2 * (x + y)), 255})
		}
	}
	g, again := animate(t, frame), animate(t, frame)
	if n := len(g.Image[0].Palette); n != 256 {
		t.Errorf("palette of %d colours, expected 256", n)
	}
	for y := range 64 {
		for x := range 64 {
			want, got := rgbOf(frame.At(x, y)), rgbOf(g.Image[0].At(x, y))
			for k := range 3 {
				// 256 even boxes of a square of side 256 have sides of 16; allowed is twice that.
				if d := int(got[k]) - int(want[k]); d < -32 || d > 32 {
					t.Fatalf("pixel %d,%d is %v, expected about %v", x, y, got, want)
				}
			}
			if rgbOf(again.Image[0].At(x, y)) != got {
				t.Fatal("the same frame has another palette the second time")
			}
		}
	}
}

func TestAnimationErrors(t *testing.T) {
	small, large := image.NewGray(image.Rect(0, 0, 1, 1)), image.NewGray(image.Rect(0, 0, 2, 2))
	for name, err := range map[string]error{
		"no frames": Animation(&bytes.Buffer{}, nil, time.Second, 0),
		"no delay":  Animation(&bytes.Buffer{}, []image.Image{small}, 0, 0),
		"no plays":  Animation(&bytes.Buffer{}, []image.Image{small}, time.Second, -1),
		"two sizes": Animation(&bytes.Buffer{}, []image.Image{small, large}, time.Second, 0),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestGridGroups(t *testing.T) {
	b := ramp(data.Shape{Height: 2, Width: 2, Channels: 1}, 4, 255)
	for i := range b.X {
		b.X[i] = 255
	}
	page := decode(t, b, GridOptions{Columns: 4, Scale: 1, Gap: 1, Group: 2})
	if got, want := page.Bounds(), image.Rect(0, 0, 15, 4); got != want {
		t.Fatalf("page is %v, expected %v", got, want)
	}
	for x, want := range []bool{false, true, true, false, true, true, false, false, false, true, true, false, true, true, false} {
		if got := page.At(x, 1).(color.Gray).Y == 255; got != want {
			t.Errorf("column %d is white: %v, expected %v", x, got, want)
		}
	}
}
