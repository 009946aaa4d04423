package cpu

import (
	"math"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu/internal/kernel"
)

// compileEnd reduces the tile's slot to v: whole rows to their elements, or, down columns, to the chain of the part at
// hand, which lies in v's partial sums until all parts are joined.
func compileEnd(v *value, r reduction, slot int) ending {
	k := kernel.Float32()
	if r.inner == 1 {
		rows := k.RowSum
		if v.op == tensor.OpReduceMax {
			rows = k.RowMax
		}
		return func(t *tileMemory, at int) {
			n := t.n / r.extent
			rows(slice[float32](v.buf)[at/r.extent:][:n], tile[float32](t, slot), n, r.extent)
		}
	}
	on, neutral := k.ColSumOn, float32(0)
	if v.op == tensor.OpReduceMax {
		on, neutral = k.ColMaxOn, float32(math.Inf(-1))
	}
	return func(t *tileMemory, _ int) {
		sums := slice[float32](v.partials)[t.part*r.inner:][:r.inner]
		if t.fresh {
			k.Fill(sums, neutral)
		}
		on(sums, tile[float32](t, slot), t.n/r.inner, r.inner)
	}
}

// bind makes a cluster without sums down columns runnable.
func (k *cluster) bind(p *pool) func() {
	prog := compileCluster(k, 0, 0)
	steps := (prog.size + prog.step - 1) / prog.step
	parts, size := p.chunks(steps, prog.cost*float64(prog.step))
	size *= prog.step
	return p.eachPart(parts, func(w *worker, part int) {
		prog.run(&w.tile, part*size, min((part+1)*size, prog.size))
	})
}

// bindColumns makes a cluster that ends in sums down columns runnable: [kernel.ColParts] parts for each of the outer
// matrices, whose chains are joined when all are there.
func (k *cluster) bindColumns(p *pool) func() {
	prog, r := compileCluster(k, k.rows.inner, k.rows.extent*k.rows.inner), k.rows
	if r.outer >= 2*p.threads {
		parts, size := p.chunks(r.outer, prog.cost*float64(r.extent*r.inner))
		return p.eachPart(parts, func(w *worker, part int) {
			for o := part * size; o < min((part+1)*size, r.outer); o++ {
				k.sumMatrix(prog, w, o, 0, kernel.ColParts)
				k.joinParts(o)
			}
		})
	}
	each := 1 // part by part, if they are worth a thread
	if p.threads == 1 || prog.cost*float64(prog.size) < 2*worthwhile {
		each = kernel.ColParts
	}
	compute := p.eachPart(r.outer*kernel.ColParts/each, func(w *worker, part int) {
		o, i := part*each/kernel.ColParts, part*each%kernel.ColParts
		k.sumMatrix(prog, w, o, i, i+each)
	})
	return func() {
		compute()
		for o := range r.outer {
			k.joinParts(o)
		}
	}
}

// sumMatrix computes parts [from, to) of the sums down the columns of outer matrix o.
func (k *cluster) sumMatrix(prog *tileProgram, w *worker, o, from, to int) {
	r := k.rows
	for i := from; i < to; i++ {
		a, b := kernel.ColPart(r.extent, i)
		w.tile.part, w.tile.fresh = o*kernel.ColParts+i, true
		prog.run(&w.tile, (o*r.extent+a)*r.inner, (o*r.extent+b)*r.inner)
	}
}

// joinParts makes the sums of outer matrix o from its parts.
func (k *cluster) joinParts(o int) {
	table, r := kernel.Float32(), k.rows
	for _, v := range k.ends {
		columns := table.ColSum
		if v.op == tensor.OpReduceMax {
			columns = table.ColMax
		}
		columns(slice[float32](v.buf)[o*r.inner:][:r.inner], slice[float32](v.partials)[o*kernel.ColParts*r.inner:], kernel.ColParts, r.inner)
	}
}
