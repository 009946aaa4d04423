package cpu

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/likely-ml/likely/tensor"
)

// Plan is what an executable of this package does, for people to read.
type Plan struct {
	Launches []Launch
	Arena    int // bytes of memory that intermediate arrays share
}

// Launch is one step of a plan.
type Launch struct {
	Name          string
	Part          bool    // of the last launch before it that is none: one of a batch
	Flops         float64 // additions and multiplications of products, elements times ops of clusters
	Bytes         float64 // of the arrays that it reads and writes, each once
	Reads, Writes []int   // which arrays, numbered from 0 in the order of their first use
}

// PlanOf is the plan of an executable; nil if it is of another backend.
func PlanOf(e tensor.Executable) *Plan {
	if x, ok := e.(*executable); ok {
		return &x.plan
	}
	return nil
}

// Bandwidths in bytes a second of one core, by how many bytes a launch touches: the caches of a Zen 5, and memory.
var bandwidths = []struct{ upTo, rate float64 }{{48 << 10, 360e9}, {1 << 20, 140e9}, {32 << 20, 75e9}, {1 << 62, 33e9}}

// Floor is the least time that the launch can take on one core of that many flops a second: that of its arithmetic, or of
// moving its arrays, whichever is longer.
func (l Launch) Floor(peak float64) time.Duration {
	seconds := l.Flops / peak
	for _, b := range bandwidths {
		if l.Bytes <= b.upTo {
			seconds = max(seconds, l.Bytes/b.rate)
			break
		}
	}
	return time.Duration(seconds * 1e9)
}

// String lists the launches with their arithmetic, their memory and the least time at 250 GFLOP/s.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%4s %9s %9s %9s  %s\n", "", "Mflop", "KB", "floor µs", "launch")
	for i, l := range p.Launches {
		name := l.Name
		if l.Part {
			name = "  of it: " + name
		}
		fmt.Fprintf(&b, "%4d %9.3f %9.1f %9.2f  %s\n", i, l.Flops/1e6, l.Bytes/1e3, float64(l.Floor(250e9))/1e3, name)
	}
	fmt.Fprintf(&b, "arena of %.1f KB\n", float64(p.Arena)/1e3)
	return b.String()
}

// WriteDot draws the plan as a graph in the DOT language of Graphviz: launches as boxes, batches as frames, arrays as
// arrows from the launch that wrote them.
func (p *Plan) WriteDot(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph plan {\n\tnode [shape=box, fontname=\"sans-serif\"];\n")
	writer := map[int]int{} // the launch that wrote an array last
	frame := -1
	for i, l := range p.Launches {
		if frame >= 0 && !l.Part {
			b.WriteString("\t}\n")
			frame = -1
		}
		if i+1 < len(p.Launches) && !l.Part && p.Launches[i+1].Part {
			fmt.Fprintf(&b, "\tsubgraph cluster%d {\n\t\tlabel=%q;\n", i, l.Name)
			frame = i
			continue
		}
		fmt.Fprintf(&b, "\tn%d [label=%q];\n", i, fmt.Sprintf("%s\n%.3g Mflop, %.3g KB", l.Name, l.Flops/1e6, l.Bytes/1e3))
		for _, r := range l.Reads {
			if from, ok := writer[r]; ok {
				fmt.Fprintf(&b, "\tn%d -> n%d;\n", from, i)
			}
		}
		for _, x := range l.Writes {
			writer[x] = i
		}
	}
	if frame >= 0 {
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// describe makes the plan of the launches.
func (c *compiler) describe(arena int) Plan {
	numbers := map[*buffer]int{}
	number := func(list []*buffer) (out []int, bytes float64) {
		seen := map[*buffer]bool{}
		for _, b := range list {
			if seen[b] {
				continue
			}
			seen[b] = true
			if _, ok := numbers[b]; !ok {
				numbers[b] = len(numbers)
			}
			out = append(out, numbers[b])
			bytes += float64(b.bytes)
		}
		return out, bytes
	}
	p := Plan{Arena: arena}
	add := func(l *plannedLaunch, part bool) {
		reads, in := number(l.reads)
		writes, out := number(l.writes)
		p.Launches = append(p.Launches, Launch{Name: l.name, Part: part, Flops: l.flops, Bytes: in + out, Reads: reads, Writes: writes})
	}
	for _, l := range c.launches {
		add(l, false)
		for _, m := range l.batch {
			add(m, true)
		}
	}
	return p
}
