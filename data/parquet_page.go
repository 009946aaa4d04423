package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	parquetMostPage   = 1 << 28 // bytes of a page after decompression; writers aim at one MiB
	parquetMostHeader = 1 << 24 // bytes of a page's header, which may have the page's least and greatest value
)

// chunkReader gives the values of a column in one row group, one page after another.
type chunkReader struct {
	column *parquetColumn
	in     io.ReaderAt
	at     int64 // of the next page
	end    int64 // of the chunk
	codec  int64
	rows   int64 // of the chunk that are in no page yet

	dictionary *dictionary
	left       int64 // rows of the page
	present    *runs // 0 where a value is missing; nil if none is
	values     parquetValues
}

// next is the column's cell of the next row.
func (c *chunkReader) next() (cell, error) {
	for c.left == 0 {
		if err := c.readPage(); err != nil {
			return cell{}, err
		}
	}
	c.left--
	if c.present != nil {
		level, err := c.present.next()
		if err != nil || level == 0 {
			return cell{}, err
		}
	}
	v, err := c.values.next()
	if err != nil {
		return cell{}, err
	}
	return c.column.cell(v)
}

// Types of pages.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

// readPage reads one page, which may be a dictionary.
func (c *chunkReader) readPage() error {
	header, n, err := c.header()
	if err != nil {
		return err
	}
	c.at += int64(n)
	kind, size, packed := header.integer(1, -1), header.integer(2, -1), header.integer(3, -1)
	if size < 0 || size > parquetMostPage || packed < 0 || packed > c.end-c.at {
		return fmt.Errorf("a page of %d bytes, in the file %d, expected at most %d, and %d in the file", size, packed, parquetMostPage, c.end-c.at)
	}
	if kind != dataPage && kind != dataPageV2 && kind != dictionaryPage {
		c.at += packed
		return nil // an index, or what later versions of the format have
	}
	page := make([]byte, packed)
	if _, err := c.in.ReadAt(page, c.at); err != nil {
		return err
	}
	c.at += packed
	if sum, ok := header[4].(int64); ok && uint32(sum) != crc32.ChecksumIEEE(page) {
		return errors.New("a page whose checksum is wrong")
	}
	switch kind {
	case dictionaryPage:
		about := header.sub(7)
		if page, err = decompress(c.codec, page, size); err != nil {
			return err
		}
		if encoding := about.integer(2, -1); encoding != encodingPlain && encoding != encodingPlainDictionary {
			return fmt.Errorf("a dictionary in encoding %d, expected a plain one", encoding)
		}
		n := about.integer(1, -1)
		if n < 0 || n > int64(len(page))*8 {
			return fmt.Errorf("a dictionary of %d values in %d bytes", n, len(page))
		}
		c.dictionary, err = newDictionary(c.column.kind, c.column.width, int(n), page)
		return err
	case dataPageV2:
		return c.openPageV2(header.sub(8), page, size)
	}
	return c.openPage(header.sub(5), page, size)
}

// header reads the header of the next page and says how long it is.
func (c *chunkReader) header() (thriftStruct, int, error) {
	for most := int64(1 << 12); ; most *= 16 {
		b := make([]byte, min(most, c.end-c.at))
		if len(b) == 0 {
			return nil, 0, errors.New("fewer values than rows")
		}
		if _, err := c.in.ReadAt(b, c.at); err != nil {
			return nil, 0, err
		}
		header, n, err := decodeThrift(b)
		if err != errThriftEnd || int64(len(b)) < most || most >= parquetMostHeader {
			return header, n, err
		}
	}
}

// openPage begins a page of the first version, in which the levels are compressed with the values.
func (c *chunkReader) openPage(about thriftStruct, page []byte, size int64) error {
	page, err := decompress(c.codec, page, size)
	if err != nil {
		return err
	}
	c.present = nil
	if c.column.optional {
		if encoding := about.integer(3, -1); encoding != encodingRLE {
			return fmt.Errorf("levels in encoding %d, expected runs (%d)", encoding, encodingRLE)
		}
		levels, rest, err := afterLength(page)
		if err != nil {
			return err
		}
		if c.present, err = newRuns(1, levels); err != nil {
			return err
		}
		page = rest
	}
	return c.open(about.integer(1, -1), about.integer(2, -1), page)
}

