package train

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// trainer is a run in progress.
type trainer struct {
	problem Problem
	options Options
	run     model.Run
	set     data.Set
	steps   int // in an epoch
	backend tensor.Backend

	vars    tensor.Vars // parameters, optimiser state, averages
	judged  tensor.Vars // what validation and the result see: parameters or their averages
	best    tensor.Vars // a copy of judged at the best validation loss
	phases  []runningPhase
	average tensor.Executable // nil without
	checks  map[int]validation

	state   state
	log     *metricsLog
	begun   time.Time
	before  float64 // seconds of the run before begun
	saved   time.Time
	told    time.Time
	toldAt  int
	perSec  float64
	current float64 // a recent mean of the loss
}

type runningPhase struct {
	Phase
	exec    tensor.Executable
	metrics []string
}

type validation struct {
	exec    tensor.Executable
	metrics []string
}

const averagePrefix = "ema."

func newTrainer(p Problem, set data.Set, o Options, run model.Run) (*trainer, error) {
	if set.Len() == 0 {
		return nil, fmt.Errorf("no examples to train on")
	}
	if run.Epochs > 0 {
		o.Epochs = run.Epochs
	}
	o.Batch = max(1, min(o.Batch, set.Len()))
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = 10 * time.Second
	}
	t := &trainer{problem: p, options: o, run: run, set: set, steps: set.Len() / o.Batch, checks: map[int]validation{}}
	var err error
	if t.backend, err = Backend(run.Backend, run.Threads); err != nil {
		return nil, err
	}
	t.vars = p.Params.Init(run.Seed)
	t.judged = tensor.Vars{}
	for _, v := range p.Params {
		t.judged[v.Name] = t.vars[v.Name]
		if o.Average > 0 && !v.Fixed {
			shadow := t.vars[v.Name].Clone()
			t.vars[averagePrefix+v.Name], t.judged[v.Name] = shadow, shadow
		}
	}
	for _, phase := range p.Phases {
		maps.Copy(t.vars, phase.Optimiser.State(phase.Params.Trainable()).Init(0))
	}
	for _, phase := range p.Phases {
		r, err := t.compilePhase(phase)
		if err != nil {
			return nil, err
		}
		t.phases = append(t.phases, r)
	}
	if o.Average > 0 {
		if err := t.compileAverage(); err != nil {
			return nil, err
		}
	}
	t.state.EpochExtra = map[string]sum{}
	t.begun, t.saved, t.told = time.Now(), time.Now(), time.Now()
	t.current = math.NaN()
	if t.log, err = openLog(run.Dir); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *trainer) close() { t.log.close() }

// inputs declares a batch of n in a graph.
func (t *trainer) inputs(g *tensor.Graph, n int, training bool) *Batch {
	b := &Batch{
		X:    g.Input("x", tensor.Float32, append([]int{n}, t.problem.Shape...)...),
		Mode: &nn.Mode{Training: training, Noise: &nn.Noise{Key: g.Input("key", tensor.Uint32, 2)}},
	}
	if t.problem.Labelled {
		b.Y = g.Input("y", tensor.Int32, n)
	}
	return b
}

func (t *trainer) compilePhase(phase Phase) (r runningPhase, err error) {
	r.Phase = phase
	prog, err := tensor.Build(func(g *tensor.Graph) {
		b := t.inputs(g, t.options.Batch, true)
		loss := phase.Loss(b)
		r.metrics = output(g, loss)
		learned := phase.Params.Trainable()
		grads := tensor.Gradient(loss.Value, learned.Nodes(g)...)
		if t.options.Clip > 0 {
			grads = nn.ClipGlobalNorm(grads, t.options.Clip)
		}
		phase.Optimiser.Update(learned, grads, g.Input("hyper", tensor.Float32, phase.Optimiser.HyperLen()))
		b.Mode.Finish()
	})
	if err != nil {
		return r, err
	}
	r.exec, err = t.backend.Compile(prog, t.vars)
	return r, err
}

// output names the loss and its metrics as results of the graph.
func output(g *tensor.Graph, l Loss) (names []string) {
	g.Output("loss", l.Value)
	for _, m := range l.Metrics {
		g.Output(m.Name, m.Value)
		names = append(names, m.Name)
	}
	return names
}

