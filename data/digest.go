package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
)

// digest is the SHA-256 of one example's values, as little-endian float32. All missing values count as one value, and -0
// as 0. Position, file and label do not enter.
type digest [sha256.Size]byte

// digests returns the digest of every example of s and, where s has labels, the labels.
func digests(ctx context.Context, s Set) ([]digest, []int32, error) {
	sums := make([]digest, 0, s.Len())
	var labels []int32
	if s.Schema().Labelled() {
		labels = make([]int32, 0, s.Len())
	}
	buf := make([]byte, 4*s.Schema().Size())
	err := Each(ctx, s, func(_ int, b Batch) error {
		for i := range b.Len() {
			for j, v := range b.Row(i) {
				switch {
				case v != v:
					v = float32(math.NaN())
				case v == 0:
					v = 0
				}
				binary.LittleEndian.PutUint32(buf[4*j:], math.Float32bits(v))
			}
			sums = append(sums, sha256.Sum256(buf))
		}
		labels = append(labels, b.Y...)
		return nil
	})
	return sums, labels, err
}

// Fingerprint names the content of s: a SHA-256, in hexadecimal, over the shape and the sorted digests of all examples with
// their class names. It does not depend on the order of the examples, so the same pictures under other file names have the
// same fingerprint.
func Fingerprint(ctx context.Context, s Set) (string, error) {
	sums, labels, err := digests(ctx, s)
	if err != nil {
		return "", err
	}
	for i, y := range labels {
		sums[i] = sha256.Sum256(append(sums[i][:], s.Schema().Classes[y]...))
	}
	slices.SortFunc(sums, func(a, b digest) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	fmt.Fprintf(h, "%v %d\n", s.Schema().Shape, len(sums))
	for i := range sums {
		h.Write(sums[i][:])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
