package data

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// IDX is the format of the MNIST files: big-endian, two zero bytes, the element type, the number of axes, the length of
// each axis in four bytes, then the elements, the last axis fastest. (Y. LeCun, C. Cortes, C. Burges, "The MNIST database
// of handwritten digits".) Pictures are unsigned bytes (n, height, width) or (n, height, width, channels); labels are
// unsigned bytes (n).

const idxUint8 = 0x08

// idxTypes names the element types of the format.
var idxTypes = map[byte]string{0x08: "unsigned byte", 0x09: "signed byte", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}

// idxHeader is the head of an IDX file of unsigned bytes.
type idxHeader struct {
	dims []int
	data int64 // offset of the first element
}

// String gives the lengths of the axes as in "60000 x 28 x 28".
func (h idxHeader) String() string {
	text := make([]string, len(h.dims))
	for i, d := range h.dims {
		text[i] = strconv.Itoa(d)
	}
	return strings.Join(text, " x ")
}

// readIDXHeader reads and checks the head of b against its size. what says what the file should hold.
func readIDXHeader(b *blob, what string) (h idxHeader, err error) {
	r, done, err := b.open()
	if err != nil {
		return h, err
	}
	defer done()
	head := make([]byte, min(b.size, 4+4*4))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return h, fmt.Errorf("%s: %w", b.name, err)
	}
	if len(head) < 4 {
		return h, fmt.Errorf("%s: truncated at byte %d, expected an IDX header of at least 4 bytes; fetch the file again", b.name, len(head))
	}
	if head[0] != 0 || head[1] != 0 || idxTypes[head[2]] == "" {
		return h, fmt.Errorf("%s: byte 0: magic 0x%x, expected 0x0000%02xNN for IDX %s; check that it is the right file", b.name, head[:4], idxUint8, what)
	}
	if head[2] != idxUint8 {
		return h, fmt.Errorf("%s: byte 2: elements are %s, expected unsigned byte (0x08) for %s", b.name, idxTypes[head[2]], what)
	}
	axes := int(head[3])
	if axes < 1 || axes > 4 {
		return h, fmt.Errorf("%s: byte 3: %d axes, expected 1 to 4", b.name, axes)
	}
	h.data = int64(4 + 4*axes)
	if int64(len(head)) < h.data {
		return h, fmt.Errorf("%s: truncated at byte %d, expected an IDX header of %d bytes; fetch the file again", b.name, len(head), h.data)
	}
	const limit = 1 << 50 // so that no product overflows
	count := int64(1)
	for i := range axes {
		d := int64(binary.BigEndian.Uint32(head[4+4*i:]))
		if d > 0 && count > limit/d {
			return h, fmt.Errorf("%s: byte %d: axis of length %d makes more than 2^50 elements; the header is damaged, fetch the file again", b.name, 4+4*i, d)
		}
		count *= d
		h.dims = append(h.dims, int(d))
	}
	switch want := h.data + count; {
	case b.size < want:
		return h, fmt.Errorf("%s: truncated at byte %d, expected %d bytes for %v %s; fetch the file again", b.name, b.size, want, h, what)
	case b.size > want:
		return h, fmt.Errorf("%s: %d bytes after the end at byte %d, expected none after %v %s; fetch the file again", b.name, b.size-want, want, h, what)
	}
	return h, nil
}

// readIDXLabels reads a file of labels.
func readIDXLabels(ctx context.Context, path string, limit int64) ([]uint8, error) {
	b, err := openBlob(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	h, err := readIDXHeader(b, "labels")
	if err != nil {
		return nil, err
	}
	if len(h.dims) != 1 {
		return nil, fmt.Errorf("%s: byte 3: %d axes, expected 1 for labels", path, len(h.dims))
	}
	r, done, err := b.open()
	if err != nil {
		return nil, err
	}
	defer done()
	y := make([]uint8, h.dims[0])
	if n, err := r.ReadAt(y, h.data); n < len(y) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return y, nil
}

// idxPictures is a file of pictures that has been looked at but not read.
type idxPictures struct {
	blob  *blob
	head  idxHeader
	shape Shape
}

// openIDXPictures checks a file of pictures.
func openIDXPictures(ctx context.Context, path string, limit int64) (*idxPictures, error) {
	b, err := openBlob(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	h, err := readIDXHeader(b, "pictures")
	if err != nil {
		return nil, err
	}
	if len(h.dims) < 3 {
		return nil, fmt.Errorf("%s: byte 3: %d axes, expected 3 (n, height, width) or 4 (n, height, width, channels) for pictures", path, len(h.dims))
	}
	shape := Shape{Height: h.dims[1], Width: h.dims[2], Channels: 1}
	if len(h.dims) == 4 {
		shape.Channels = h.dims[3]
	}
	if !shape.IsImage() || shape.Height < 1 || shape.Width < 1 || shape.Height > maxSide || shape.Width > maxSide || shape.Channels != 1 && shape.Channels != 3 {
		return nil, fmt.Errorf("%s: byte 8: pictures of %dx%dx%d, expected 2 pixels or more, at most %d on a side, in 1 or 3 channels",
			path, shape.Height, shape.Width, shape.Channels, maxSide)
	}
	if h.dims[0] == 0 {
		return nil, fmt.Errorf("%s: byte 4: no pictures, expected at least 1", path)
	}
	return &idxPictures{b, h, shape}, nil
}

// set makes the pictures a Set: in memory where the file was decoded into memory, else read from disk by offset.
func (x *idxPictures) set(schema *Schema, labels []int32) (Set, error) {
	if x.blob.path == "" {
		return NewPixels(schema, x.blob.mem[x.head.data:], labels)
	}
	n, err := checkMemory(schema, x.head.dims[0]*schema.Size(), labels)
	if err != nil {
		return nil, err
	}
	return &idxSet{memory{schema, n, labels}, x.blob, x.head.data}, nil
}

// idxSet reads pictures from an uncompressed IDX file. Its labels are in memory.
type idxSet struct {
	memory
	blob *blob
	data int64
}

func (s *idxSet) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(s, dst, index); err != nil {
		return err
	}
	r, done, err := s.blob.open()
	if err != nil {
		return err
	}
	defer done()
	buf := make([]byte, s.schema.Size())
	for k, i := range index {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := s.data + int64(i)*int64(len(buf))
		if n, err := r.ReadAt(buf, at); n < len(buf) {
			return fmt.Errorf("%s: byte %d: %w", s.blob.name, at, err)
		}
		pixels8(buf).float(dst.Row(k), 0)
	}
	s.readLabels(dst, index)
	return nil
}
