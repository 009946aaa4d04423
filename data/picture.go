package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// pictureExtensions are the file names that are taken for pictures.
var pictureExtensions = []string{".png", ".jpg", ".jpeg", ".gif", ".webp"}

func isPictureFile(name string) bool {
	return !strings.HasPrefix(filepath.Base(name), ".") && slices.Contains(pictureExtensions, strings.ToLower(filepath.Ext(name)))
}

// pictureHeader reads as much of a picture as its size needs. grey reports whether its pixels can only be grey.
func pictureHeader(path string) (size image.Point, grey bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return size, false, err
	}
	defer f.Close()
	config, _, err := image.DecodeConfig(f)
	if err == nil {
		err = checkSize(config)
	}
	if err != nil {
		return size, false, pictureError(path, err)
	}
	grey = config.ColorModel == color.GrayModel || config.ColorModel == color.Gray16Model
	return image.Pt(config.Width, config.Height), grey, nil
}

// checkSize refuses what only a damaged header asks for, before memory is set aside for it.
func checkSize(c image.Config) error {
	if c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide {
		return fmt.Errorf("%dx%d pixels, expected 1 to %d on each side", c.Width, c.Height, maxSide)
	}
	return nil
}

func pictureError(path string, err error) error {
	var file *os.PathError
	if errors.As(err, &file) {
		return err
	}
	return fmt.Errorf("%s: cannot read the picture (%w); replace it or remove it, or skip bad pictures (--skip-bad)", path, err)
}

// readPicture decodes the file at path into dst, row-major HWC in the given shape with 1 or 3 channels.
func readPicture(dst []uint8, path string, shape Shape) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	canvas, err := decodePicture(raw)
	if err != nil {
		return pictureError(path, err)
	}
	flatten(dst, resize(canvas, shape), shape)
	return nil
}

// decodePicture decodes a PNG, JPEG, GIF (its first frame) or WebP picture over a white ground, so that what is
// transparent becomes white. The orientation that a camera notes in a JPEG is not applied.
func decodePicture(raw []byte) (*image.RGBA, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if err := checkSize(config); err != nil {
		return nil, err
	}
	m, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	// The first frame of a GIF may cover only a part of the picture, which is why the size comes from the header.
	canvas := image.NewRGBA(image.Rect(0, 0, config.Width, config.Height))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(canvas, m.Bounds(), m, m.Bounds().Min, draw.Over)
	return canvas, nil
}

// resize scales m to the height and width of shape with the Catmull-Rom kernel, widened by the scale where the picture
// shrinks, so that every source pixel counts. (E. Catmull, R. Rom, "A class of local interpolating splines", 1974.)
func resize(m *image.RGBA, shape Shape) *image.RGBA {
	to := image.Rect(0, 0, shape.Width, shape.Height)
	if m.Bounds() == to {
		return m
	}
	out := image.NewRGBA(to)
	draw.CatmullRom.Scale(out, to, m, m.Bounds(), draw.Src, nil)
	return out
}

// flatten writes the pixels of m to dst: red, green and blue for three channels, the luma of ITU-R BT.601 for one. The
// luma of a pixel with three equal parts is that part exactly.
func flatten(dst []uint8, m *image.RGBA, shape Shape) {
	for i := range shape.Height * shape.Width {
		px := m.Pix[4*i : 4*i+3]
		if shape.Channels == 3 {
			copy(dst[3*i:3*i+3], px)
		} else {
			dst[i] = luma(px)
		}
	}
}

// luma is 0.299 R + 0.587 G + 0.114 B, rounded, by weights in units of 2^-16 that add up to 1.
func luma(px []uint8) uint8 {
	return uint8((19595*uint32(px[0]) + 38470*uint32(px[1]) + 7471*uint32(px[2]) + 1<<15) >> 16)
}

// inflate is the inverse of flatten: it draws row-major pixels of the given shape.
func inflate(src []uint8, shape Shape) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, shape.Width, shape.Height))
	for i := range shape.Height * shape.Width {
		px := m.Pix[4*i : 4*i+4]
		if shape.Channels == 3 {
			copy(px, src[3*i:3*i+3])
		} else {
			px[0], px[1], px[2] = src[i], src[i], src[i]
		}
		px[3] = 255
	}
	return m
}
