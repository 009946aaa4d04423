// Package train minimises losses: mini-batches in a seeded order, learning-rate schedules, moving averages, early stopping,
// checkpoints, progress, and a watch on the health of a run.
//
// [Minimise] is deterministic: which examples a step sees and which random numbers it draws depend on the seed and the
// step's number alone, so a run that is interrupted and resumed ends with the same bits as one that is not, at any number
// of threads.
package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/nn"
	"github.com/likely-ml/likely/tensor"
)

// Batch is what a loss sees while its graph is built: a mini-batch of examples.
type Batch struct {
	X    *tensor.Node // Float32 [n, Problem.Shape...]
	Y    *tensor.Node // Int32 [n]; nil without labels
	Mode *nn.Mode     // whether this is training; its Noise has a new key for each step
	Turn int          // which of the phase's Repeats this is, from 0
}

// Loss is a scalar to minimise, in nats per example where that makes sense, and further scalars to watch.
type Loss struct {
	Value   *tensor.Node
	Metrics []Metric
}

// Metric is a named scalar.
type Metric struct {
	Name  string
	Value *tensor.Node
}

// Phase is one minimisation. A classifier has one; adversaries have two, which take turns on each mini-batch.
type Phase struct {
	Name      string
	Params    nn.Params // those it changes
	Optimiser nn.Optimiser
	Loss      func(b *Batch) Loss
	// Repeats is how often in a row a step minimises the loss, such as a critic's that must run ahead of its generator; 0 is
	// once. Each turn is built anew and sees the parameters that the one before it made; the last one's loss and metrics count.
	Repeats int
}

// Problem is what to minimise.
type Problem struct {
	Params   nn.Params // everything that the model consists of
	Phases   []Phase
	Validate func(b *Batch) Loss // on validation data, in evaluation mode; nil takes the first phase's loss
	Shape    []int               // of one example in the graph
	Labelled bool
	// Prepare turns raw examples into what the graph takes, and in training may vary them by r. It runs beside the steps, but
	// its calls do not overlap.
	Prepare func(dst, raw data.Batch, r Rand) error
	// Out is the shape that Prepare writes; it has as many elements as Shape.
	Out data.Shape
	// Health may look at an epoch's mean metrics (by name, the loss as "loss") and end the run with an error that wraps
	// ErrCollapsed.
	Health func(metrics map[string]float64) error
	// Model makes the fitted model of parameters, for run.Preview; nil where nothing is to be seen before the end.
	Model func(vars tensor.Vars) (model.Model, error)
	// Identity is the recipe as text: a run with another one is not resumed.
	Identity string
}

// NewProblem is the problem of training params for the model of a card: on examples as its transform makes them, with labels
// where it has classes. Phases, and whatever else there is, are for the caller to add.
func NewProblem(card *model.Card, params nn.Params) (Problem, error) {
	recipe, err := json.Marshal(card.Recipe)
	t := card.Transform
	return Problem{
		Params: params, Shape: t.OutShape().Dims(), Out: t.OutShape(), Labelled: card.Classes() > 0,
		Prepare:  func(dst, raw data.Batch, _ Rand) error { return t.Apply(dst, raw) },
		Identity: card.Name + string(recipe),
	}, err
}

// Options are how to minimise.
type Options struct {
	Batch    int      // examples a step; at most the size of the set
	Epochs   int      // passes over the data
	Rate     float64  // the learning rate at its highest
	Schedule Schedule // of the learning rate
	WarmUp   int      // steps over which the rate rises from 0
	Clip     float64  // greatest norm of all gradients together; 0 for no limit
	Average  float64  // decay of a moving average of the parameters, which then is the result; 0 for none
	Patience int      // epochs without a better validation loss before the run stops, and takes the best; 0 for no limit
	// CheckpointEvery is the least time between checkpoints where the run does not say; 0 is 10 s.
	CheckpointEvery time.Duration
}

// check reports the first option that makes no sense.
func (o *Options) check() error {
	for _, x := range []struct {
		name  string
		value float64
		ok    bool
		want  string
	}{
		{"batch", float64(o.Batch), o.Batch >= 1, "at least 1"},
		{"epochs", float64(o.Epochs), o.Epochs >= 1, "at least 1"},
		{"rate", o.Rate, o.Rate > 0 && !math.IsInf(o.Rate, 1), "a positive number"},
		{"warm-up", float64(o.WarmUp), o.WarmUp >= 0, "no negative number"},
		{"clip", o.Clip, o.Clip >= 0, "no negative number"},
		{"average", o.Average, o.Average >= 0 && o.Average < 1, "at least 0 and less than 1"},
		{"patience", float64(o.Patience), o.Patience >= 0, "no negative number"},
	} {
		if !x.ok {
			return fmt.Errorf("option %s is %v, expected %s", x.name, x.value, x.want)
		}
	}
	switch o.Schedule {
	case "", Constant, Cosine, Linear:
		return nil
	}
	return fmt.Errorf("option schedule is %q, expected %s, %s or %s", o.Schedule, Constant, Cosine, Linear)
}

