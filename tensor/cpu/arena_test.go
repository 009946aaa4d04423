package cpu

import (
	"testing"

	"pgregory.net/rapid"
)

// No two arrays that are needed at the same time may share a byte, and none may stick out of the arena.
func TestArenaIsFreeOfOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var buffers []*buffer
		for range rapid.IntRange(1, 40).Draw(t, "buffers") {
			first := rapid.IntRange(0, 20).Draw(t, "first")
			buffers = append(buffers, &buffer{
				bytes: rapid.IntRange(0, 1000).Draw(t, "bytes"),
				first: first,
				last:  first + rapid.IntRange(0, 10).Draw(t, "life"),
			})
		}
		total := layOut(buffers)
		atOnce := 0
		for launch := range 32 {
			sum := 0
			for i, a := range buffers {
				if a.first > launch || a.last < launch {
					continue
				}
				sum += a.bytes
				if a.offset%alignment != 0 || a.offset+a.bytes > total {
					t.Fatalf("buffer %+v in an arena of %d", a, total)
				}
				for _, b := range buffers[:i] {
					if b.first > launch || b.last < launch {
						continue
					}
					if a.offset < b.offset+b.bytes && b.offset < a.offset+a.bytes {
						t.Fatalf("%+v and %+v overlap at launch %d", a, b, launch)
					}
				}
			}
			atOnce = max(atOnce, sum)
		}
		if total < atOnce {
			t.Fatalf("arena of %d bytes for %d at once", total, atOnce)
		}
	})
}
