package train

import (
	"context"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/tensor"
)

// validation is a program that computes the validation loss of a batch.
type validation struct {
	exec    tensor.Executable
	metrics []string
}

// keepBest copies what validation has seen.
func (t *trainer) keepBest() error {
	if err := t.fetch(); err != nil {
		return err
	}
	if t.best == nil {
		t.best = tensor.Vars{}
		for name, a := range t.judged {
			t.best[name] = a.Clone()
		}
		return nil
	}
	for name, a := range t.judged {
		t.best[name].CopyFrom(a)
	}
	return nil
}

// validate is the mean loss and metrics over the validation set, in evaluation mode.
func (t *trainer) validate(ctx context.Context) (map[string]float64, error) {
	set := t.run.Validation
	totals := map[string]sum{}
	widest := min(t.options.Batch, set.Len())
	allRaw, allReady := data.NewBatch(set.Schema().Shape, widest, t.problem.Labelled), data.NewBatch(t.problem.Out, widest, false)
	for from := 0; from < set.Len(); from += t.options.Batch {
		n := min(t.options.Batch, set.Len()-from)
		v, err := t.validator(n)
		if err != nil {
			return nil, err
		}
		raw, ready := allRaw.Slice(0, n), allReady.Slice(0, n)
		index := make([]int, n)
		for i := range index {
			index[i] = from + i
		}
		if err := set.Read(ctx, raw, index); err != nil {
			return nil, err
		}
		if err := t.problem.Prepare(ready, raw, nil); err != nil {
			return nil, err
		}
		copy(v.exec.Input("x").F32, ready.X)
		if t.problem.Labelled {
			copy(v.exec.Input("y").I32, raw.Y)
		}
		noise := generator(t.run.Seed, streamValidation, from)
		v.exec.Input("key").U32[0], v.exec.Input("key").U32[1] = noise.Uint32(), noise.Uint32()
		if err := v.exec.Run(ctx); err != nil {
			return nil, err
		}
		for _, m := range append([]string{"loss"}, v.metrics...) {
			s := totals[m]
			s.add(float64(v.exec.Output(m).F32[0]), n)
			totals[m] = s
		}
	}
	means := map[string]float64{}
	for m, s := range totals {
		means[m] = s.mean()
	}
	return means, nil
}

// validator is the validation program for batches of n: the usual size, and the remainder's.
func (t *trainer) validator(n int) (v validation, err error) {
	if v, ok := t.checks[n]; ok {
		return v, nil
	}
	loss := t.problem.Validate
	if loss == nil {
		loss = t.problem.Phases[0].Loss
	}
	prog, err := tensor.Build(func(g *tensor.Graph) { v.metrics = output(g, "loss", loss(t.inputs(g, n, false))) })
	if err != nil {
		return v, err
	}
	if v.exec, err = t.backend.Compile(prog, t.judged); err != nil {
		return v, err
	}
	t.checks[n] = v
	return v, nil
}
