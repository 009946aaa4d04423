package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

// trainer is a run in progress.
type trainer struct {
	problem Problem
	options Options
	run     model.Run
	set     data.Set
	steps   int // in an epoch
	backend tensor.Backend

	vars    tensor.Vars       // parameters, optimiser state, averages
	judged  tensor.Vars       // what validation and the result see: parameters or their averages
	best    tensor.Vars       // a copy of judged at the best validation loss
	step    tensor.Executable // one step of every phase, in turn
	phases  []runningPhase
	average tensor.Executable // nil without
	held    tensor.Held       // where vars are while the run goes on, nil if in their arrays
	checks  map[int]validation

	identity string // which run this is, for its checkpoints

	state   state
	log     *metricsLog
	begun   time.Time
	before  float64 // seconds of the run before begun
	saved   time.Time
	told    time.Time
	current float64 // a recent mean of the loss
	last    float64 // the loss of the last mini-batch

	previewed  int           // the last epoch that run.Preview saw
	previewing time.Duration // time that it took, all calls together

	perSec     float64 // examples, lately
	from, mark pace    // since when perSec is found, and since when it will be
}

// runningPhase is a phase with the names that the step's program has for its loss, its metrics, and the inputs that take
// the optimiser's scalars, one for each repeat.
type runningPhase struct {
	Phase
	loss    string
	hyper   []string
	metrics []string
}

// newTrainer checks the arguments and compiles the programs of a run that stands at its beginning.
func newTrainer(p Problem, set data.Set, o Options, run model.Run) (*trainer, error) {
	if set.Len() == 0 {
		return nil, errors.New("no examples to train on")
	}
	if run.Epochs > 0 {
		o.Epochs = run.Epochs
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	o.Batch = min(o.Batch, set.Len())
	if run.Checkpoint > 0 {
		o.CheckpointEvery = run.Checkpoint
	}
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
	averages := nn.Averages(p.Params)
	for i, v := range p.Params {
		t.judged[v.Name] = t.vars[v.Name]
		if o.Average > 0 {
			shadow := t.vars[v.Name].Clone()
			t.vars[averages[i].Name], t.judged[v.Name] = shadow, shadow
		}
	}
	for _, phase := range p.Phases {
		for name, a := range phase.Optimiser.State(phase.Params.Trainable()).Init(0) {
			if t.vars[name] != nil {
				return nil, fmt.Errorf("phase %s: the array %q is another phase's too; expected phases that train different parameters", phase.Name, name)
			}
			t.vars[name] = a
		}
	}
	if err := t.compileStep(); err != nil {
		return nil, err
	}
	if o.Average > 0 {
		if err := t.compileAverage(); err != nil {
			return nil, err
		}
	}
	if run.Profile != nil {
		if !cpu.StartProfile(t.step) {
			return nil, fmt.Errorf("a profile is of the kernels of the backend cpu, and this one is %s; use cpu, or ask for no profile", t.backend.Name())
		}
	}
	unknown := real(math.NaN())
	t.state = state{EpochExtra: map[string]sum{}, TrainLoss: unknown, ValidLoss: unknown, Best: unknown}
	t.begun, t.saved = time.Now(), time.Now()
	t.current = math.NaN()
	if t.log, err = openLog(run.Dir); err != nil {
		return nil, err
	}
	return t, nil
}

// close ends what still goes on. Variables are held only if the fit has failed, whose error is the one to tell.
func (t *trainer) close() {
	t.release()
	t.log.close()
}

// hold leaves the variables on the backend's device from here on, if it has one: copying them to each step and back would take
// longer than the step.
func (t *trainer) hold() (err error) {
	if b, ok := t.backend.(tensor.Holder); ok {
		t.held, err = b.Hold(t.vars)
	}
	return err
}

// fetch brings the variables' arrays up to date, before the first look at them since the last step.
func (t *trainer) fetch() error {
	if t.held == nil {
		return nil
	}
	return t.held.Fetch()
}

// release ends what hold began.
func (t *trainer) release() error {
	if t.held == nil {
		return nil
	}
	h := t.held
	t.held = nil
	return h.Release()
}

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

// compileStep is the program of one step: for each phase in turn the loss, its gradients, and what the optimiser makes of
// them, which the phases after it see.
func (t *trainer) compileStep() error {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		b := t.inputs(g, t.options.Batch, true)
		for i, phase := range t.problem.Phases {
			r := runningPhase{Phase: phase, loss: fmt.Sprint("loss ", i)}
			learned := phase.Params.Trainable()
			var loss Loss
			for turn := range max(1, phase.Repeats) {
				b.Turn = turn
				loss = phase.Loss(b)
				grads := tensor.Gradient(loss.Value, learned.Nodes(g)...)
				if t.options.Clip > 0 {
					grads = nn.ClipGlobalNorm(grads, t.options.Clip)
				}
				hyper := fmt.Sprint("hyper ", i, " ", turn)
				phase.Optimiser.Update(learned, grads, g.Input(hyper, tensor.Float32, phase.Optimiser.HyperLen()))
				r.hyper = append(r.hyper, hyper)
			}
			r.metrics = output(g, r.loss, loss)
			t.phases = append(t.phases, r)
		}
		b.Mode.Finish()
	})
	if err != nil {
		return err
	}
	t.step, err = t.backend.Compile(prog, t.vars)
	return err
}

