package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/dist"
	"github.com/likely-ml/likely/divergence"
	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/measure"
)

type divergenceFlags struct {
	kinds     string
	method    string
	alpha     float64
	bandwidth float64
	n         int

	classifier string
	dataFlags
}

func (a *app) divergence() *cobra.Command {
	var f divergenceFlags
	cmd := &cobra.Command{
		Use:   "divergence P Q",
		Short: "Measure how near two distributions are",
		Long: `divergence prints how near two distributions P and Q are, each with its error.

P and Q are each a written distribution, such as normal(0,1), the FILE of a
generative model, or DATA. Distances and densities are in the raw units of x, so
both must be of the same: as many numbers, or pictures of one size, or the same
columns of a table.

The method is the best that applies to each kind, or the one of --method:

  exact       a formula
  quadrature  numerical integration, up to 3 dimensions; the error is a bound
  mc          means over -n draws of P and of Q, where log p and log q are
              known; the error is a standard error
  samples     distances of a sample of P and one of Q
  knn         kl and js from distances to nearest neighbours in two samples
  classifier  kl, js and tv from a classifier that tells P from Q, judged on
              what it has not seen: lower bounds, and a value of kl

Kinds: kl, reverse_kl, jeffreys, js, js_distance, tv, hellinger, chi_square,
renyi (of order --alpha), bhattacharyya, wasserstein1, wasserstein2,
sliced_wasserstein1, sliced_wasserstein2, energy, mmd (squared, with a Gaussian
kernel of width --bandwidth).

Written distributions:
` + writtenHelp(),
		Example: `  likely divergence "normal(0,1)" "normal(1,2)"
  likely divergence "mixture(0.3:normal(-2,1), 0.7:normal(3,1))" "normal(1,2)"
  likely divergence gaussian.safetensors mixture.safetensors --kind kl --json
  likely divergence real.csv synthetic.csv
  likely divergence real.npy synthetic.npy --kind sliced_wasserstein2 -n 100000`,
		Args:              words(2, 2),
		ValidArgsFunction: completeWords(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runDivergence(cmd.Context(), args[0], args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.kinds, "kind", "", "`kinds` with commas between, or all; else kl, reverse_kl, js, tv, hellinger and wasserstein1")
	flags.StringVar(&f.method, "method", "", "`how`: exact, quadrature, mc, samples, knn or classifier; else the best for each kind")
	flags.Float64Var(&f.alpha, "alpha", 0.5, "order of renyi, `A` > 0, not 1")
	flags.Float64Var(&f.bandwidth, "bandwidth", 0, "width of mmd's kernel, `H`; 0 for the median distance of two draws")
	flags.IntVarP(&f.n, "number", "n", 0, "draws of P and of Q, `N` of each; 0 for 100,000 with mc, or 10,000 where one is a model; else 10,000, or 2,000 pictures")
	flags.StringVar(&f.classifier, "classifier", "", "`model` that tells P from Q; else a small mlp, or cnn for pictures")
	f.add(flags)
	return cmd
}

// writtenHelp lists the families of distributions, a line each.
func writtenHelp() string {
	var names []string
	for _, f := range dist.Families() {
		names = append(names, f.Example)
	}
	return "  " + strings.Join(wrap(strings.Join(names, "  "), 76), "\n  ")
}

// defaultKinds are those that are computed where none is asked for, as far as they can be.
var defaultKinds = []divergence.Kind{divergence.KL, divergence.ReverseKL, divergence.JS, divergence.TotalVariation, divergence.Hellinger, divergence.Wasserstein1}

// methods are what --method takes, the best first.
var methods = []divergence.Method{divergence.Exact, divergence.Quadrature, divergence.MonteCarlo,
	divergence.FromSamples, divergence.Neighbours, divergence.Classifier}

// mostDraws is more than anybody waits for.
const mostDraws = 1_000_000_000

// parse reads the words of the flags.
func (f *divergenceFlags) parse() (kinds []divergence.Kind, use []divergence.Method, err error) {
	use = methods
	if f.method != "" {
		use = nil
		var names []string
		for _, m := range methods {
			names = append(names, string(m))
			if m == divergence.Method(strings.ToLower(f.method)) {
				use = []divergence.Method{m}
			}
		}
		if use == nil {
			hint := suggest.Hint(f.method, names)
			if hint == "" {
				hint = ", expected " + strings.Join(names, ", ")
			}
			return nil, nil, usagef("--method is %q%s", f.method, hint)
		}
	}
	switch {
	case !(f.alpha > 0) || f.alpha == 1 || math.IsInf(f.alpha, 1):
		return nil, nil, usagef("--alpha is %v, expected more than 0 and not 1, where it is kl", f.alpha)
	case !(f.bandwidth >= 0) || math.IsInf(f.bandwidth, 1):
		return nil, nil, usagef("--bandwidth is %v, expected more than 0", f.bandwidth)
	case f.n < 0 || f.n == 1:
		return nil, nil, usagef("-n is %d, expected at least 2", f.n)
	case f.n > mostDraws:
		return nil, nil, usagef("-n is %d, expected at most %d", f.n, mostDraws)
	}
	if f.classifier != "" {
		if _, err := lookupTeller(f.classifier); err != nil {
			return nil, nil, err
		}
	}
	switch f.kinds {
	case "":
		return defaultKinds, use, nil
	case "all":
		return divergence.Kinds(), use, nil
	}
	for _, name := range strings.Split(f.kinds, ",") {
		k, err := divergence.ParseKind(name)
		if err != nil {
			return nil, nil, usagef("--kind: %w", err)
		}
		kinds = append(kinds, k)
	}
	return kinds, use, nil
}

// found is a divergence with how it was computed.
type found struct {
	kind   divergence.Kind
	method divergence.Method
	measure.Measure
	bound     string   // "lower" or "upper" where it is one
	estimator string   // which, of several that a method has
	warnings  []string // what makes it doubtful
}

// missing is a kind that cannot be had.
type missing struct {
	Kind divergence.Kind `json:"kind"`
	Why  string          `json:"why"`
}

func (a *app) runDivergence(ctx context.Context, p, q string, f divergenceFlags) error {
	kinds, use, err := f.parse()
	if err != nil {
		return err
	}
	pair, err := a.openPair(ctx, p, q, f.dataFlags)
	if err != nil {
		return err
	}
	if f.kinds == "" && (pair.p.density == nil || pair.q.density == nil) {
		kinds = sampleKinds
	}
	o := divergence.Params{Alpha: f.alpha, Bandwidth: f.bandwidth}
	n := f.n
	if n == 0 {
		n = 100_000
		if pair.models() {
			n = 10_000
		}
	}
	var results []found
	var lacking []missing
	for _, k := range kinds {
		if k == divergence.MMD && o.Bandwidth == 0 {
			switch o.Bandwidth, err = pair.bandwidth(ctx, a.seed); {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				lacking = append(lacking, missing{k, err.Error()})
				continue
			}
		}
		r, why, err := a.best(ctx, pair, k, use, n, f, o)
		switch {
		case err != nil:
			return err
		case why != "":
			lacking = append(lacking, missing{k, why})
		default:
			results = append(results, r...)
		}
	}
	if len(results) == 0 {
		return fmt.Errorf("none of the kinds can be had of %s and %s: %s: %s", p, q, lacking[0].Kind, lacking[0].Why)
	}
	if f.kinds == "" || f.kinds == "all" {
		lacking = nil // nobody asked for them by name
	}
	if a.json {
		return a.printDivergences(p, q, results, lacking, o)
	}
	return a.showDivergences(pair, results, lacking, o)
}

// best computes a kind by the first method that can; why is the reason where none can. n is the number of draws of mc.
func (a *app) best(ctx context.Context, s *pair, k divergence.Kind, use []divergence.Method, n int, f divergenceFlags, o divergence.Params) (all []found, why string, err error) {
	about := measure.Lower(string(k), k.Unit())
	var reasons []error
	for _, method := range use {
		all = []found{{kind: k, method: method}}
		switch method {
		case divergence.Exact:
			var v measure.Exact
			if s.p.written == nil || s.q.written == nil {
				err = errors.New("a closed form is of two written distributions")
			} else if v, err = divergence.ClosedForm(k, s.p.written, s.q.written, o); err == nil {
				all[0].Measure = v.As(about)
			}
		case divergence.Quadrature:
			var v measure.Integral
			if s.p.density == nil || s.q.density == nil {
				err = s.noDensity()
			} else if v, err = divergence.Integrate(ctx, k, s.p.density, s.q.density, o); err == nil {
				all[0].Measure = v.As(about)
			}
		case divergence.MonteCarlo:
			var v measure.Estimate
			if s.p.density == nil || s.q.density == nil {
				err = s.noDensity()
			} else if v, err = divergence.Simulate(ctx, k, s.p.density, s.q.density, n, a.seed, o); err == nil {
				all[0].Measure = v.As(about)
			}
		case divergence.FromSamples, divergence.Neighbours, divergence.Classifier:
			all, err = a.fromSamples(ctx, s, k, method, len(use) > 1, f, o)
		}
		if err == nil {
			return all, "", nil
		}
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		if usage := new(usageError); errors.As(err, &usage) {
			return nil, "", err
		}
		if errors.Is(err, divergence.ErrNotConverged) { // draws would give a number all the same, and a wrong one
			return nil, err.Error(), nil
		}
		if len(use) == 1 || !errors.Is(err, errNotByMethod) {
			reasons = append(reasons, err)
		}
	}
	return nil, lastReason(s, reasons).Error(), nil
}

// lastReason is the one that says most: why there is no closed form says least, and that samples do not do says more than that there is no
// density, which is known.
func lastReason(s *pair, reasons []error) error {
	if len(reasons) > 3 && (s.p.density == nil || s.q.density == nil) {
		return reasons[len(reasons)-1]
	}
	return reasons[min(1, len(reasons)-1)]
}

// printDivergences writes the JSON object.
func (a *app) printDivergences(p, q string, results []found, lacking []missing, o divergence.Params) error {
	list := []map[string]any{}
	warnings := []string{}
	object := map[string]any{"p": p, "q": q, "seed": a.seed}
	for _, r := range results {
		var bound, estimator any
		if r.bound != "" {
			bound = r.bound
		}
		if r.estimator != "" {
			estimator = r.estimator
		}
		for _, w := range r.warnings {
			if !slices.Contains(warnings, w) {
				warnings = append(warnings, w)
			}
		}
		list = append(list, map[string]any{
			"kind": r.kind, "method": r.method, "value": finite(r.Value), "infinite": math.IsInf(r.Value, 1),
			"standard_error": finite(r.StandardError), "error_bound": finite(r.ErrorBound), "unit": r.Unit, "n": r.N, "bound": bound,
			"number": r.Kind, "estimator": estimator,
		})
		switch r.kind {
		case divergence.Renyi:
			object["alpha"] = o.Alpha
		case divergence.MMD:
			object["bandwidth"] = o.Bandwidth
		}
	}
	object["results"], object["warnings"] = list, warnings
	if lacking != nil {
		object["missing"] = lacking
	}
	return a.printJSON(object)
}

// aside is what the standard errors of a method leave out.
var aside = map[divergence.Method]string{
	divergence.Neighbours: "; the method has an error beside, of unknown size",
	divergence.Classifier: "; a better classifier would come nearer",
}

// showDivergences writes the table, and below it what its numbers mean and what is missing.
func (a *app) showDivergences(s *pair, results []found, lacking []missing, o divergence.Params) error {
	if err := a.facts("P", clip(s.p.name, 70), "Q", clip(s.q.name, 70), "seed", fmt.Sprint(a.seed)); err != nil {
		return err
	}
	rows := [][]string{{"kind", "value", "error", "method", "unit"}}
	var notes []string
	seen := map[string]bool{}
	note := func(format string, args ...any) {
		if line := fmt.Sprintf(format, args...); !seen[line] {
			seen[line] = true
			notes = append(notes, line)
		}
	}
	for _, r := range results {
		size, digits := "", 8
		switch {
		case math.IsInf(r.Value, 1):
			note("%s: infinite, as one of P and Q has mass where the other has none, or too light tails", r.kind)
		case r.Kind == measure.KindIntegral:
			size = strconv.FormatFloat(r.ErrorBound, 'g', 2, 64)
			note("error of quadrature: a bound")
		case r.method == divergence.MonteCarlo:
			size = strconv.FormatFloat(r.StandardError, 'g', 2, 64)
			note("error of mc: the standard error, of %s of P and of Q", plural(r.N, "draw", "draws"))
		case r.Kind != measure.KindExact:
			size = strconv.FormatFloat(r.StandardError, 'g', 2, 64)
			digits = 4
			x, y := s.samples.x.Len(), s.samples.y.Len()
			of := string(r.method)
			if n := s.samples.transported(); n > 0 && (r.kind == divergence.Wasserstein1 || r.kind == divergence.Wasserstein2) {
				x, y, of = n, n, string(r.kind)
			}
			note("error of %s: the standard error, of %s of P and %s of Q%s", of, count(x), count(y), aside[r.method])
		}
		for _, w := range r.warnings {
			note("%s: %s", r.method, w)
		}
		switch r.kind {
		case divergence.Renyi:
			note("renyi: of order %v", o.Alpha)
		case divergence.MMD:
			note("mmd: squared, with a Gaussian kernel of width %s", significant(o.Bandwidth))
		}
		kind := string(r.kind)
		switch {
		case r.bound == "lower" && r.estimator == "nwj":
			kind += " (at least; NWJ)"
		case r.bound == "lower":
			kind += " (at least)"
		}
		rows = append(rows, []string{kind, strconv.FormatFloat(r.Value, 'g', digits, 64), size, string(r.method), r.Unit})
	}
	fmt.Fprintln(a.stdout)
	if err := a.table(rows); err != nil {
		return err
	}
	for _, m := range lacking {
		note("%s: not had: %s", m.Kind, m.Why)
	}
	if len(notes) > 0 {
		fmt.Fprintln(a.stdout)
	}
	for _, line := range notes {
		for _, part := range wrap(line, 80) {
			fmt.Fprintln(a.stdout, part)
		}
	}
	return nil
}