// openPageV2 begins a page of the second version, in which the levels are as they are.
func (c *chunkReader) openPageV2(about thriftStruct, page []byte, size int64) error {
	present, repeated := about.integer(5, 0), about.integer(6, 0)
	if present < 0 || repeated < 0 || present > int64(len(page)) || repeated > int64(len(page))-present || present+repeated > size {
		return fmt.Errorf("levels of %d and %d bytes in a page of %d", repeated, present, len(page))
	}
	levels := page[repeated : repeated+present]
	page = page[repeated+present:]
	if about.bool(7, true) {
		var err error
		if page, err = decompress(c.codec, page, size-present-repeated); err != nil {
			return err
		}
	}
	c.present = nil
	if c.column.optional {
		var err error
		if c.present, err = newRuns(1, levels); err != nil {
			return err
		}
	}
	return c.open(about.integer(1, -1), about.integer(4, -1), page)
}

// Encodings of values.
const (
	encodingPlain           = 0
	encodingPlainDictionary = 2
	encodingRLE             = 3
	encodingDelta           = 5
	encodingDeltaLength     = 6
	encodingDeltaBytes      = 7
	encodingRLEDictionary   = 8
	encodingByteStreamSplit = 9
)

// open begins the values of a page of n rows.
func (c *chunkReader) open(n, encoding int64, data []byte) (err error) {
	if n < 0 || n > c.rows {
		return fmt.Errorf("a page of %d values, expected at most %d", n, c.rows)
	}
	c.rows -= n
	c.left = n
	kind, width := c.column.kind, c.column.width
	switch encoding {
	case encodingPlain:
		c.values = &plainValues{kind: kind, width: width, rest: data}
		return nil
	case encodingPlainDictionary, encodingRLEDictionary:
		c.values, err = newDictionaryValues(c.dictionary, data)
		return err
	case encodingByteStreamSplit:
		c.values, err = newSplitValues(kind, width, data)
		return err
	case encodingRLE:
		if kind == parquetBool {
			part, _, err := afterLength(data)
			if err != nil {
				return err
			}
			bits, err := newRuns(1, part)
			c.values = boolRuns{bits}
			return err
		}
	case encodingDelta:
		if kind == parquetInt32 || kind == parquetInt64 {
			d, err := newDeltas(data)
			c.values = deltaValues{d}
			return err
		}
	case encodingDeltaLength:
		if kind == parquetBytes {
			c.values, err = newLengthValues(data)
			return err
		}
	case encodingDeltaBytes:
		if kind == parquetBytes || kind == parquetFixed && width > 0 {
			c.values, err = newPrefixValues(data)
			return err
		}
	}
	return fmt.Errorf("values in encoding %d, which this type does not have", encoding)
}

// Codecs.
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecBrotli = 4
	codecZstd   = 6
	codecLZ4    = 7
)

// decompress gives the size bytes that were packed. It makes them as they come, so that a header alone takes no memory.
func decompress(codec int64, packed []byte, size int64) ([]byte, error) {
	if codec == codecNone || size == 0 && len(packed) == 0 {
		return packed, nil
	}
	var page []byte
	var err error
	switch codec {
	case codecSnappy:
		// Snappy says how much comes, and makes 64 bytes of 3 at most.
		if n, bad := snappy.DecodedLen(packed); bad != nil || int64(n) != size || size > 32*int64(len(packed)) {
			return nil, fmt.Errorf("a page that is no Snappy of %d bytes", size)
		}
		page, err = snappy.Decode(nil, packed)
	case codecLZ4:
		if size > 256*int64(len(packed)) { // a byte of LZ4 says 255 at most
			return nil, fmt.Errorf("a page that is no LZ4 of %d bytes", size)
		}
		page = make([]byte, size)
		var n int
		n, err = lz4.UncompressBlock(packed, page)
		page = page[:max(n, 0)]
	case codecGzip:
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			page, err = readUpTo(z, size)
		}
	case codecBrotli:
		page, err = readUpTo(brotli.NewReader(bytes.NewReader(packed)), size)
	case codecZstd:
		var z *zstd.Decoder
		z, err = zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(parquetMostPage))
		if err == nil {
			page, err = readUpTo(z, size)
			z.Close()
		}
	default:
		return nil, fmt.Errorf("pages compressed in way %d, expected Snappy, Gzip, Zstandard, Brotli or LZ4; write the file again with one of these", codec)
	}
	if err == nil && int64(len(page)) != size {
		err = fmt.Errorf("%d bytes", len(page))
	}
	if err != nil {
		return nil, fmt.Errorf("a page that cannot be decompressed to %d bytes (%w)", size, err)
	}
	return page, nil
}

// readUpTo reads all, and one byte more than size at most.
func readUpTo(r io.Reader, size int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, size+1))
}
