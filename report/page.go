package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/likely-ml/likely/measure"
)

// Page is a report: one HTML file that holds its pictures and style and loads nothing, follows the reader's choice of
// light or dark, and prints.
type Page struct {
	Title    string
	Lead     string // what it comes to, in one or two sentences below the title
	Sections []Section
	Footer   string // such as the version of the program
}

// Section is a part of a page. What it has is shown in the order of the fields.
type Section struct {
	Title     string
	Text      []string      // paragraphs
	Formula   template.HTML // what is measured; only of constant texts
	Facts     []Fact
	Command   string // what to type to get this again
	Figures   []Figure
	Measures  []Measure
	Tables    []Table
	Confusion *Confusion
}

// HasFloor reports whether any measure has a floor to show.
func (s Section) HasFloor() bool {
	return slices.ContainsFunc(s.Measures, func(m Measure) bool { return m.Floor != nil })
}

// HasIntervals reports whether any measure has an interval to show.
func (s Section) HasIntervals() bool {
	return slices.ContainsFunc(s.Measures, func(m Measure) bool { return m.Interval != nil })
}

// Fact is a name and a value, such as "examples" and "1,437".
type Fact struct{ Name, Value string }

// Measure is a row of a table of measures.
type Measure struct {
	measure.Measure
	Floor *measure.Measure // what real data reaches by the same measure; nil: none
}

// Better is the direction in which the measure improves.
func (m Measure) Better() string {
	if m.HigherIsBetter {
		return "higher"
	}
	return "lower"
}

// Shown is the value with its error, as Shown writes it.
func (m Measure) Shown() string { return Shown(m.Measure) }

// ShownInterval is the interval of 95%, to the digits of the value.
func (m Measure) ShownInterval() string {
	if m.Interval == nil {
		return ""
	}
	d := decimals(m.Interval.High - m.Interval.Low)
	return fmt.Sprintf("%.*f to %.*f", d, m.Interval.Low, d, m.Interval.High)
}

// ShownFloor is the floor likewise.
func (m Measure) ShownFloor() string {
	if m.Floor == nil {
		return ""
	}
	return Shown(*m.Floor)
}

// Shown writes a value and its standard error, both to the second significant digit of the error, or to four digits where
// there is no error. An integral has the bound on its error in parentheses.
func Shown(m measure.Measure) string {
	text := withError(m.Value, m.StandardError)
	if m.Kind == measure.KindIntegral && m.ErrorBound > 0 {
		text += fmt.Sprintf(" (error at most %.1g)", m.ErrorBound)
	}
	return text
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
	if !(standardError > 0) || math.IsInf(standardError, 0) {
		return 4
	}
	return min(max(1-int(math.Floor(math.Log10(standardError))), 0), 12)
}

// Table is a table of texts. The first cell of each row names it.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]string // a cell for each column
}

// Column is a column of a table.
type Column struct {
	Name   string
	Number bool // set to the right
}

// check reports whether every row has a cell for each column.
func (t Table) check() error {
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return fmt.Errorf("table %q has %d cells in row %d, expected %d", t.Caption, len(row), i, len(t.Columns))
		}
	}
	return nil
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

// HasContents reports whether the page is long enough for a list of its sections.
func (p *Page) HasContents() bool { return len(p.Sections) > 3 }

// WriteHTML writes the page as one self-contained HTML file.
func (p *Page) WriteHTML(w io.Writer) error {
	for _, s := range p.Sections {
		if err := s.Confusion.check(); err != nil {
			return fmt.Errorf("section %q: %w", s.Title, err)
		}
		for _, t := range s.Tables {
			if err := t.check(); err != nil {
				return fmt.Errorf("section %q: %w", s.Title, err)
			}
		}
	}
	return pageTemplate.Execute(w, p)
}
