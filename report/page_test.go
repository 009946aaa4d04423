package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/measure"
)

func line(name string, y ...float64) Series {
	s := Series{Name: name, Y: y}
	for i := range y {
		s.X = append(s.X, float64(i)/float64(max(len(y)-1, 1)))
	}
	return s
}

func twoFrames(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	frame := image.NewGray(image.Rect(0, 0, 30, 20))
	if err := Animation(&file, []image.Image{frame, frame}, time.Second, 1); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// fullPage has one of everything.
func fullPage(t *testing.T) *Page {
	t.Helper()
	figure := func(f Figure, err error) Figure {
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	floor := measure.Estimate{Value: 0.91234, StandardError: 0.05}.As(measure.About{})
	return &Page{
		Title: `Digits & <letters>`,
		Lead:  "What was learned.",
		Sections: []Section{{
			Title:   "Everything",
			Text:    []string{"One paragraph."},
			Facts:   []Fact{{"examples", "1,437"}},
			Command: "likely quickstart --seed 1",
			Figures: []Figure{
				figure(Loss("Loss by epoch.", "The loss falls.", "", line("training", 2, 1, math.NaN(), 0.5), line("validation", 2, 1.5, 1.2, 1.1))),
				figure(ROC("ROC curve.", `The curve is "high".`, line("class 1", 0, 0.9, 1))),
				figure(Reliability("Reliability.", "Close to the diagonal.", line("", 0.1, 0.5, 0.9))),
				figure(Animated("Progress.", "Two frames.", twoFrames(t))),
				figure(Pictures("Samples.", "Two ramps.", ramp(data.Shape{Height: 4, Width: 4, Channels: 3}, 2, 255), GridOptions{})),
			},
			Measures: []Measure{
				{Measure: measure.Estimate{Value: 2.345, StandardError: 0.113}.As(measure.Lower("frechet", "squared features")), Floor: &floor},
				{Measure: measure.Estimate{Value: 0.98, StandardError: 0.0071}.As(measure.Higher("accuracy", "share"))},
			},
			Tables:    []Table{{Caption: "A table.", Columns: []Column{{Name: "setting"}, {Name: "value", Number: true}}, Rows: [][]string{{"<i>", "1e-3"}}}},
			Formula:   "−(1/n) Σ<sub>i</sub> log p(x<sub>i</sub>)",
			Confusion: &Confusion{Caption: "Decisions.", Rows: "true", Columns: "predicted", Classes: []string{"a", "<b>"}, Counts: [][]int{{3, 1}, {0, 0}}},
		}},
		Footer: "Made by likely.",
	}
}

func write(t *testing.T, p *Page) string {
	t.Helper()
	var file bytes.Buffer
	if err := p.WriteHTML(&file); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func TestPageIsSelfContained(t *testing.T) {
	page := write(t, fullPage(t))
	for _, outside := range []string{"http:", "https:", "<script", "@import", "url("} {
		if strings.Contains(page, outside) {
			t.Errorf("the page contains %q, expected nothing that is loaded", outside)
		}
	}
	for _, src := range regexp.MustCompile(`src="[^"]{0,22}`).FindAllString(page, -1) {
		if !embeddedPicture.MatchString(strings.TrimPrefix(src, `src="`)) {
			t.Errorf("the page loads %s", src)
		}
	}
	if page != write(t, fullPage(t)) {
		t.Error("the same page is written differently")
	}
}

func TestPageShowsEverythingEscaped(t *testing.T) {
	page := write(t, fullPage(t))
	for _, want := range []string{
		"<h1>Digits &amp; &lt;letters&gt;</h1>", "One paragraph.", "1,437", "likely quickstart --seed 1",
		`aria-label="The loss falls."`, `aria-label="The curve is &#34;high&#34;."`, `alt="Two ramps."`, `width="30" height="20" alt="Two frames."`, "Reliability.",
		"2.35 ± 0.11", "0.912 ± 0.050<", "&lt;i&gt;", "Σ<sub>i</sub>", "0.9800 ± 0.0071", "&lt;b&gt;", "--share: 75%", "--share: 0%", "prefers-color-scheme: dark", "@media print",
		"var(--line-2)", ">validation<", "Made by likely.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("the page has a value that its template refused")
	}
}

// TestPlotsAreWellFormed parses the plots as XML, and checks that every colour of a plot comes from the page.
func TestPlotsAreWellFormed(t *testing.T) {
	many := make([]Series, 2*seriesColours)
	for i := range many {
		many[i] = line(fmt.Sprint("class ", i), 0, 0.5+float64(i)/100, 1)
	}
	f, err := ROC("", `<&">`, many...)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(string(f.Content())))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if hex := regexp.MustCompile(`#[0-9A-F]{6}`).FindString(string(f.Content())); hex != "" {
		t.Errorf("colour %s does not follow the page", hex)
	}
	if n := len(f.Legend()); n != len(many) || f.Legend()[0].Dashed || !f.Legend()[n-1].Dashed {
		t.Errorf("legend %+v", f.Legend())
	}
}

func TestThinKeepsBothEnds(t *testing.T) {
	long := Series{}
	for i := range 10007 {
		long.X, long.Y = append(long.X, float64(i)), append(long.Y, 0)
	}
	x := long.finite().thin().X
	if len(x) != maxPoints || x[0] != 0 || x[maxPoints-1] != 10006 {
		t.Errorf("%d points from %v to %v", len(x), x[0], x[len(x)-1])
	}
}

func TestMeasureShown(t *testing.T) {
	for _, c := range []struct {
		value, standardError float64
		want                 string
	}{
		{0.98123, 0.0071, "0.9812 ± 0.0071"},
		{171.813, 0.52, "171.81 ± 0.52"},
		{17181.3, 520, "17181 ± 520"},
		{0.98123, 0, "0.9812"},
		{0.98123, math.NaN(), "0.9812"},
		{math.Inf(1), math.NaN(), "infinite"},
		{math.Inf(-1), 1, "minus infinite"},
		{math.NaN(), 1, "undefined"},
	} {
		if got := Shown(measure.Estimate{Value: c.value, StandardError: c.standardError}.As(measure.About{})); got != c.want {
			t.Errorf("%v ± %v is shown as %q, expected %q", c.value, c.standardError, got, c.want)
		}
	}
}

func TestFigureErrors(t *testing.T) {
	if _, err := Loss("", "", "", Series{Name: "a", X: []float64{1}}); err == nil || !strings.Contains(err.Error(), "1 x and 0 y") {
		t.Errorf("a line with more x than y: error %v", err)
	}
	if _, err := Loss("", "", "", line("a", math.NaN(), math.Inf(1))); err == nil || !strings.Contains(err.Error(), "no finite points") {
		t.Errorf("a line of nothing: error %v", err)
	}
	if _, err := Pictures("", "", data.NewBatch(data.RowShape(2), 1, false), GridOptions{}); err == nil {
		t.Error("table rows as pictures: no error")
	}
	p := Page{Sections: []Section{{Title: "one", Confusion: &Confusion{Classes: []string{"a"}, Counts: [][]int{{1, 2}}}}}}
	if err := p.WriteHTML(io.Discard); err == nil || !strings.Contains(err.Error(), `section "one"`) {
		t.Errorf("an uneven confusion table: error %v", err)
	}
}