// compileAverage is the program e ← d·e + (1−d)·p for every learned parameter.
func (t *trainer) compileAverage() error {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		keep := g.Input("decay", tensor.Float32)
		rest := tensor.Sub(g.Scalar(tensor.Float32, 1), keep)
		for _, p := range t.problem.Params.Trainable() {
			e := g.Variable(averagePrefix+p.Name, tensor.Float32, p.Dims...)
			g.Update(e, tensor.Add(tensor.Mul(e, keep), tensor.Mul(p.Node(g), rest)))
		}
	})
	if err != nil {
		return err
	}
	t.average, err = t.backend.Compile(prog, t.vars)
	return err
}

// epoch goes on with the epoch that the state stands in, to its end.
func (t *trainer) epoch(ctx context.Context) error {
	if t.state.Step%t.steps == 0 && t.state.EpochLoss.Count > 0 { // interrupted between the last step and its end
		return t.finishEpoch(ctx, t.state.Step/t.steps-1)
	}
	epoch := t.state.Step / t.steps
	if epoch >= t.options.Epochs {
		t.state.Done, t.state.Stopped = true, "all epochs done"
		return nil
	}
	loading, stop := context.WithCancel(ctx)
	defer stop()
	from := t.state.Step % t.steps
	source := t.load(loading, epoch, from, t.steps)
	for range t.steps - from {
		next, ok := <-source.full
		if !ok || ctx.Err() != nil {
			return ctx.Err()
		}
		if next.err != nil {
			return next.err
		}
		if err := t.step(ctx, next.batch); err != nil {
			return err
		}
		source.free <- next.batch
		t.tell(false)
		if t.run.Dir != "" && time.Since(t.saved) >= t.options.CheckpointEvery && t.state.Step%t.steps != 0 {
			if err := t.checkpoint(); err != nil {
				return err
			}
		}
	}
	return t.finishEpoch(ctx, epoch)
}

