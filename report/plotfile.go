package report

import (
	"image/color"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// PlotFile is a plot that is a file of its own, with a title and a legend.
type PlotFile struct {
	Title string
	Axes  Axes
	Lines []Series
}

// lineColours are those of the lines of a page in light surroundings.
var lineColours = [seriesColours]color.RGBA{
	{0x0b, 0x62, 0xc4, 0xff}, {0xc2, 0x50, 0x0a, 0xff}, {0x11, 0x79, 0x3f, 0xff}, {0x8a, 0x3f, 0xb0, 0xff}, {0xa3, 0x74, 0x0a, 0xff}, {0xb3, 0x25, 0x6b, 0xff},
}

var onWhite = colours{
	ink: color.Black, faint: color.Gray{Y: 0xe0}, legend: true,
	line: func(i int) color.RGBA { return lineColours[i%seriesColours] },
}

const fileWidth, fileHeight = 600, 420 // points of 1/72 inch

// PNG writes the plot as a picture of 1,200 x 840 pixels.
func (p PlotFile) PNG(w io.Writer) error {
	return p.write(vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(fileWidth, fileHeight), vgimg.UseDPI(144))}, w)
}

// SVG writes the plot as a file that asks for no font or style.
func (p PlotFile) SVG(w io.Writer) error { return p.write(vgsvg.New(fileWidth, fileHeight), w) }

func (p PlotFile) write(canvas interface {
	vg.CanvasSizer
	io.WriterTo
}, w io.Writer) error {
	f, err := drawn(p.Axes, p.Lines, onWhite)
	if err != nil {
		return err
	}
	f.BackgroundColor = color.White
	f.Title.Text, f.Title.Padding = p.Title, 6
	f.Legend.XOffs, f.Legend.YOffs, f.Legend.Padding = -8, 8, 3
	f.Draw(draw.Crop(draw.New(canvas), 6, -rightMargin, 6, -topMargin))
	_, err = canvas.WriteTo(w)
	return err
}
