package model

import (
	"context"
	"io"
	"time"

	"github.com/likely-ml/likely/data"
)

// Spec is a recipe: the hyperparameters of a model, JSON-encodable, without learned state. It is a pointer to a struct
// whose fields carry the tags that Field describes.
type Spec interface {
	// Fit learns a model from train, in the raw units of the data. A cancelled ctx ends it with an error that wraps ctx's.
	// The model depends on the recipe, the data and run.Seed alone: not on threads, times or places.
	Fit(ctx context.Context, train data.Set, run Run) (Model, *Summary, error)
}

// Run is how, as opposed to what, to fit. Its zero value is a usable one.
type Run struct {
	Validation data.Set       // held out from train to watch the loss; nil for none
	Seed       uint64         // of everything random
	Epochs     int            // passes over the data; 0 takes the recipe's
	Threads    int            // worker threads; 0 takes one per CPU
	Backend    string         // what computes: "cpu" or "reference"; "" is "cpu"
	Dir        string         // run folder for metrics and checkpoints; "" for none
	Resume     bool           // continue from the last checkpoint in Dir, if there is one
	Checkpoint time.Duration  // least time between checkpoints; 0 is 10 s
	Progress   func(Progress) // told how far the work has come; nil for nobody. Calls do not overlap
	// Preview, if not nil, is given the model as it stands at the end of an epoch, counted from 1, as often as that costs little
	// beside training, and at the end of the last. Its error ends the fit. Models that are fitted in one go do not call it.
	Preview    func(epoch int, m Model) error
	Profile    io.Writer  // where a table of the time of each kernel goes; nil for none
	Provenance Provenance // stored in the model
}

// Progress is how far a fit has come.
type Progress struct {
	Phase             string        // what is being done, such as "training"
	Epoch, Epochs     int           // counted from 1; Epochs is 0 where there are none
	Step, Steps       int           // of all epochs together; Steps is 0 where the number is not known
	Loss              float64       // a recent mean of the training loss, nats per example; NaN unknown
	ValidationLoss    float64       // after the last epoch, nats per example; NaN unknown
	ExamplesPerSecond float64       // recent speed
	Remaining         time.Duration // estimated; negative unknown
	Done              bool          // nothing more follows
}

// Summary is what a fit has to tell beside the model.
type Summary struct {
	Epochs            int      `json:"epochs"`
	Steps             int      `json:"steps"`
	Seconds           float64  `json:"seconds"`
	ExamplesPerSecond float64  `json:"examples_per_second"`
	TrainLoss         float64  `json:"train_loss"`      // NaN unknown
	ValidationLoss    float64  `json:"validation_loss"` // NaN unknown
	LossUnit          string   `json:"loss_unit"`       // of both; "" for nats per example
	Stopped           string   `json:"stopped"`         // why it ended: "converged", "all epochs done", "no improvement for 5 epochs"
	Notes             []string `json:"notes"`           // what a person should know, one sentence each
}

// Provenance says which data made a model and how its test part was held out, so that an evaluation on the same data
// finds the part that the model has not seen.
type Provenance struct {
	Data        string `json:"data"`        // base name of the data set; never a whole path
	Fingerprint string `json:"fingerprint"` // data.Fingerprint of the whole source
	Part        string `json:"part"`        // the part that was fitted on: train, test or all
	Label       string `json:"label,omitempty"`
	Seed        uint64 `json:"seed"`
	// TestFraction is the share of the source that was held out with Seed because it has no test part; else 0.
	TestFraction float64 `json:"test_fraction"`
	// ValidationFraction is the share of the rest that was set aside with Seed to watch the loss.
	ValidationFraction float64 `json:"validation_fraction"`
	Examples           int     `json:"examples"` // fitted on
}
