package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Series is a line through the points (X[i], Y[i]), in this order. Points that are not finite are left out. With Low and
// High, which are of the length of Y or nil, it has the intervals [Low[i], High[i]]: a band, or bars where points are marked.
type Series struct {
	Name      string
	X, Y      []float64
	Low, High []float64
}

// Axes is what a plot shows beside its lines.
type Axes struct {
	X, Y     string // what the axes measure, with unit
	Unit     bool   // both axes run from 0 to 1
	Diagonal bool   // a dashed line from (0, 0) to (1, 1)
	Dots     bool   // points are marked
	// Log: X is logarithmic, with ticks at the points of the first line, which are positive. The lines stand a little beside one another,
	// so that their bars at one X do not hide each other.
	Log bool
}

const (
	plotWidth, plotHeight  = 440, 300 // points of 1/72 inch
	rightMargin, topMargin = 12, 6    // for the labels of the last ticks, which reach beyond the axes
	maxPoints              = 400      // longer lines are thinned: more would not be seen
	bandOpacity            = 40       // of 255, of the interval around a line
	logMargin              = 1.2      // ratio of the first point to the lower end of a logarithmic axis, and of its upper end to the last
	dodge                  = 1.05     // ratio of the places of neighbouring lines at one X of a logarithmic axis
)

// colours are those of a plot, and where its lines are named.
type colours struct {
	ink, faint color.Color
	line       func(i int) color.RGBA
	legend     bool // names the lines within the plot
}

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

// onPage are the colours of a plot on a page.
var onPage = colours{ink: inkColour.colour, faint: faintColour.colour, line: func(i int) color.RGBA { return seriesColour(i).colour }}

func dashed(i int) bool { return i >= seriesColours }

// svg draws lines as an SVG element that takes its colours and its font from the page around it.
func svg(alt string, a Axes, lines []Series) (template.HTML, error) {
	p, err := drawn(a, lines, onPage)
	if err != nil {
		return "", err
	}
	canvas := vgsvg.New(plotWidth, plotHeight)
	p.Draw(draw.Crop(draw.New(canvas), 0, -rightMargin, 0, -topMargin))
	var file bytes.Buffer
	if _, err := canvas.WriteTo(&file); err != nil {
		return "", err
	}
	return inline(file.String(), alt), nil
}

// drawn are lines over axes.
func drawn(a Axes, lines []Series, c colours) (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = a.X, a.Y
	p.X.Color, p.Y.Color = c.ink, c.ink
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Color = c.ink
		axis.Tick.LineStyle.Color = c.ink
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = c.ink, c.ink
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 12, 11
	}

	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = c.faint, c.faint
	p.Add(grid)
	if a.Diagonal {
		diagonal, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
		if err != nil {
			return nil, err
		}
		diagonal.Color = c.ink
		diagonal.Dashes = []vg.Length{3, 3}
		p.Add(diagonal)
	}
	points := 0
	for i, s := range lines {
		if err := s.check(); err != nil {
			return nil, err
		}
		s = s.finite().thin()
		points += len(s.X)
		if len(s.X) == 0 {
			continue
		}
		if a.Log {
			aside := math.Pow(dodge, float64(i)-float64(len(lines)-1)/2)
			for j := range s.X { // finite has made a copy
				s.X[j] *= aside
			}
		}
		marked := a.Dots || len(s.X) == 1 // a line through one point shows nothing
		if err := addInterval(p, s, c.line(i), marked); err != nil {
			return nil, fmt.Errorf("line %q: %w", s.Name, err)
		}
		line, marks, err := plotter.NewLinePoints(s)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", s.Name, err)
		}
		line.Color, marks.Color = c.line(i), c.line(i)
		line.Width = 1.6
		if dashed(i) {
			line.Dashes = []vg.Length{6, 2}
		}
		marks.Shape, marks.Radius = draw.CircleGlyph{}, 2.5
		p.Add(line)
		if marked {
			p.Add(marks)
		}
		if c.legend {
			p.Legend.Add(s.Name, line)
		}
	}
	if points == 0 {
		return nil, fmt.Errorf("no finite points to draw over %q", a.X)
	}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		if axis.Min == axis.Max && !(a.Log && axis == &p.X) {
			margin := pointMargin(axis.Min)
			axis.Min, axis.Max = axis.Min-margin, axis.Max+margin
		}
	}
	if a.Unit {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	}

	if a.Log {
		if !(p.X.Min > 0) {
			return nil, fmt.Errorf("a point at %v over %q, whose axis is logarithmic; expected positive ones", p.X.Min, a.X)
		}
		var ticks plot.ConstantTicks
		for _, x := range lines[0].X {
			ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'g', -1, 64)})
		}
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, ticks
		p.X.Min, p.X.Max = p.X.Min/logMargin, p.X.Max*logMargin
	}
	return p, nil
}

