package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Series is a line through the points (X[i], Y[i]), in this order. Points that are not finite are left out.
type Series struct {
	Name string
	X, Y []float64
}

// axes is what a plot shows beside its lines.
type axes struct {
	x, y     string // what the axes measure, with unit
	unit     bool   // both axes run from 0 to 1
	diagonal bool   // a dashed line from (0, 0) to (1, 1)
	dots     bool   // points are marked
}

const (
	plotWidth, plotHeight  = 440, 300 // points of 1/72 inch
	rightMargin, topMargin = 12, 6    // for the labels of the last ticks, which reach beyond the axes
	maxPoints              = 400      // longer lines are thinned: more would not be seen
)

// A plot is drawn in stand-in colours, which are then replaced by names that the style sheet of the page gives a
// colour, one in light and another in dark surroundings. The stand-ins differ from black, which the SVG writer leaves
// out.
var (
	inkColour   = standIn{color.RGBA{R: 1, G: 1, B: 1, A: 255}, "currentColor"}
	faintColour = standIn{color.RGBA{R: 2, G: 2, B: 2, A: 255}, "var(--faint)"}
)

type standIn struct {
	colour color.RGBA
	css    string
}

func (s standIn) hex() string {
	return fmt.Sprintf("#%02X%02X%02X", s.colour.R, s.colour.G, s.colour.B)
}

// seriesColours is the number of line colours in the style sheet; further lines repeat them dashed.
const seriesColours = 6

func seriesColour(i int) standIn {
	k := i%seriesColours + 1
	return standIn{color.RGBA{R: 3, G: 3, B: uint8(k), A: 255}, fmt.Sprintf("var(--line-%d)", k)}
}

func dashed(i int) bool { return i >= seriesColours }

// svg draws lines as an SVG element that takes its colours and its font from the page around it.
func svg(alt string, a axes, lines []Series) (template.HTML, error) {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = a.x, a.y
	p.X.Color, p.Y.Color = inkColour.colour, inkColour.colour
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Color = inkColour.colour
		axis.Tick.LineStyle.Color = inkColour.colour
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = inkColour.colour, inkColour.colour
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 12, 11
	}

	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faintColour.colour, faintColour.colour
	p.Add(grid)
	if a.diagonal {
		diagonal, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
		if err != nil {
			return "", err
		}
		diagonal.Color = inkColour.colour
		diagonal.Dashes = []vg.Length{3, 3}
		p.Add(diagonal)
	}
	points := 0
	for i, s := range lines {
		if len(s.X) != len(s.Y) {
			return "", fmt.Errorf("line %q has %d x and %d y, expected one for one", s.Name, len(s.X), len(s.Y))
		}
		xy := finite(s)
		points += len(xy)
		if len(xy) == 0 {
			continue
		}
		line, marks, err := plotter.NewLinePoints(thin(xy))
		if err != nil {
			return "", fmt.Errorf("line %q: %w", s.Name, err)
		}
		line.Color, marks.Color = seriesColour(i).colour, seriesColour(i).colour
		line.Width = 1.6
		if dashed(i) {
			line.Dashes = []vg.Length{6, 2}
		}
		marks.Shape, marks.Radius = draw.CircleGlyph{}, 2.5
		p.Add(line)
		if a.dots || len(xy) == 1 { // a line through one point shows nothing
			p.Add(marks)
		}
	}
	if points == 0 {
		return "", fmt.Errorf("no finite points to draw over %q", a.x)
	}
	if a.unit {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	}

	canvas := vgsvg.New(plotWidth, plotHeight)
	p.Draw(draw.Crop(draw.New(canvas), 0, -rightMargin, 0, -topMargin))
	var file bytes.Buffer
	if _, err := canvas.WriteTo(&file); err != nil {
		return "", err
	}
	return inline(file.String(), alt), nil
}

// inline makes of an SVG file an element within HTML: without the XML prologue, of the width that the page gives it, in
// the page's colours, with a description in words.
func inline(file, alt string) template.HTML {
	_, body, _ := strings.Cut(file, "<svg ")
	_, body, _ = strings.Cut(body, ">")
	for _, s := range []standIn{inkColour, faintColour} {
		body = strings.ReplaceAll(body, s.hex(), s.css)
	}
	for i := range seriesColours {
		body = strings.ReplaceAll(body, seriesColour(i).hex(), seriesColour(i).css)
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" role="img" aria-label="%s">%s`,
		plotWidth, plotHeight, template.HTMLEscapeString(alt), body))
}

func finite(s Series) plotter.XYs {
	var xy plotter.XYs
	for i := range s.X {
		if x, y := s.X[i], s.Y[i]; !math.IsNaN(x-x) && !math.IsNaN(y-y) { // an infinity less itself is NaN
			xy = append(xy, plotter.XY{X: x, Y: y})
		}
	}
	return xy
}

// thin keeps at most maxPoints points, evenly spaced along the line and with both ends.
func thin(xy plotter.XYs) plotter.XYs {
	n := len(xy)
	if n <= maxPoints {
		return xy
	}
	out := make(plotter.XYs, maxPoints)
	for i := range out {
		out[i] = xy[i*(n-1)/(maxPoints-1)]
	}
	return out
}