// output names the loss and its metrics as results of the graph.
func output(g *tensor.Graph, name string, l Loss) (metrics []string) {
	g.Output(name, l.Value)
	for _, m := range l.Metrics {
		g.Output(m.Name, m.Value)
		metrics = append(metrics, m.Name)
	}
	return metrics
}

// compileAverage is the program that moves the average of every parameter, and of running statistics too, which belong to
// the parameters that they were measured with.
func (t *trainer) compileAverage() error {
	prog, err := tensor.Build(func(g *tensor.Graph) {
		nn.UpdateAverages(t.problem.Params, g.Input("decay", tensor.Float32))
	})
	if err != nil {
		return err
	}
	t.average, err = t.backend.Compile(prog, t.vars)
	return err
}

// writeProfile writes the time of each kernel of the phases.
func (t *trainer) writeProfile() error {
	if t.run.Profile == nil {
		return nil
	}
	peak := cpu.PeakFLOPS(50 * time.Millisecond)
	if _, err := fmt.Fprintf(t.run.Profile, "peak of one core: %.0f GFLOP/s\n", peak/1e9); err != nil {
		return err
	}
	return cpu.WriteProfile(t.run.Profile, "a training step", cpu.Profile(t.step), peak)
}

// epoch goes on with the epoch that the state stands in, to its end.
func (t *trainer) epoch(ctx context.Context) error {
	if t.state.Step%t.steps == 0 && t.state.EpochLoss.Count > 0 { // interrupted between the last step and its end
		return t.finishEpoch(ctx)
	}
	epoch := t.state.Step / t.steps
	if epoch >= t.options.Epochs {
		t.state.Done, t.state.Stopped = true, "all epochs done"
		return nil
	}
	loading, stop := context.WithCancel(ctx)
	from := t.state.Step % t.steps
	source := t.load(loading, epoch, from, t.steps)
	defer func() { stop(); source.drain() }()
	for range t.steps - from {
		next, ok := <-source.full
		if !ok || ctx.Err() != nil {
			return ctx.Err()
		}
		if next.err != nil {
			return next.err
		}
		if err := t.makeStep(ctx, next.batch); err != nil {
			return err
		}
		source.free <- next.batch
		if t.from.at.IsZero() {
			t.measure()
		}
		if t.state.Step%t.steps != 0 { // finishEpoch tells the rest, with what validation found
			t.tell(false)
		}
		if t.state.Step%logEvery == 0 && t.state.Step%t.steps != 0 {
			if err := t.log.write(t.entry(map[string]float64{"batch_loss": t.last})); err != nil {
				return err
			}
		}
		if t.run.Dir != "" && time.Since(t.saved) >= t.options.CheckpointEvery && t.state.Step%t.steps != 0 {
			if err := t.checkpoint(); err != nil {
				return err
			}
		}
	}
	return t.finishEpoch(ctx)
}

