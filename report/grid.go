package report

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/likely-ml/likely/data"
)

// GridOptions says how Grid lays out a page. The zero value is a good page for unlabelled pictures of 0..255.
type GridOptions struct {
	Columns  int      // pictures side by side; 0: 10, or fewer where 10 would be wider than the page
	Scale    int      // side of a pixel as drawn; 0: the whole number that fills the page's width, at least 1
	Gap      int      // between pictures, in pixels as drawn; 0: 6
	Group    int      // columns that belong together, with a wider gap to the next ones; 0: none do
	MaxValue float32  // the value that is drawn white; 0: 255
	Labels   []string // one for each row, written to its left, such as the class; nil: none
}

const (
	pageWidth  = 1000 // pixels, of the page that the automatic choices aim at
	labelScale = 2    // the font is drawn twice its size of 7x13, which is small beside scaled-up pictures
	labelChars = 14   // longer labels are cut
	labelPad   = 6    // pixels to the left and right of a label
)

var (
	paper = color.Gray{Y: 0xf1} // neither black nor white, so that the edge of every picture shows
	ink   = color.Gray{Y: 0x22}
)

// Grid writes the pictures of b as one PNG, row by row, each pixel enlarged to a square of whole pixels (nearest
// neighbour), so that what is seen is what the model made. Pictures have 1 channel (grey) or 3 (red, green, blue);
// values outside 0..MaxValue are clipped. Labels are drawn in ASCII; other characters show as a box.
func Grid(w io.Writer, b data.Batch, o GridOptions) error {
	page, err := Draw(b, o)
	if err != nil {
		return err
	}
	return encode(w, page)
}

// encode writes a PNG as small as it gets: these have large even areas.
func encode(w io.Writer, page image.Image) error {
	return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, page)
}

// layout is a grid's geometry in pixels as drawn.
type layout struct {
	columns, rows, scale, gap, margin int // margin: the width of the row labels
	group, apart                      int // columns in a group, and how much wider the gap between two groups is
	cellWidth, cellHeight             int
}

// before is how much wider the gaps to the left of column c are, together, than they would be without groups.
func (l layout) before(c int) int {
	if l.group == 0 {
		return 0
	}
	return c / l.group * l.apart
}

func (l layout) width() int {
	return l.margin + l.gap + l.columns*(l.cellWidth+l.gap) + l.before(l.columns-1)
}
func (l layout) height() int { return l.gap + l.rows*(l.cellHeight+l.gap) }

// cell is the upper left corner of the picture at row r and column c.
func (l layout) cell(r, c int) image.Point {
	return image.Pt(l.margin+l.gap+c*(l.cellWidth+l.gap)+l.before(c), l.gap+r*(l.cellHeight+l.gap))
}

// plan makes the choices that the options leave open.
func plan(s data.Shape, n int, o GridOptions) layout {
	l := layout{columns: o.Columns, scale: o.Scale, gap: o.Gap, group: o.Group}
	if l.gap == 0 {
		l.gap = 6
	}
	l.apart = 2 * l.gap
	for _, label := range o.Labels {
		l.margin = max(l.margin, len([]rune(cut(label)))*basicfont.Face7x13.Advance*labelScale+2*labelPad)
	}
	room := max(pageWidth-l.margin-l.gap, 1)
	if l.columns == 0 {
		l.columns = max(1, min(10, n, room/(max(l.scale, 1)*s.Width+l.gap)))
	}
	if l.scale == 0 {
		l.scale = max(1, ((room-l.before(l.columns-1))/l.columns-l.gap)/s.Width)
		l.scale = min(l.scale, max(1, pageWidth/4/s.Width)) // a few pictures are not blown up to posters
	}
	l.rows = (n + l.columns - 1) / l.columns
	l.cellWidth, l.cellHeight = l.scale*s.Width, l.scale*s.Height
	return l
}

// Draw is the page that Grid writes, as an *image.Gray or *image.RGBA.
func Draw(b data.Batch, o GridOptions) (image.Image, error) {
	s, n := b.Shape, b.Len()
	switch {
	case !s.IsImage():
		return nil, fmt.Errorf("a grid shows pictures, and the examples are table rows of %v", s)
	case s.Channels != 1 && s.Channels != 3:
		return nil, fmt.Errorf("pictures have %d channels, expected 1 (grey) or 3 (red, green, blue)", s.Channels)
	case n == 0:
		return nil, fmt.Errorf("no pictures to draw")
	case o.Columns < 0 || o.Scale < 0 || o.Gap < 0 || o.Group < 0 || !(o.MaxValue >= 0):
		return nil, fmt.Errorf("grid options %+v: expected no negative numbers", o)
	}
	if o.MaxValue == 0 {
		o.MaxValue = 255
	}
	l := plan(s, n, o)
	if o.Labels != nil && len(o.Labels) != l.rows {
		return nil, fmt.Errorf("%d row labels for a grid of %d rows, expected one each", len(o.Labels), l.rows)
	}

	var page draw.Image
	bounds := image.Rect(0, 0, l.width(), l.height())
	if s.Channels == 1 {
		page = image.NewGray(bounds)
	} else {
		page = image.NewRGBA(bounds)
	}
	draw.Draw(page, bounds, image.NewUniform(paper), image.Point{}, draw.Src)
	for i := range n {
		drawPicture(page, l.cell(i/l.columns, i%l.columns), l.scale, s, b.Row(i), o.MaxValue)
	}
	for r, label := range o.Labels {
		drawLabel(page, image.Pt(labelPad, l.cell(r, 0).Y+l.cellHeight/2), cut(label))
	}
	return page, nil
}

// drawPicture draws one example with its upper left corner at the given point.
func drawPicture(page draw.Image, at image.Point, scale int, s data.Shape, x []float32, maxValue float32) {
	level := func(v float32) uint8 {
		if !(v > 0) { // NaN too
			return 0
		}
		return uint8(math.Round(float64(min(v/maxValue, 1)) * 255))
	}
	for row := range s.Height {
		for col := range s.Width {
			pixel := x[(row*s.Width+col)*s.Channels:]
			var c color.Color = color.Gray{Y: level(pixel[0])}
			if s.Channels == 3 {
				c = color.RGBA{R: level(pixel[0]), G: level(pixel[1]), B: level(pixel[2]), A: 255}
			}
			square := image.Rect(0, 0, scale, scale).Add(at).Add(image.Pt(col*scale, row*scale))
			draw.Draw(page, square, image.NewUniform(c), image.Point{}, draw.Src)
		}
	}
}

// drawLabel writes a text with the middle of its left edge at the given point.
func drawLabel(page draw.Image, middle image.Point, text string) {
	face := basicfont.Face7x13
	width, height := len([]rune(text))*face.Advance, face.Height
	mask := image.NewAlpha(image.Rect(0, 0, width, height))
	d := font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}
	d.DrawString(text)
	corner := middle.Sub(image.Pt(0, height*labelScale/2))
	for y := range height * labelScale {
		for x := range width * labelScale {
			if mask.AlphaAt(x/labelScale, y/labelScale).A > 127 {
				page.Set(corner.X+x, corner.Y+y, ink)
			}
		}
	}
}

// cut shortens a label to what fits beside a row.
func cut(label string) string {
	if r := []rune(label); len(r) > labelChars {
		return string(r[:labelChars-2]) + ".."
	}
	return label
}
