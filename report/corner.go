package report

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/likely-ml/likely/data"
)

const (
	cornerColumns = 6    // more would be too small to see
	cornerPoints  = 4000 // of a larger table evenly spread rows are drawn
	cornerClasses = 24   // named in the legend
	cornerBins    = 40   // of a distribution, at most
	cornerCell    = 190  // points of 1/72 inch that a plot takes
	cornerLeast   = 430  // and a page at least
	cornerMargin  = 0.04 // of a column's range, on either side of it
)

// CornerColumns are the columns of a table that Corner draws: the first six that are of numbers.
func CornerColumns(schema *data.Schema) []int {
	var columns []int
	for j, c := range schema.Columns {
		if c.Kind != data.Categorical && len(columns) < cornerColumns {
			columns = append(columns, j)
		}
	}
	return columns
}

// Corner writes rows of a table as one PNG of plots, for CornerColumns: on the diagonal of the page the distribution of each column,
// and below it the points of each pair of columns, in a colour for each class. Values that are not finite are left out; of more than
// 4,000 rows as many are drawn, evenly spread.
func Corner(w io.Writer, schema *data.Schema, b data.Batch) error {
	page, err := newCorner(schema, b)
	if err != nil {
		return err
	}
	k := len(page.columns)
	side := vg.Length(max(cornerLeast, k*cornerCell))
	picture := vgimg.NewWith(vgimg.UseWH(side, side), vgimg.UseDPI(96))
	canvas := draw.New(picture)
	plots := make([][]*plot.Plot, k)
	for i := range plots {
		plots[i] = make([]*plot.Plot, k)
		for j := range i + 1 {
			if plots[i][j], err = page.plot(i, j); err != nil {
				return err
			}
		}
	}
	tiles := draw.Tiles{Rows: k, Cols: k, PadX: 8, PadY: 8, PadTop: 8, PadBottom: 4, PadLeft: 4, PadRight: rightMargin}
	for i, row := range plot.Align(plots, tiles, canvas) {
		for j := range i + 1 {
			plots[i][j].Draw(row[j])
		}
	}
	legend := page.legend()
	legend.Draw(draw.Crop(canvas, 0, -2*rightMargin, 0, -2*rightMargin))
	return encode(w, picture.Image())
}

// corner is what there is to draw: groups of rows, one for each class.
type corner struct {
	columns []data.Column
	low     []float64 // of each column, the ends of its axis
	high    []float64
	groups  []cornerGroup
}

// cornerGroup is the rows of one class: values[j] are those of column j.
type cornerGroup struct {
	name   string
	style  draw.GlyphStyle
	values [][]float64
}

func newCorner(schema *data.Schema, b data.Batch) (*corner, error) {
	if schema.IsImage() || len(CornerColumns(schema)) == 0 {
		return nil, fmt.Errorf("a plot shows columns of numbers, and there are none in examples of %v", schema.Shape)
	}
	c := &corner{}
	classes := []string{""}
	if b.Y != nil {
		classes = schema.Classes
	}
	index := CornerColumns(schema)
	for g, name := range classes {
		c.groups = append(c.groups, cornerGroup{name, cornerStyle(g), make([][]float64, len(index))})
	}
	n := min(b.Len(), cornerPoints)
	for i := range n {
		i = i * b.Len() / n
		g := 0
		if b.Y != nil {
			g = int(b.Y[i])
		}
		for k, j := range index {
			c.groups[g].values[k] = append(c.groups[g].values[k], float64(b.Row(i)[j]))
		}
	}
	for k, j := range index {
		column := schema.Columns[j]
		low, high := math.Inf(1), math.Inf(-1)
		for _, g := range c.groups {
			for _, v := range g.values[k] {
				if isFinite(v) {
					low, high = min(low, v), max(high, v)
				}
			}
		}
		if low > high {
			return nil, fmt.Errorf("column %q has no finite value to draw", column.Name)
		}
		margin := cornerMargin * (high - low)
		if column.Kind == data.Integer || margin == 0 {
			margin = max(margin, pointMargin(low))
		}
		c.columns, c.low, c.high = append(c.columns, column), append(c.low, low-margin), append(c.high, high+margin)
	}
	return c, nil
}

// cornerStyle is how the points of class g look: classes beyond the number of colours have other shapes.
func cornerStyle(g int) draw.GlyphStyle {
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.CrossGlyph{}}
	at := onWhite.line(g)
	return draw.GlyphStyle{Shape: shapes[g/seriesColours%len(shapes)], Radius: 1.6,
		Color: color.NRGBA{at.R, at.G, at.B, 0xb0}} // what lies below is seen
}

