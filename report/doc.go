// Package report draws what models make and how well they do: pages of pictures as PNG, curves as SVG, and a report as
// one HTML file that needs no network. It draws what it is given and computes no measure itself.
package report
