package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/gif"

	"github.com/likely-ml/likely/data"
)

// Figure is a picture or a plot with what is said about it. It is made by Pictures, Animated, Plot and the functions that call it.
type Figure struct {
	Caption string
	Alt     string // what is to be seen, in words, for those who do not see it
	content template.HTML
	legend  []Key
	wide    bool // takes the whole width of the page
}

// Key is an entry of a legend: how the line of that name is drawn.
type Key struct {
	Name   string
	Colour template.CSS
	Dashed bool
}

// Legend names the lines of a plot, where there is more than one.
func (f Figure) Legend() []Key { return f.legend }

// Content is the HTML element of the figure.
func (f Figure) Content() template.HTML { return f.content }

// Wide reports whether the figure takes the whole width of the page.
func (f Figure) Wide() bool { return f.wide }

// Pictures is a page of pictures, drawn by Grid and held within the report.
func Pictures(caption, alt string, b data.Batch, o GridOptions) (Figure, error) {
	page, err := Draw(b, o)
	if err != nil {
		return Figure{}, err
	}
	var file bytes.Buffer
	if err := encode(&file, page); err != nil {
		return Figure{}, err
	}
	bounds := page.Bounds()
	return Figure{Caption: caption, Alt: alt, content: embedded("png", file.Bytes(), bounds.Dx(), bounds.Dy(), alt), wide: true}, nil
}

// Animated is an animation, a file as Animation writes it, held within the report.
func Animated(caption, alt string, file []byte) (Figure, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return Figure{}, err
	}
	return Figure{Caption: caption, Alt: alt, content: embedded("gif", file, c.Width, c.Height, alt)}, nil
}

// embedded is an element that holds the file of a picture.
func embedded(format string, file []byte, width, height int, alt string) template.HTML {
	return template.HTML(fmt.Sprintf(`<img src="data:image/%s;base64,%s" width="%d" height="%d" alt="%s"/>`,
		format, base64.StdEncoding.EncodeToString(file), width, height, template.HTMLEscapeString(alt)))
}

// Plot draws lines over axes. Where there are several, a legend names them.
func Plot(caption, alt string, a Axes, lines ...Series) (Figure, error) {
	content, err := svg(alt, a, lines)
	f := Figure{Caption: caption, Alt: alt, content: content}
	if len(lines) > 1 {
		for i, s := range lines {
			f.legend = append(f.legend, Key{Name: s.Name, Colour: template.CSS(seriesColour(i).css), Dashed: dashed(i)})
		}
	}
	return f, err
}

// Loss plots what training made smaller, in nats per example unless unit says otherwise, against the epoch.
func Loss(caption, alt, unit string, lines ...Series) (Figure, error) {
	if unit == "" {
		unit = "nats per example"
	}
	return Plot(caption, alt, Axes{X: "epoch", Y: "loss (" + unit + ")"}, lines...)
}

// ROC plots curves of true against false positive rates.
func ROC(caption, alt string, lines ...Series) (Figure, error) {
	return Plot(caption, alt, Axes{X: "false positive rate", Y: "true positive rate", Unit: true, Diagonal: true}, lines...)
}

// PrecisionRecall plots curves of precision, the share of decisions for a class that are right, against recall, the share of the
// class that is found.
func PrecisionRecall(caption, alt string, lines ...Series) (Figure, error) {
	return Plot(caption, alt, Axes{X: "recall", Y: "precision", Unit: true}, lines...)
}

// Reliability plots the share of right decisions against the confidence that they were made with: on the diagonal a
// model is as often right as it says.
func Reliability(caption, alt string, lines ...Series) (Figure, error) {
	return Plot(caption, alt, Axes{X: "confidence", Y: "share of right decisions", Unit: true, Diagonal: true, Dots: true}, lines...)
}
