package report

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// IntervalSeries is a line through the points (X[i], Y[i]), each with a bar from Low[i] to High[i]. All values are finite and every
// X is positive.
type IntervalSeries struct {
	Name            string
	X, Y, Low, High []float64
}

// IntervalPlot is lines over the same few amounts, X, on a logarithmic axis.
type IntervalPlot struct {
	Title, X, Y string // what the axes measure, with unit
	Lines       []IntervalSeries
}

// lineColours are those of the lines of a page in light surroundings.
var lineColours = []color.RGBA{
	{0x0b, 0x62, 0xc4, 0xff}, {0xc2, 0x50, 0x0a, 0xff}, {0x11, 0x79, 0x3f, 0xff}, {0x8a, 0x3f, 0xb0, 0xff}, {0xa3, 0x74, 0x0a, 0xff}, {0xb3, 0x25, 0x6b, 0xff},
}

// dodge is the ratio of the places of neighbouring lines at the same X, so that their bars do not hide each other.
const dodge = 1.05

// PNG writes the plot as a picture of 1,200 x 840 pixels.
func (p IntervalPlot) PNG(w io.Writer) error {
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(intervalWidth, intervalHeight), vgimg.UseDPI(144))}
	return p.write(canvas, w)
}

// SVG writes the plot as a file of its own, which asks for no font or style.
func (p IntervalPlot) SVG(w io.Writer) error {
	return p.write(vgsvg.New(intervalWidth, intervalHeight), w)
}

const intervalWidth, intervalHeight = 600, 420 // points of 1/72 inch

func (p IntervalPlot) write(canvas interface {
	vg.CanvasSizer
	io.WriterTo
}, w io.Writer) error {
	figure, err := p.figure()
	if err != nil {
		return err
	}
	figure.Draw(draw.Crop(draw.New(canvas), 6, -rightMargin, 6, -topMargin))
	_, err = canvas.WriteTo(w)
	return err
}

func (p IntervalPlot) figure() (*plot.Plot, error) {
	f := plot.New()
	f.Title.Text, f.X.Label.Text, f.Y.Label.Text = p.Title, p.X, p.Y
	f.Title.Padding = 6
	f.X.Scale = plot.LogScale{}
	f.Legend.XOffs, f.Legend.YOffs, f.Legend.Padding = -8, 8, 3
	grid := plotter.NewGrid()
	grid.Vertical.Color = color.Gray{Y: 0xe0}
	grid.Horizontal.Color = grid.Vertical.Color
	f.Add(grid)
	var ticks plot.ConstantTicks
	low, high := math.Inf(1), 0.0
	for k, line := range p.Lines {
		if len(line.X) == 0 || len(line.Y) != len(line.X) || len(line.Low) != len(line.X) || len(line.High) != len(line.X) {
			return nil, fmt.Errorf("line %q has %d x, %d y and bars of %d to %d, expected one for one",
				line.Name, len(line.X), len(line.Y), len(line.Low), len(line.High))
		}
		aside := math.Pow(dodge, float64(k)-float64(len(p.Lines)-1)/2)
		var points intervals
		for i, x := range line.X {
			if sum := x + line.Y[i] + line.Low[i] + line.High[i]; !(x > 0) || math.IsNaN(sum-sum) {
				return nil, fmt.Errorf("line %q: the point (%v, %v) with a bar from %v to %v, expected finite ones at positive x",
					line.Name, x, line.Y[i], line.Low[i], line.High[i])
			}
			points.XYs = append(points.XYs, plotter.XY{X: x * aside, Y: line.Y[i]})
			points.bars = append(points.bars, struct{ Low, High float64 }{line.Y[i] - line.Low[i], line.High[i] - line.Y[i]})
			if k == 0 {
				ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'g', -1, 64)})
			}
			low, high = min(low, x), max(high, x)
		}
		path, marks, err := plotter.NewLinePoints(points.XYs)
		if err != nil {
			return nil, err
		}
		bars, err := plotter.NewYErrorBars(points)
		if err != nil {
			return nil, err
		}
		colour := lineColours[k%len(lineColours)]
		path.Color, marks.Color, bars.LineStyle.Color = colour, colour, colour
		path.Width, bars.LineStyle.Width, bars.CapWidth = 1.5, 1.2, 6
		marks.Shape, marks.Radius = draw.CircleGlyph{}, 3
		f.Add(path, bars, marks)
		f.Legend.Add(line.Name, path, marks)
	}
	if len(p.Lines) == 0 {
		return nil, fmt.Errorf("no lines to draw over %q", p.X)
	}
	f.X.Tick.Marker = ticks
	f.X.Min, f.X.Max = low/1.3, high*1.3
	return f, nil
}

// intervals are points with bars, as YErrorBars takes them.
type intervals struct {
	plotter.XYs
	bars []struct{ Low, High float64 }
}

func (p intervals) YError(i int) (low, high float64) { return p.bars[i].Low, p.bars[i].High }
