package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
)

// Page is a report: one HTML file that holds its pictures and style and loads nothing, follows the reader's choice of
// light or dark, and prints.
type Page struct {
	Title    string
	Lead     string // one or two sentences below the title
	Sections []Section
	Footer   string // such as the version of the program
}

// Section is a part of a page. What it has is shown in the order of the fields.
type Section struct {
	Title     string
	Text      []string // paragraphs
	Facts     []Fact
	Command   string // what to type to get this again
	Figures   []Figure
	Measures  []Measure
	Confusion *Confusion
}

// HasFloor reports whether any measure has a floor to show.
func (s Section) HasFloor() bool {
	return slices.ContainsFunc(s.Measures, func(m Measure) bool { return m.Floor != nil })
}

// Fact is a name and a value, such as "examples" and "1,437".
type Fact struct{ Name, Value string }

// Measure is a row of a table of measures.
type Measure struct {
	Name          string
	Value         float64
	StandardError float64 // 0 or NaN: none is shown
	Unit          string
	Kind          string   // exact, bound, estimate or approximation
	Better        string   // "higher" or "lower"
	Floor         *float64 // what real data reaches by the same measure; nil: none
}

// Shown is the value and its standard error, both to the second significant digit of the error, or the value to four
// digits where there is no error.
func (m Measure) Shown() string { return withError(m.Value, m.StandardError) }

// ShownFloor is the floor to the same digits as the value.
func (m Measure) ShownFloor() string {
	if m.Floor == nil {
		return ""
	}
	if !(m.StandardError > 0) || math.IsInf(m.StandardError, 0) {
		return withError(*m.Floor, 0)
	}
	return strconv.FormatFloat(*m.Floor, 'f', decimals(m.StandardError), 64)
}

func withError(value, standardError float64) string {
	switch {
	case math.IsNaN(value):
		return "undefined"
	case math.IsInf(value, 1):
		return "infinite"
	case math.IsInf(value, -1):
		return "minus infinite"
	case !(standardError > 0) || math.IsInf(standardError, 0):
		return strconv.FormatFloat(value, 'g', 4, 64)
	}
	d := decimals(standardError)
	return fmt.Sprintf("%.*f ± %.*f", d, value, d, standardError)
}

// decimals is how many decimals show two significant digits of an error.
func decimals(standardError float64) int {
	return min(max(1-int(math.Floor(math.Log10(standardError))), 0), 12)
}

// Confusion is a table of decisions: Counts[k][l] examples of class k were taken for class l.
type Confusion struct {
	Caption       string
	Rows, Columns string // what the two are, such as "true class" and "predicted class"
	Classes       []string
	Counts        [][]int
}

// check reports whether there is a row and a column for every class.
func (c *Confusion) check() error {
	if c == nil {
		return nil
	}
	if len(c.Counts) != len(c.Classes) {
		return fmt.Errorf("confusion table of %d rows for %d classes, expected one each", len(c.Counts), len(c.Classes))
	}
	for k, row := range c.Counts {
		if len(row) != len(c.Classes) {
			return fmt.Errorf("confusion table with %d counts in row %d, expected %d", len(row), k, len(c.Classes))
		}
	}
	return nil
}

// Cell is one count with its share of the row, from 0 to 100.
type Cell struct {
	Count, Percent int
	Right          bool
}

// Cells are the counts as the page shows them.
func (c *Confusion) Cells() [][]Cell {
	out := make([][]Cell, len(c.Counts))
	for k, row := range c.Counts {
		total := 0
		for _, n := range row {
			total += n
		}
		for l, n := range row {
			percent := math.Round(100 * float64(n) / float64(max(total, 1)))
			out[k] = append(out[k], Cell{Count: n, Percent: int(percent), Right: k == l})
		}
	}
	return out
}

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// WriteHTML writes the page as one self-contained HTML file.
func (p *Page) WriteHTML(w io.Writer) error {
	for _, s := range p.Sections {
		if err := s.Confusion.check(); err != nil {
			return fmt.Errorf("section %q: %w", s.Title, err)
		}
	}
	return pageTemplate.Execute(w, p)
}