// plot is that of row i and column j of the page.
func (c *corner) plot(i, j int) (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = color.White
	p.X.Padding, p.Y.Padding = 0, 0
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 11, 9
		axis.Tick.Marker = sparseTicks{axis.Tick.Marker}
	}
	p.X.Label.Text, p.Y.Label.Text = cut(c.columns[j].Name), cut(c.columns[i].Name)
	if i < len(c.columns)-1 {
		hideNames(&p.X)
	}
	var err error
	if i == j {
		p.Y.Label.Text = "share"
		err = c.addDistribution(p, j)
	} else {
		err = c.addPoints(p, i, j)
		p.Y.Min, p.Y.Max = c.low[i], c.high[i]
	}
	if j > 0 { // the names of the row stand at its left
		hideNames(&p.Y)
	}
	p.X.Min, p.X.Max = c.low[j], c.high[j]
	return p, err
}

// hideNames leaves the ticks of an axis without numbers.
func hideNames(axis *plot.Axis) {
	axis.Label.Text = ""
	axis.Tick.Marker = unnamedTicks{axis.Tick.Marker}
}

type unnamedTicks struct{ plot.Ticker }

func (t unnamedTicks) Ticks(low, high float64) []plot.Tick {
	ticks := t.Ticker.Ticks(low, high)
	for i := range ticks {
		ticks[i].Label = ""
	}
	return ticks
}

// sparseTicks leaves out the small ticks between the numbers.
type sparseTicks struct{ plot.Ticker }

func (t sparseTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, tick := range t.Ticker.Ticks(low, high) {
		if tick.Label != "" {
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// addPoints draws column i against column j.
func (c *corner) addPoints(p *plot.Plot, i, j int) error {
	for _, g := range c.groups {
		var points plotter.XYs
		for r, x := range g.values[j] {
			if y := g.values[i][r]; isFinite(x) && isFinite(y) {
				points = append(points, plotter.XY{X: x, Y: y})
			}
		}
		if len(points) == 0 {
			continue
		}
		scatter, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		scatter.GlyphStyle = g.style
		p.Add(scatter)
	}
	return nil
}

// addDistribution draws the histogram of column j, for each class the shares of its own rows.
func (c *corner) addDistribution(p *plot.Plot, j int) error {
	edges := c.edges(j)
	for _, g := range c.groups {
		share := shares(g.values[j], edges)
		filled := func(v float64) bool { return v > 0 }
		first := slices.IndexFunc(share, filled)
		if first < 0 {
			continue
		}
		steps := plotter.XYs{{X: edges[first]}}
		last := first
		for k := first; k < len(share); k++ {
			if filled(share[k]) {
				last = k
			}
			steps = append(steps, plotter.XY{X: edges[k], Y: share[k]}, plotter.XY{X: edges[k+1], Y: share[k]})
		}
		steps = steps[:1+2*(last-first+1)] // without a line along the axis
		outline, err := plotter.NewLine(append(steps, plotter.XY{X: edges[last+1]}))
		if err != nil {
			return err
		}
		outline.Color, outline.Width = g.style.Color, 1.2
		p.Add(outline)
	}
	p.Y.Min = 0
	return nil
}

// shares are those of the finite values that lie in each bin of equal width, of which edges has the ends; all 0 where there is no value.
func shares(values, edges []float64) []float64 {
	bins := len(edges) - 1
	share := make([]float64, bins)
	n := 0.0
	for _, v := range values {
		if isFinite(v) {
			k := int(float64(bins) * (v - edges[0]) / (edges[bins] - edges[0]))
			share[max(0, min(k, bins-1))]++
			n++
		}
	}
	for k := range share {
		share[k] /= max(n, 1)
	}
	return share
}

// edges are those of the bins of a histogram: a bin for each whole number or, where there are too many or none, as many bins as the
// root of the number of rows of the largest class.
func (c *corner) edges(j int) []float64 {
	low, high := c.low[j], c.high[j]
	n := 0
	for _, g := range c.groups {
		n = max(n, len(g.values[j]))
	}
	bins := max(5, min(cornerBins, int(math.Sqrt(float64(n)))))
	if c.columns[j].Kind == data.Integer {
		first, last := math.Floor(low+0.5), math.Ceil(high-0.5)
		if span := last - first + 1; span <= cornerBins {
			low, high, bins = first-0.5, last+0.5, int(span)
		}
	}
	edges := make([]float64, bins+1)
	for k := range edges {
		edges[k] = low + (high-low)*float64(k)/float64(bins)
	}
	return edges
}

// legend names the classes in the upper right corner of the page.
func (c *corner) legend() plot.Legend {
	l := plot.NewLegend()
	l.Top, l.Padding = true, 1
	l.TextStyle.Font.Size = 10
	shown := slices.DeleteFunc(slices.Clone(c.groups), func(g cornerGroup) bool { return g.name == "" || len(g.values[0]) == 0 })
	for i, g := range shown {
		if i == cornerClasses {
			l.Add(fmt.Sprintf("and %d more", len(shown)-i))
			break
		}
		style := g.style
		style.Radius = 3
		l.Add(cut(g.name), &plotter.Scatter{GlyphStyle: style})
	}
	return l
}
