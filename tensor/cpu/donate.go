package cpu

import "math"

// donate lets clusters write a result over an operand of the same size that nothing needs afterwards: what is written then
// is in the cache already, where the operand was read from.
func (c *compiler) donate() {
	if c.skip.InPlace {
		return
	}
	last := map[*buffer]int{} // the launch that reads it last
	for i, l := range c.launches {
		for _, b := range l.reads {
			last[b] = i
		}
	}
	for _, o := range c.prog.Outputs {
		last[c.of[o.Value].buf] = math.MaxInt
	}
	for v := range c.updates { // their memory may be the variable's
		last[v.buf] = math.MaxInt
	}
	for i, l := range c.launches {
		if l.cluster == nil {
			continue
		}
		for _, m := range l.cluster.members {
			if !l.cluster.leaves(m) || c.updates[m] {
				continue
			}
			if o := l.cluster.donor(m, func(o *value) bool { return !o.isSource() && last[o.buf] == i }); o != nil {
				m.buf.over = o.buf
				last[o.buf] = math.MaxInt // it is given away
			}
		}
	}
}

// donor is an operand that m may be written over, among those that end here; nil if there is none.
func (k *cluster) donor(m *value, ends func(o *value) bool) *value {
	for _, user := range k.members {
		for _, x := range user.in {
			if f := fetchOf(x); f.kind == whole && x.cluster != k && x.buf.bytes == m.buf.bytes && ends(x.value) && k.mayOverwrite(m, x.value) {
				return x.value
			}
		}
		if user == m {
			break
		}
	}
	return nil
}
