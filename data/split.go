package data

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Split divides s into part, about the given fraction of each class, and rest, the others. Both keep the order of s.
//
// Which examples go to part is decided by content alone. Each example has the key SHA-256(seed, SHA-256(x)); the examples
// of a class are ranked by key, and the first round(fraction * n_class), halves to even, are taken: at least one, and at
// most all but one, where the class has two or more. So the same examples are held out in whatever order the files are
// listed. Examples with the same x have the same key and stand side by side in the ranking. Without labels the whole set
// is one class.
//
// fraction must lie strictly between 0 and 1. Split reads all of s.
func Split(ctx context.Context, s Set, fraction float64, seed uint64) (rest, part Set, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("split fraction %v, expected more than 0 and less than 1", fraction)
	}
	keys, labels, err := digests(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	byClass := make([][]int, max(1, len(s.Schema().Classes)))
	for i := range keys {
		var block [8 + sha256.Size]byte
		binary.LittleEndian.PutUint64(block[:8], seed)
		copy(block[8:], keys[i][:])
		keys[i] = sha256.Sum256(block[:])
		class := 0
		if labels != nil {
			class = int(labels[i])
		}
		byClass[class] = append(byClass[class], i)
	}
	taken := make([]bool, s.Len())
	for _, members := range byClass {
		slices.SortFunc(members, func(a, b int) int {
			return cmp.Or(bytes.Compare(keys[a][:], keys[b][:]), cmp.Compare(a, b))
		})
		for _, i := range members[:share(len(members), fraction)] {
			taken[i] = true
		}
	}
	var restIndex, partIndex []int
	for i, t := range taken {
		if t {
			partIndex = append(partIndex, i)
		} else {
			restIndex = append(restIndex, i)
		}
	}
	return Subset(s, restIndex), Subset(s, partIndex), nil
}

// share is how many of n go to the part: round(fraction*n), kept from 1 to n-1 where n allows it.
func share(n int, fraction float64) int {
	k := int(math.RoundToEven(fraction * float64(n)))
	if n >= 2 {
		return min(max(k, 1), n-1)
	}
	return k
}
