package report

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
)

func plotFile() PlotFile {
	return PlotFile{Title: "set", Axes: Axes{X: "real examples", Y: "accuracy", Dots: true, Log: true}, Lines: []Series{
		{"real", []float64{20, 1000}, []float64{0.5, 0.8}, []float64{0.4, 0.7}, []float64{0.6, 0.9}},
		{"both <&>", []float64{20, 1000}, []float64{0.6, 0.7}, []float64{0.5, 0.6}, []float64{0.7, 0.9}},
	}}
}

func TestPlotFile(t *testing.T) {
	var a, b, picture bytes.Buffer
	p := plotFile()
	if err := p.SVG(&a); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"real examples", "accuracy", ">1000<", "both &lt;&amp;&gt;", "#0B62C4", "#C2500A"} {
		if !strings.Contains(a.String(), want) {
			t.Errorf("the plot lacks %q", want)
		}
	}
	for d := xml.NewDecoder(bytes.NewReader(a.Bytes())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("no XML: %v", err)
		}
	}
	if err := p.SVG(&b); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("the same plot is drawn differently (%v)", err)
	}
	if err := p.PNG(&picture); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&picture)
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X != 1200 || s.Y != 840 {
		t.Errorf("the picture is %v, expected 1200x840", s)
	}
}

func TestPlotFileRefuses(t *testing.T) {
	for what, spoil := range map[string]func(*PlotFile){
		"no lines":     func(p *PlotFile) { p.Lines = nil },
		"no points":    func(p *PlotFile) { p.Lines[0] = Series{}; p.Lines[1] = Series{} },
		"too few bars": func(p *PlotFile) { p.Lines[1].High = p.Lines[1].High[:1] },
		"x of 0":       func(p *PlotFile) { p.Lines[0].X[0] = 0 },
		"no finite bar": func(p *PlotFile) {
			p.Lines = p.Lines[:1]
			p.Lines[0].Low[0], p.Lines[0].High[1] = math.NaN(), math.Inf(1)
		},
	} {
		p := plotFile()
		spoil(&p)
		if err := p.SVG(io.Discard); err == nil {
			t.Errorf("%s: expected an error", what)
		}
	}
}

// Bars of two lines at one X stand side by side, and the lines of the caller stay as they were.
func TestLinesStandAside(t *testing.T) {
	p := plotFile()
	f, err := drawn(p.Axes, p.Lines, onPage)
	if err != nil {
		t.Fatal(err)
	}
	low, high := 20/math.Sqrt(dodge)/logMargin, 1000*math.Sqrt(dodge)*logMargin
	if !(math.Abs(f.X.Min-low) < 1e-9 && math.Abs(f.X.Max-high) < 1e-9) {
		t.Errorf("the axis runs from %v to %v, expected %v to %v", f.X.Min, f.X.Max, low, high)
	}
	if p.Lines[0].X[0] != 20 || p.Lines[1].X[1] != 1000 {
		t.Errorf("the lines have moved: %v", p.Lines)
	}
}

// A plot of one value has axes, however large the value is.
func TestPlotOfOneValue(t *testing.T) {
	for _, v := range []float64{0, -2, 1e9, 1e17, -3e38} {
		if _, err := Plot("set", "one value", Axes{X: "column", Y: "value"}, Series{Name: "data", X: []float64{v, v}, Y: []float64{v, v}}); err != nil {
			t.Errorf("%v: %v", v, err)
		}
		if _, err := Plot("set", "a step", Axes{X: "column", Y: "share"}, Cumulative("data", []float64{v, v, v})); err != nil {
			t.Errorf("%v: %v", v, err)
		}
	}
}
