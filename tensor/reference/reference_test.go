package reference

import (
	"testing"

	"github.com/likely-ml/likely/tensor"
)

// Known answers of Threefry 2x32-20 from the authors' library Random123, file kat_vectors.
func TestThreefryKnownAnswers(t *testing.T) {
	for _, c := range []struct{ counter, key, want [2]uint32 }{
		{[2]uint32{0, 0}, [2]uint32{0, 0}, [2]uint32{0x6b200159, 0x99ba4efe}},
		{[2]uint32{0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff}, [2]uint32{0x1cb996fc, 0xbb002be7}},
		{[2]uint32{0x243f6a88, 0x85a308d3}, [2]uint32{0x13198a2e, 0x03707344}, [2]uint32{0xc4923a9c, 0x483df7a0}},
	} {
		if got := threefry(c.counter, c.key); got != c.want {
			t.Errorf("threefry(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

func TestEveryOpHasARule(t *testing.T) {
	given := map[tensor.Op]bool{tensor.OpInput: true, tensor.OpVariable: true, tensor.OpConstant: true}
	for _, op := range tensor.Ops() {
		if (rules[op] != nil) == given[op] {
			t.Errorf("%v: has a rule: %t, has a given value: %t", op, rules[op] != nil, given[op])
		}
	}
}