// step runs every phase on a mini-batch.
func (t *trainer) step(ctx context.Context, b data.Batch) error {
	number := t.state.Step
	rate := t.options.rate(number, t.steps*t.options.Epochs)
	noise := generator(t.run.Seed, streamNoise, number)
	key := [2]uint32{noise.Uint32(), noise.Uint32()}
	n := b.Len()
	for i := range t.phases {
		p := &t.phases[i]
		copy(p.exec.Input("x").F32, b.X)
		if t.problem.Labelled {
			copy(p.exec.Input("y").I32, b.Y)
		}
		copy(p.exec.Input("key").U32, key[:])
		p.Optimiser.Hyper(p.exec.Input("hyper").F32, number+1, rate)
		// A step runs to its end once begun: the phases of one must not be torn apart.
		if err := p.exec.Run(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		loss := float64(p.exec.Output("loss").F32[0])
		if err := t.watch(i, loss, rate); err != nil {
			return err
		}
		if i == 0 {
			t.state.EpochLoss.add(loss, n)
			if math.IsNaN(t.current) {
				t.current = loss
			}
			t.current += (loss - t.current) * 0.05
		}
		if len(t.phases) > 1 {
			t.addMetric(p.Name, loss, n)
		}
		for _, m := range p.metrics {
			t.addMetric(m, float64(p.exec.Output(m).F32[0]), n)
		}
	}
	if t.average != nil {
		// The average forgets the beginning sooner than its decay would.
		t.average.Input("decay").F32[0] = float32(min(t.options.Average, float64(number+1)/float64(number+10)))
		if err := t.average.Run(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	t.state.Step++
	return nil
}

func (t *trainer) addMetric(name string, x float64, n int) {
	s := t.state.EpochExtra[name]
	s.add(x, n)
	t.state.EpochExtra[name] = s
}

// finishEpoch validates, logs, and decides whether to go on.
func (t *trainer) finishEpoch(ctx context.Context, epoch int) error {
	metrics := map[string]float64{"loss": t.state.EpochLoss.mean()}
	for _, name := range slices.Sorted(maps.Keys(t.state.EpochExtra)) {
		metrics[name] = t.state.EpochExtra[name].mean()
	}
	train := metrics["loss"]
	valid := math.NaN()
	if t.run.Validation != nil && t.run.Validation.Len() > 0 {
		found, err := t.validate(ctx)
		if err != nil {
			return err
		}
		for name, x := range found {
			metrics["validation_"+name] = x
		}
		valid = found["loss"]
	}
	t.state.TrainLoss, t.state.ValidLoss, t.state.Metrics = number(train), number(valid), metrics
	t.state.EpochLoss, t.state.EpochExtra = sum{}, map[string]sum{}
	if err := t.log.write(t.entry(epoch, metrics)); err != nil {
		return err
	}
	if t.problem.Health != nil {
		if err := t.problem.Health(metrics); err != nil {
			return err
		}
	}
	if t.options.Patience > 0 && !math.IsNaN(valid) {
		if t.state.Best == nil || valid < *t.state.Best {
			t.state.Best, t.state.Waited = number(valid), 0
			t.keepBest()
		} else if t.state.Waited++; t.state.Waited >= t.options.Patience {
			t.state.Done, t.state.Stopped = true, fmt.Sprintf("no better validation loss for %d epochs", t.options.Patience)
		}
	}
	if epoch+1 >= t.options.Epochs && !t.state.Done {
		t.state.Done, t.state.Stopped = true, "all epochs done"
	}
	t.tell(t.state.Done)
	if t.run.Dir != "" && time.Since(t.saved) >= t.options.CheckpointEvery {
		return t.checkpoint()
	}
	return nil
}

// number is x for a JSON object: nil for NaN.
func number(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

func (t *trainer) keepBest() {
	if t.best == nil {
		t.best = tensor.Vars{}
		for name, a := range t.judged {
			t.best[name] = a.Clone()
		}
		return
	}
	for name, a := range t.judged {
		t.best[name].CopyFrom(a)
	}
}

// validate is the mean loss and metrics over the validation set, in evaluation mode.
func (t *trainer) validate(ctx context.Context) (map[string]float64, error) {
	set := t.run.Validation
	totals := map[string]sum{}
	for from := 0; from < set.Len(); from += t.options.Batch {
		n := min(t.options.Batch, set.Len()-from)
		v, err := t.validator(n)
		if err != nil {
			return nil, err
		}
		raw := data.NewBatch(set.Schema().Shape, n, t.problem.Labelled)
		index := make([]int, n)
		for i := range index {
			index[i] = from + i
		}
		if err := set.Read(ctx, raw, index); err != nil {
			return nil, err
		}
		ready := data.NewBatch(t.problem.Out, n, false)
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
	prog, err := tensor.Build(func(g *tensor.Graph) { v.metrics = output(g, loss(t.inputs(g, n, false))) })
	if err != nil {
		return v, err
	}
	if v.exec, err = t.backend.Compile(prog, t.judged); err != nil {
		return v, err
	}
	t.checks[n] = v
	return v, nil
}

func (t *trainer) result() *Result {
	vars := t.judged
	if t.best != nil {
		vars = t.best
	}
	s := model.Summary{
		Epochs:         (t.state.Step + t.steps - 1) / t.steps,
		Steps:          t.state.Step,
		Seconds:        t.seconds(),
		TrainLoss:      orNaN(t.state.TrainLoss),
		ValidationLoss: orNaN(t.state.ValidLoss),
		Stopped:        t.state.Stopped,
	}
	if t.best != nil {
		s.ValidationLoss = orNaN(t.state.Best)
	}
	s.ExamplesPerSecond = float64(t.state.Step*t.options.Batch) / max(s.Seconds, 1e-9)
	return &Result{Vars: vars, Summary: s, Metrics: t.state.Metrics}
}

func orNaN(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

func (t *trainer) seconds() float64 { return t.before + time.Since(t.begun).Seconds() }

// tell reports progress, at most ten times a second.
func (t *trainer) tell(always bool) {
	now := time.Now()
	since := now.Sub(t.told)
	if t.run.Progress == nil || !always && since < 100*time.Millisecond {
		return
	}
	if d := t.state.Step - t.toldAt; d > 0 && since > 0 {
		t.perSec = float64(d*t.options.Batch) / since.Seconds()
	}
	t.told, t.toldAt = now, t.state.Step
	total := t.steps * t.options.Epochs
	remaining := time.Duration(-1)
	if t.perSec > 0 {
		remaining = time.Duration(float64((total-t.state.Step)*t.options.Batch) / t.perSec * float64(time.Second))
	}
	t.run.Progress(model.Progress{
		Phase: "training", Epoch: min((t.state.Step+t.steps-1)/t.steps, t.options.Epochs), Epochs: t.options.Epochs,
		Step: t.state.Step, Steps: total, Loss: t.current, ValidationLoss: orNaN(t.state.ValidLoss),
		ExamplesPerSecond: t.perSec, Remaining: remaining, Done: t.state.Done,
	})
}
