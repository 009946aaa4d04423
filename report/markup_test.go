package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

var embeddedPicture = regexp.MustCompile(`^data:image/(png|gif);base64,`)

// checkMarkup reads a page as strict XML, which its HTML is too, and finds what a reader with a screen reader or a keyboard, or
// without a network, would miss: pictures without a description, headers of no column, links that lead out of the page or nowhere.
func checkMarkup(page string) error {
	d := xml.NewDecoder(strings.NewReader(page))
	targets, links, headings := map[string]bool{}, []string{}, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attributes := map[string]string{}
		for _, a := range e.Attr {
			attributes[a.Name.Local] = a.Value
		}
		if id := attributes["id"]; id != "" {
			if targets[id] {
				return fmt.Errorf("two elements have the id %q", id)
			}
			targets[id] = true
		}
		switch name := e.Name.Local; {
		case name == "img" && (attributes["alt"] == "" || !embeddedPicture.MatchString(attributes["src"])):
			return fmt.Errorf("img with alt %q and src %.30q", attributes["alt"], attributes["src"])
		case name == "svg" && (attributes["role"] != "img" || attributes["aria-label"] == ""):
			return fmt.Errorf("svg with role %q and label %q", attributes["role"], attributes["aria-label"])
		case name == "th" && attributes["scope"] == "":
			return errors.New("th without scope")
		case name == "a":
			links = append(links, attributes["href"])
		case name == "h1":
			headings++
		case name == "script" || name == "link" || name == "iframe" || name == "object":
			return fmt.Errorf("element %s", name)
		}
	}
	for _, l := range links {
		if !strings.HasPrefix(l, "#") || !targets[l[1:]] {
			return fmt.Errorf("link to %q, which is not on the page", l)
		}
	}
	if headings != 1 {
		return fmt.Errorf("%d headings of the first level, expected 1", headings)
	}
	return nil
}

func TestMarkup(t *testing.T) {
	p := fullPage(t)
	p.Sections = append(p.Sections, p.Sections[0], p.Sections[0], p.Sections[0]) // long enough for a list of contents
	page := write(t, p)
	if err := checkMarkup(page); err != nil {
		t.Error(err)
	}
	if !strings.Contains(page, `href="#section-3"`) {
		t.Error("the page lists no contents")
	}
	// The check finds what it is for.
	for _, c := range []struct{ right, wrong string }{
		{` alt="Two ramps."`, ``}, {`role="img"`, ``}, {`scope="col"`, ``}, {`href="#section-3"`, `href="#section-9"`},
		{`href="#section-3"`, `href="elsewhere"`}, {`</section>`, ``}, {`<footer>`, `<script/><footer>`},
	} {
		if checkMarkup(strings.Replace(page, c.right, c.wrong, 1)) == nil {
			t.Errorf("a page with %q in the place of %q passes", c.wrong, c.right)
		}
	}
}

// TestHostileNames has texts that would end their element or attribute.
func TestHostileNames(t *testing.T) {
	hostile := `</td></script><script>alert(1)</script>" onload="alert(1)` + "\x00\u202e"
	p := fullPage(t)
	s := &p.Sections[0]
	p.Title, p.Lead, p.Footer, s.Title, s.Command = hostile, hostile, hostile, hostile, hostile
	s.Text, s.Facts = []string{hostile}, []Fact{{hostile, hostile}}
	s.Tables[0].Caption, s.Tables[0].Columns[0].Name, s.Tables[0].Rows[0] = hostile, hostile, []string{hostile, hostile}
	s.Confusion.Caption, s.Confusion.Classes[0], s.Measures[0].Name, s.Measures[0].Unit = hostile, hostile, hostile, hostile
	f, err := Plot(hostile, hostile, Axes{X: hostile, Y: hostile}, line(hostile, 1, 2), line(hostile, 2, 1))
	if err != nil {
		t.Fatal(err)
	}
	s.Figures = []Figure{f}
	page := write(t, p)
	if err := checkMarkup(page); err != nil {
		t.Error(err)
	}
	for _, inside := range []string{"<script", `" onload`} {
		if strings.Contains(page, inside) {
			t.Errorf("the page contains %q", inside)
		}
	}
}
