package cpu

import (
	"fmt"

	"github.com/likely-ml/likely/tensor"
)

// CheckMemory compiles a program and shows, from the addresses that its launches were bound to, that every array still is
// where it was written when it is read. It knows nothing of lives, places and offsets, by which the compiler lays out the
// arena: it notes, launch by launch, which array wrote each byte last.
func CheckMemory(p *tensor.Program, vars tensor.Vars, skip Passes) error {
	bound, err := p.Bind(vars)
	if err != nil {
		return err
	}
	c := newCompiler(p, bound, skip, 1)
	c.plan()
	c.link(newPool(1))
	return c.checkMemory()
}

// span is memory that an array wrote last.
type span struct {
	from, to uintptr
	by       *buffer
}

// memory is who wrote what last. Its spans do not overlap.
type memory []span

func spanOf(b *buffer) span { return span{uintptr(b.mem), uintptr(b.mem) + uintptr(b.bytes), b} }

func (s span) meets(o span) bool { return s.from < o.to && o.from < s.to }

// write makes b the writer of its bytes.
func (m *memory) write(b *buffer) {
	if b.bytes == 0 {
		return
	}
	w := spanOf(b)
	next := memory{w}
	for _, s := range *m {
		if !s.meets(w) {
			next = append(next, s)
			continue
		}
		if s.from < w.from {
			next = append(next, span{s.from, w.from, s.by})
		}
		if w.to < s.to {
			next = append(next, span{w.to, s.to, s.by})
		}
	}
	*m = next
}

// holds reports whether b wrote all of its bytes last.
func (m memory) holds(b *buffer) bool {
	own := 0
	for _, s := range m {
		if s.by == b {
			own += int(s.to - s.from)
		}
	}
	return own == b.bytes
}

func (c *compiler) checkMemory() error {
	var now memory
	written := map[*buffer]bool{}
	for _, l := range c.launches {
		for _, b := range l.writes {
			written[b] = true
		}
	}
	for _, l := range c.launches { // inputs, constants and variables
		for _, b := range l.reads {
			if !written[b] && !now.holds(b) {
				for _, s := range now {
					if s.meets(spanOf(b)) {
						return fmt.Errorf("two sources share memory")
					}
				}
				now.write(b)
			}
		}
	}
	for i, l := range c.launches {
		parts := l.batch // each item goes through them in this order
		if parts == nil {
			parts = []*plannedLaunch{l}
		}
		for _, m := range parts {
			for _, b := range m.reads {
				if !now.holds(b) {
					return fmt.Errorf("launch %d, %s, reads an array of %d bytes that was overwritten, or never written", i, m.name, b.bytes)
				}
			}
			for _, b := range m.writes {
				now.write(b)
			}
		}
		if err := checkWithin(l); err != nil {
			return fmt.Errorf("launch %d, %s: %w", i, l.name, err)
		}
	}
	return c.checkResults(now)
}

// checkWithin: in one launch, whose parts and items run in any order, no array that is written shares a byte with another,
// unless it lies exactly over it, element by element.
func checkWithin(l *plannedLaunch) error {
	for i, w := range l.writes {
		for _, o := range append(l.reads[:len(l.reads):len(l.reads)], l.writes[:i]...) {
			a, b := spanOf(w), spanOf(o)
			if w != o && a.meets(b) && (a.from != b.from || a.to != b.to) {
				return fmt.Errorf("it writes %d bytes over a part of an array of %d bytes, which it uses too", w.bytes, o.bytes)
			}
		}
	}
	return nil
}

// checkResults: outputs and new values of variables are there after the last launch. An output that is a variable, or a
// variable's new value that is one, is copied from memory that must hold the old one.
func (c *compiler) checkResults(now memory) error {
	check := func(what string, n *tensor.Node) error {
		v := c.of[n]
		if v.isSource() {
			for _, s := range now {
				if s.by != v.buf && s.meets(spanOf(v.buf)) {
					return fmt.Errorf("%s is a source that was overwritten", what)
				}
			}
			return nil
		}
		if !now.holds(v.buf) {
			return fmt.Errorf("%s, an array of %d bytes, is not whole at the end", what, v.buf.bytes)
		}
		return nil
	}
	for _, o := range c.prog.Outputs {
		if err := check("output "+o.Name, o.Value); err != nil {
			return err
		}
	}
	for _, u := range c.prog.Updates {
		if err := check("the new value of "+u.Variable.Name(), u.Value); err != nil {
			return err
		}
	}
	return nil
}
