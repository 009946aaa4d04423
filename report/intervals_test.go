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

func intervalPlot() IntervalPlot {
	return IntervalPlot{Title: "set", X: "real examples", Y: "accuracy", Lines: []IntervalSeries{
		{"real", []float64{20, 1000}, []float64{0.5, 0.8}, []float64{0.4, 0.7}, []float64{0.6, 0.9}},
		{"both <&>", []float64{20, 1000}, []float64{0.6, 0.7}, []float64{0.5, 0.6}, []float64{0.7, 0.9}},
	}}
}

func TestIntervalPlot(t *testing.T) {
	var a, b, picture bytes.Buffer
	p := intervalPlot()
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

func TestIntervalPlotRefuses(t *testing.T) {
	for what, spoil := range map[string]func(*IntervalPlot){
		"no lines":        func(p *IntervalPlot) { p.Lines = nil },
		"no points":       func(p *IntervalPlot) { p.Lines[0] = IntervalSeries{} },
		"too few bars":    func(p *IntervalPlot) { p.Lines[1].High = p.Lines[1].High[:1] },
		"x of 0":          func(p *IntervalPlot) { p.Lines[0].X[0] = 0 },
		"a bar to NaN":    func(p *IntervalPlot) { p.Lines[0].Low[1] = math.NaN() },
		"an infinite bar": func(p *IntervalPlot) { p.Lines[0].High[1] = math.Inf(1) },
		"infinite bars":   func(p *IntervalPlot) { p.Lines[0].Low[1], p.Lines[0].High[1] = math.Inf(-1), math.Inf(1) },
	} {
		p := intervalPlot()
		spoil(&p)
		if err := p.SVG(io.Discard); err == nil {
			t.Errorf("%s: expected an error", what)
		}
	}
}