// pointMargin is how far an axis reaches beyond its only value v: half a unit, which is nothing beside 1e20.
func pointMargin(v float64) float64 { return max(0.5, 1e-6*math.Abs(v)) }

// inline makes of an SVG file an element within HTML: without the XML prologue, of the width that the page gives it, in
// the page's colours, with a description in words.
func inline(file, alt string) template.HTML {
	_, body, _ := strings.Cut(file, "<svg ")
	_, body, _ = strings.Cut(body, ">")
	body = strings.Map(printable, body)
	for _, s := range []standIn{inkColour, faintColour} {
		body = strings.ReplaceAll(body, s.hex(), s.css)
	}
	for i := range seriesColours {
		body = strings.ReplaceAll(body, seriesColour(i).hex(), seriesColour(i).css)
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" role="img" aria-label="%s">%s`,
		plotWidth, plotHeight, template.HTMLEscapeString(strings.Map(printable, alt)), body))
}

// printable drops the control characters that a name on an axis may have, and that markup must not.
func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' {
		return -1
	}
	return r
}

// addInterval adds the intervals of a line, if it has any: bars, or a band in a shade of its colour.
func addInterval(p *plot.Plot, s Series, c color.RGBA, bars bool) error {
	if s.Low == nil {
		return nil
	}
	if bars {
		b, err := plotter.NewYErrorBars(s)
		if err != nil {
			return err
		}
		b.Color = c
		p.Add(b)
		return nil
	}
	var around plotter.XYs
	for i, x := range s.X {
		around = append(around, plotter.XY{X: x, Y: s.High[i]})
	}
	for i := len(s.X) - 1; i >= 0; i-- {
		around = append(around, plotter.XY{X: s.X[i], Y: s.Low[i]})
	}
	band, err := plotter.NewPolygon(around)
	if err != nil {
		return err
	}
	band.Width = 0
	band.Color = color.NRGBA{R: c.R, G: c.G, B: c.B, A: bandOpacity}
	p.Add(band)
	return nil
}

// Len, XY and YError make a Series what gonum's plotters take.
func (s Series) Len() int { return len(s.X) }

// XY is point i.
func (s Series) XY(i int) (x, y float64) { return s.X[i], s.Y[i] }

// YError is how far the interval of point i reaches below it and above it.
func (s Series) YError(i int) (low, high float64) { return s.Y[i] - s.Low[i], s.High[i] - s.Y[i] }

func (s Series) check() error {
	if len(s.X) != len(s.Y) {
		return fmt.Errorf("line %q has %d x and %d y, expected one for one", s.Name, len(s.X), len(s.Y))
	}
	if len(s.Low) != len(s.High) || s.Low != nil && len(s.Low) != len(s.Y) {
		return fmt.Errorf("line %q has intervals with %d lower and %d upper ends, expected none or %d", s.Name, len(s.Low), len(s.High), len(s.Y))
	}
	return nil
}

// finite leaves out the points that are not finite, or whose interval is not.
func (s Series) finite() Series {
	return s.where(len(s.X), func(i int) (int, bool) {
		sum := math.Abs(s.X[i]) + math.Abs(s.Y[i])
		if s.Low != nil {
			sum += math.Abs(s.Low[i]) + math.Abs(s.High[i])
		}
		return i, isFinite(sum)
	})
}

func isFinite(v float64) bool { return v-v == 0 } // an infinity less itself is NaN

// thin keeps at most maxPoints points, evenly spaced along the line and with both ends.
func (s Series) thin() Series {
	n := len(s.X)
	if n <= maxPoints {
		return s
	}
	return s.where(maxPoints, func(i int) (int, bool) { return i * (n - 1) / (maxPoints - 1), true })
}

// where is the line through the points that which chooses, out of n choices.
func (s Series) where(n int, which func(int) (int, bool)) Series {
	out := Series{Name: s.Name}
	for i := range n {
		at, keep := which(i)
		if !keep {
			continue
		}
		out.X, out.Y = append(out.X, s.X[at]), append(out.Y, s.Y[at])
		if s.Low != nil {
			out.Low, out.High = append(out.Low, s.Low[at]), append(out.High, s.High[at])
		}
	}
	return out
}