// Result is where a run ended.
type Result struct {
	Vars    tensor.Vars // the parameters: those of the best epoch with Patience, averaged with Average
	Summary model.Summary
	Metrics map[string]float64 // of the last epoch
}

// What ends a run before its time.
var (
	// ErrInterrupted: the context ended. A checkpoint has been written if the run has a folder.
	ErrInterrupted = errors.New("interrupted")
	// ErrNotFinite: the loss became NaN or infinite.
	ErrNotFinite = errors.New("the loss is not finite")
	// ErrExploding: the loss grew far beyond where it began.
	ErrExploding = errors.New("the loss explodes")
	// ErrCollapsed: the model gives up part of what it should learn, such as a generator that makes one picture.
	ErrCollapsed = errors.New("the model has collapsed")
	// ErrOtherRun: the checkpoint to resume from is of another recipe, seed or data set.
	ErrOtherRun = errors.New("the checkpoint belongs to another run")
)

// Minimise runs the problem on a set until its epochs are done, the validation loss stops improving, or ctx ends. Where
// run.Dir is not empty it keeps metrics.jsonl and checkpoints/last.safetensors there, and with run.Resume goes on from
// the latter.
func Minimise(ctx context.Context, p Problem, set data.Set, o Options, run model.Run) (*Result, error) {
	t, err := newTrainer(p, set, o, run)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	if t.state.Done { // resumed after its end
		t.tell(true)
		return t.result(), nil
	}
	if err := t.hold(); err != nil {
		return nil, err
	}
	for !t.state.Done {
		if err := t.epoch(ctx); err != nil {
			if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
				return nil, err
			}
			if err := t.checkpoint(); err != nil {
				return nil, err
			}
			how := ""
			if run.Dir != "" {
				how = "; resume to go on from there"
			}
			return nil, fmt.Errorf("%w after step %d of %d%s: %w", ErrInterrupted, t.state.Step, t.steps*t.options.Epochs, how, ctx.Err())
		}
	}
	if err := t.release(); err != nil {
		return nil, err
	}
	if err := t.finite(); err != nil {
		return nil, err
	}
	if err := t.checkpoint(); err != nil {
		return nil, err
	}
	if err := t.writeProfile(); err != nil {
		return nil, err
	}
	return t.result(), nil
}

// state is where a run stands, apart from its arrays. It is what a checkpoint stores of it.
type state struct {
	Step       int             `json:"step"` // steps done
	EpochLoss  sum             `json:"epoch_loss"`
	EpochExtra map[string]sum  `json:"epoch_extra"`
	First      real            `json:"first"`           // the first loss
	Exploding  int             `json:"exploding"`       // steps in a row with a loss far beyond it
	TrainLoss  real            `json:"train_loss"`      // of the last epoch, NaN before
	ValidLoss  real            `json:"validation_loss"` // likewise
	Best       real            `json:"best"`            // the best validation loss, NaN before
	Waited     int             `json:"waited"`          // epochs since the best
	Metrics    map[string]real `json:"metrics"`
	LogBytes   int64           `json:"log_bytes"` // length of metrics.jsonl
	Seconds    float64         `json:"seconds"`
	Done       bool            `json:"done"`
	Stopped    string          `json:"stopped"`
}

// sum is a running mean.
type sum struct {
	Total real `json:"total"`
	Count int  `json:"count"`
}

func (s *sum) add(x float64, n int) { s.Total += real(x * float64(n)); s.Count += n }

func (s sum) mean() float64 {
	if s.Count == 0 {
		return math.NaN()
	}
	return float64(s.Total) / float64(s.Count)
}

// real is a float64 that JSON keeps exactly; where it is not finite, as a string.
type real float64

func (x real) MarshalJSON() ([]byte, error) {
	if x-x != 0 {
		return strconv.AppendQuote(nil, strconv.FormatFloat(float64(x), 'g', -1, 64)), nil
	}
	return json.Marshal(float64(x))
}

func (x *real) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*x = real(v)
	return err
}