// makeStep runs every phase on a mini-batch.
func (t *trainer) makeStep(ctx context.Context, b data.Batch) error {
	number := t.state.Step
	rate := t.options.rate(number, t.steps*t.options.Epochs)
	noise := generator(t.run.Seed, streamNoise, number)
	key := [2]uint32{noise.Uint32(), noise.Uint32()}
	n := b.Len()
	copy(t.step.Input("x").F32, b.X)
	if t.problem.Labelled {
		copy(t.step.Input("y").I32, b.Y)
	}
	copy(t.step.Input("key").U32, key[:])
	for _, p := range t.phases {
		for turn, hyper := range p.hyper {
			p.Optimiser.Hyper(t.step.Input(hyper).F32, number*len(p.hyper)+turn+1, rate)
		}
	}
	// A step runs to its end once begun: the phases of one must not be torn apart.
	if err := t.step.Run(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	for i, p := range t.phases {
		loss := float64(t.step.Output(p.loss).F32[0])
		if err := t.watch(i, loss, rate); err != nil {
			return err
		}
		if i == 0 {
			t.state.EpochLoss.add(loss, n)
			t.last = loss
			if math.IsNaN(t.current) {
				t.current = loss
			}
			t.current += (loss - t.current) * 0.05
		}
		if len(t.phases) > 1 {
			t.addMetric(p.Name, loss, n)
		}
		for _, m := range p.metrics {
			t.addMetric(m, float64(t.step.Output(m).F32[0]), n)
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

// addMetric adds a mini-batch of n to the epoch's mean of a metric.
func (t *trainer) addMetric(name string, x float64, n int) {
	s := t.state.EpochExtra[name]
	s.add(x, n)
	t.state.EpochExtra[name] = s
}

// finishEpoch validates, logs, and decides whether to go on.
func (t *trainer) finishEpoch(ctx context.Context) error {
	t.measure()
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
		if valid = found["loss"]; math.IsNaN(valid) {
			return fmt.Errorf("epoch %d: on the validation data %w (NaN); lower the learning rate, clip gradients, or check the data for extreme values",
				t.state.Step/t.steps, ErrNotFinite)
		}
	}
	t.state.TrainLoss, t.state.ValidLoss, t.state.Metrics = real(train), real(valid), map[string]real{}
	for name, x := range metrics {
		t.state.Metrics[name] = real(x)
	}
	t.state.EpochLoss, t.state.EpochExtra = sum{}, map[string]sum{}
	if err := t.log.write(t.entry(metrics)); err != nil {
		return err
	}
	if t.problem.Health != nil {
		if err := t.problem.Health(metrics); err != nil {
			return err
		}
	}
	if t.options.Patience > 0 && !math.IsNaN(valid) {
		if best := float64(t.state.Best); math.IsNaN(best) || valid < best {
			t.state.Best, t.state.Waited = real(valid), 0
			if err := t.keepBest(); err != nil {
				return err
			}
		} else if t.state.Waited++; t.state.Waited >= t.options.Patience {
			t.state.Done, t.state.Stopped = true, fmt.Sprintf("no better validation loss for %d epochs", t.options.Patience)
		}
	}
	if t.state.Step >= t.steps*t.options.Epochs && !t.state.Done {
		t.state.Done, t.state.Stopped = true, "all epochs done"
	}
	t.tell(true)
	if err := t.preview(); err != nil {
		return err
	}
	if t.run.Dir != "" && time.Since(t.saved) >= t.options.CheckpointEvery {
		return t.checkpoint()
	}
	return nil
}

// result is where the run ended.
func (t *trainer) result() *Result {
	vars := t.judged
	if t.best != nil {
		vars = t.best
	}
	s := model.Summary{
		Epochs:         (t.state.Step + t.steps - 1) / t.steps,
		Steps:          t.state.Step,
		Seconds:        t.state.Seconds,
		TrainLoss:      float64(t.state.TrainLoss),
		ValidationLoss: float64(t.state.ValidLoss),
		Stopped:        t.state.Stopped,
	}
	if t.best != nil {
		s.ValidationLoss = float64(t.state.Best)
	}
	if t.options.Patience > 0 && (t.run.Validation == nil || t.run.Validation.Len() == 0) {
		s.Notes = append(s.Notes, "Without validation data the patience had no effect.")
	}
	s.ExamplesPerSecond = float64(t.state.Step*t.options.Batch) / max(s.Seconds, 1e-9)
	metrics := map[string]float64{}
	for name, x := range t.state.Metrics {
		metrics[name] = float64(x)
	}
	return &Result{Vars: vars, Summary: s, Metrics: metrics}
}
