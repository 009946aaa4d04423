package model

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// align is what the data of a file starts at a multiple of, so that a program that maps a file into memory finds each
// number where its processor reads it fastest.
const align = 64

// metadataName is the one name in a header that is no tensor's.
const metadataName = "__metadata__"

// headerEntry is what the header of a file says of one tensor. Offsets count from the end of the header.
type headerEntry struct {
	DType   dtype  `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

func compareNames(a, b string) int { return strings.Compare(a, b) }

// WriteTensors writes tensors and metadata as a .safetensors file (docs/format.md). The bytes depend on the content alone,
// not on the order of the tensors: wide numbers come first, then names in order, without a gap.
func WriteTensors(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	kinds := make(map[string]dtype, len(sorted))
	sizes := make(map[string]int, len(sorted))
	for i := range sorted {
		t := &sorted[i]
		kind, n, err := t.describe()
		if err != nil {
			return err
		}
		if _, again := kinds[t.Name]; again || t.Name == metadataName {
			return fmt.Errorf("two tensors of a file have the name %q", t.Name)
		}
		kinds[t.Name], sizes[t.Name] = kind, n*kind.size()
	}
	slices.SortFunc(sorted, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(kinds[b.Name].size(), kinds[a.Name].size()), compareNames(a.Name, b.Name))
	})

	header := make(map[string]any, len(sorted)+1) // json.Marshal sorts the keys
	if len(metadata) > 0 {
		header[metadataName] = metadata
	}
	at := 0
	for _, t := range sorted {
		end := at + sizes[t.Name]
		header[t.Name] = headerEntry{kinds[t.Name], append([]int{}, t.Dims...), [2]int{at, end}}
		at = end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for (8+len(text))%align != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return fmt.Errorf("header of %d bytes, expected at most %d", len(text), maxHeader)
	}

	out := bufio.NewWriterSize(w, 1<<16)
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(text)))
	out.Write(length[:]) // a bufio.Writer keeps its first error for Flush
	out.Write(text)
	for _, t := range sorted {
		if err := binary.Write(out, binary.LittleEndian, t.Values); err != nil {
			return err
		}
	}
	return out.Flush()
}
