package main

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/report"
)

// latentFlags are those of sample that go through the latent space of a model.
type latentFlags struct {
	interpolate string
	traverse    bool
	reconstruct bool
	data        string
	steps       int
	path        string
}

// The paths of an interpolation.
const (
	spherical = "spherical"
	linear    = "linear"
)

func (f *latentFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.interpolate, "interpolate", "", "walk through the latent space between the places `A,B`")
	flags.BoolVar(&f.traverse, "traverse", false, "move along single dimensions of the latent")
	flags.BoolVar(&f.reconstruct, "reconstruct", false, "show examples beside their reconstructions")
	flags.StringVar(&f.data, "data", "", "`DATA` of the examples to interpolate, traverse or reconstruct")
	flags.IntVar(&f.steps, "steps", 0, "pictures from one end to the other, `N`; 0 for 10, 24 in a GIF, 7 to traverse")
	flags.StringVar(&f.path, "path", spherical, "`way` to interpolate: spherical or linear")
}

// mode is the flag that says what to show of the latent space, "" for none.
func (f *latentFlags) mode() string {
	switch {
	case f.interpolate != "":
		return "--interpolate"
	case f.traverse:
		return "--traverse"
	case f.reconstruct:
		return "--reconstruct"
	}
	return ""
}

// check looks at the words that need no model.
func (f *latentFlags) check(s *sampleFlags) error {
	mode := f.mode()
	for _, other := range []struct {
		name string
		on   bool
	}{{"--traverse", f.traverse}, {"--reconstruct", f.reconstruct}, {"--nearest", s.nearest != ""}} {
		if mode != "" && other.on && other.name != mode {
			return usagef("%s and %s show two things; choose one of them", mode, other.name)
		}
	}
	switch {
	case mode == "" && f.data != "":
		return usagef("--data is for --interpolate, --traverse or --reconstruct; add one of them")
	case f.steps != 0 && mode != "--interpolate" && mode != "--traverse":
		return usagef("--steps is for --interpolate or --traverse; add one of them")
	case f.path != spherical && f.path != linear:
		return usagef("--path is %q, expected %s or %s", f.path, spherical, linear)
	case f.path != spherical && mode != "--interpolate":
		return usagef("--path is for --interpolate; add it")
	case f.steps != 0 && (f.steps < 2 || f.steps > mostSteps):
		return usagef("--steps is %d, expected 2 to %d", f.steps, mostSteps)
	case mode == "--interpolate" && s.n != 0:
		return usagef("-n is how many to draw; with --interpolate say --steps")
	case mode == "--reconstruct" && f.data == "":
		return usagef("--reconstruct needs examples: --data DATA")
	case mode != "" && s.out != "" && (!isFileName(s.out) || isArray(s.out)):
		return usagef("--out %s: with %s expected a name that ends in .png, .csv or .parquet", s.out, mode)
	}
	return nil
}

// mostSteps bounds an animation.
const mostSteps = 1000

// latent is a model with a latent space, and the class that its pictures are to be of.
type latent struct {
	app     *app
	name    string // of the model
	schema  *data.Schema
	encoder model.Encoder // nil: the model has none
	decoder model.Decoder
	prior   model.LatentSampler // nil: N(0, I)
	size    int                 // of a code
	// Of a conditional model: the class to decode as, for what has no label or, with --class, for all.
	conditional, chosen, noted bool
	class                      int32
}

func (a *app) openLatent(m model.Model, path string, file *model.File, f sampleFlags) (*latent, error) {
	l := &latent{app: a, name: file.Card.Name, schema: file.Card.Schema, conditional: isConditional(m)}
	var ok bool
	if l.decoder, ok = m.(model.Decoder); !ok {
		return nil, usagef("%s holds the model %s, which has no latent space to go through; expected one such as vae or gan", path, l.name)
	}
	l.encoder, _ = m.(model.Encoder)
	if prior, ok := m.(model.LatentSampler); ok && !prior.StandardLatent() {
		l.prior = prior
	}
	l.size = l.decoder.LatentSize()
	if f.class == "" {
		return l, nil
	}
	k, known := l.schema.Class(f.class)
	switch {
	case !l.conditional:
		return nil, usagef("--class %s: the model of %s is of p(x), without classes", f.class, path)
	case !known && f.class == "all":
		return nil, usagef("--class all: %s shows one class; expected its name", f.mode())
	case !known:
		return nil, unknownClass(f.class, path, l.schema, "one of ")
	}
	l.class, l.chosen = int32(k), true
	return l, nil
}

// needsEncoder reports that a model has no way from x to its code.
func (l *latent) needsEncoder(flag, instead string) error {
	if l.encoder != nil {
		return nil
	}
	return usagef("%s: the model %s has no encoder, so no example has a place in its latent space; %s", flag, l.name, instead)
}

// open opens a DATA argument in the model's terms. Only a conditional model wants labels.
func (l *latent) open(ctx context.Context, arg string) (data.Set, error) {
	schema := *l.schema
	if !l.conditional {
		schema.Classes = nil
	}
	_, set, err := l.app.openPart(ctx, arg, data.Options{Schema: &schema})
	return set, err
}

// place is a code and the class that it belongs to.
type place struct {
	z []float32
	y int32
}

// encode finds the examples of a set at the given indices and their places. An example of a conditional model is encoded
// under its own class, or where it has none under that of --class.
func (l *latent) encode(ctx context.Context, set data.Set, index []int) (data.Batch, []place, error) {
	x := data.NewBatch(l.schema.Shape, len(index), l.conditional && set.Schema().Labelled())
	if err := set.Read(ctx, x, index); err != nil {
		return x, nil, err
	}
	if l.conditional && x.Y == nil {
		l.noteClass("the examples have no labels")
		x.Y = slices.Repeat([]int32{l.class}, x.Len())
	}
	z := make([]float32, x.Len()*l.size)
	if err := l.encoder.Encode(z, x, x.Y); err != nil {
		return x, nil, err
	}
	places := make([]place, x.Len())
	for i := range places {
		places[i].z = z[i*l.size : (i+1)*l.size]
		if l.conditional {
			places[i].y = x.Y[i]
		}
	}
	return x, places, nil
}

// noteClass says which class is taken where nobody has chosen one.
func (l *latent) noteClass(why string) {
	if l.conditional && !l.chosen && !l.noted {
		l.noted = true
		l.app.note("%s; taken for class %q, --class NAME takes another", why, l.schema.Classes[l.class])
	}
}

// decode makes x of places.
func (l *latent) decode(places []place) (data.Batch, error) {
	x := data.NewBatch(l.schema.Shape, len(places), false)
	var z []float32
	var y []int32
	for _, p := range places {
		z = append(z, p.z...)
		switch {
		case l.chosen:
			y = append(y, l.class)
		case l.conditional:
			y = append(y, p.y)
		}
	}
	return x, l.decoder.Decode(x, z, y)
}

func (a *app) runLatent(ctx context.Context, m model.Model, path string, file *model.File, f sampleFlags) error {
	l, err := a.openLatent(m, path, file, f)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(a.seed, 0))
	var e exhibit
	var out string
	switch f.mode() {
	case "--interpolate":
		out = "interpolation.png"
		e, err = l.interpolation(ctx, f, r)
	case "--traverse":
		out = "traversal.png"
		e, err = l.traversal(ctx, f, r)
	case "--reconstruct":
		out = "reconstruction.png"
		e, err = l.reconstruction(ctx, f, r)
	}
	if err != nil {
		return err
	}
	if f.out == "" && l.schema.IsImage() {
		f.out = out
	}
	if strings.HasSuffix(f.out, ".gif") {
		err = atomicfile.Write(f.out, func(w io.Writer) error { return writeWalk(w, l.schema, e.batch) })
	} else {
		err = a.writeExhibit(ctx, f.out, l.schema, e)
	}
	switch {
	case err != nil:
		return err
	case a.json:
		object := map[string]any{"model": l.name, "n": e.batch.Len(), "shape": l.schema.Dims(), "latent_size": l.size, "seed": a.seed}
		if f.out != "" {
			object["out"] = f.out
		}
		return a.printJSON(object)
	case f.out != "":
		return a.facts("model", l.name, "seed", fmt.Sprint(a.seed), "latent", plural(l.size, "dimension", "dimensions"), "written", f.out)
	}
	return nil
}

// interpolation walks from stop to stop. Between two classes, where the model has none, the class changes half-way.
func (l *latent) interpolation(ctx context.Context, f sampleFlags, r *rand.Rand) (exhibit, error) {
	stops, err := l.stops(ctx, f, r)
	if err != nil {
		return exhibit{}, err
	}
	way := slerp
	if f.path == linear {
		way = lerp
	}
	steps := f.steps
	if steps == 0 {
		if steps = 10; strings.HasSuffix(f.out, ".gif") {
			steps = 24
		}
	}
	places, at := walk(stops, steps, way)
	e := exhibit{grid: report.GridOptions{MaxValue: l.schema.MaxValue, Columns: min(steps, 12)}}
	e.before = []column{{"t", data.Numeric, func(i int) string { return strconv.FormatFloat(at[i], 'g', 6, 64) }}}
	e.batch, err = l.decode(places)
	return e, err
}

// walk goes from stop to stop in the given number of steps. at says where each place is: k and a half lies half-way from stop k to
// the next one.
func walk(stops []place, steps int, way func(a, b []float32, t float64) []float32) (places []place, at []float64) {
	for i := range steps {
		from := float64(i) / float64(steps-1) * float64(len(stops)-1)
		k := min(int(from), len(stops)-2)
		t := from - float64(k)
		p := place{way(stops[k].z, stops[k+1].z, t), stops[k].y}
		if t > 0.5 {
			p.y = stops[k+1].y
		}
		places, at = append(places, p), append(at, from)
	}
	return places, at
}

// stops are the places of --interpolate.
func (l *latent) stops(ctx context.Context, f sampleFlags, r *rand.Rand) ([]place, error) {
	names := strings.Split(f.interpolate, ",")
	if len(names) < 2 || slices.Contains(names, "") {
		return nil, usagef("--interpolate is %q, expected two places or more, such as 3,17 or a.png,b.png or random,random", f.interpolate)
	}
	var set data.Set
	var stops []place
	unlabelled := false
	for _, name := range names {
		if name == "random" {
			drawn, err := l.random(1, l.class, r)
			if err != nil {
				return nil, err
			}
			stops, unlabelled = append(stops, drawn...), true
			continue
		}
		if err := l.needsEncoder("--interpolate "+f.interpolate, "expected random,random"); err != nil {
			return nil, err
		}
		number, err := strconv.Atoi(name)
		isNumber := err == nil
		from, index := set, number-1
		switch {
		case isNumber && f.data == "":
			return nil, usagef("--interpolate %s: a number is that of an example of DATA; add --data DATA", f.interpolate)
		case isNumber && set == nil:
			if set, err = l.open(ctx, f.data); err != nil {
				return nil, err
			}
			from = set
		case !isNumber && !l.schema.IsImage():
			return nil, usagef("--interpolate %s: expected numbers of rows of --data, or random, and %q is neither", f.interpolate, name)
		case !isNumber:
			if from, err = l.open(ctx, name); err != nil {
				return nil, fmt.Errorf("--interpolate: %w", err)
			}
			index = 0
		}
		if isNumber && (number < 1 || number > set.Len()) {
			return nil, usagef("--interpolate %s: there is no example %s in %s; expected 1 to %d", f.interpolate, name, f.data, set.Len())
		}
		_, places, err := l.encode(ctx, from, []int{index})
		if err != nil {
			return nil, err
		}
		stops = append(stops, places...)
	}
	if f.data != "" && set == nil {
		return nil, usagef("--data %s: no place of --interpolate %s is the number of an example; leave --data out, or give a number", f.data, f.interpolate)
	}
	if unlabelled {
		l.noteClass("random places have no class")
	}
	for _, s := range stops {
		if s.y != stops[0].y && !l.chosen {
			l.app.note("the places are of different classes: the class changes half-way from one to the next, --class NAME keeps it")
			break
		}
	}
	return stops, nil
}

// random are n places drawn from p(z), or of a conditional model from p(z|y).
func (l *latent) random(n int, y int32, r *rand.Rand) ([]place, error) {
	z := make([]float32, n*l.size)
	if l.prior == nil {
		for j := range z {
			z[j] = float32(r.NormFloat64())
		}
	} else {
		var classes []int32
		if l.conditional {
			classes = slices.Repeat([]int32{y}, n)
		}
		if err := l.prior.SampleLatent(z, classes, r); err != nil {
			return nil, err
		}
	}
	places := make([]place, n)
	for i := range places {
		places[i] = place{z[i*l.size : (i+1)*l.size], y}
	}
	return places, nil
}

// lerp is (1−t) a + t b.
func lerp(a, b []float32, t float64) []float32 { return weighted(a, b, 1-t, t) }

// slerp is sin((1−t)Ω)/sin Ω a + sin(tΩ)/sin Ω b with the angle Ω between a and b: a path along which the length changes
// evenly, so that it does not lead through the middle of N(0, I), where hardly any probability lies (Shoemake, Animating
// rotation with quaternion curves, 1985; White, Sampling generative networks, 2016). Where a and b have one direction, or
// opposite ones, or no length, there is no such path or many, and it is lerp.
func slerp(a, b []float32, t float64) []float32 {
	var aa, bb, ab float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		aa, bb, ab = aa+x*x, bb+y*y, ab+x*y
	}
	angle := math.Acos(max(-1, min(1, ab/math.Sqrt(aa*bb))))
	if sin := math.Sin(angle); sin > 1e-4 {
		return weighted(a, b, math.Sin((1-t)*angle)/sin, math.Sin(t*angle)/sin)
	}
	return lerp(a, b, t) // NaN too
}

func weighted(a, b []float32, u, v float64) []float32 {
	z := make([]float32, len(a))
	for i := range z {
		z[i] = float32(u*float64(a[i]) + v*float64(b[i]))
	}
	return z
}

// A walk is shown with pictures of about walkSide pixels.
const (
	walkSide  = 224
	walkDelay = 80 * time.Millisecond
)

// writeWalk animates pictures, forth and back.
func writeWalk(w io.Writer, schema *data.Schema, b data.Batch) error {
	scale := max(1, walkSide/max(schema.Height, schema.Width))
	var frames []image.Image
	for i := range b.Len() {
		page, err := report.Draw(b.Slice(i, i+1), report.GridOptions{MaxValue: schema.MaxValue, Scale: scale})
		if err != nil {
			return err
		}
		frames = append(frames, page)
	}
	for i := b.Len() - 2; i > 0; i-- {
		frames = append(frames, frames[i])
	}
	return report.Animation(w, frames, walkDelay, 0)
}

// traversed is how many dimensions are shown where -n does not say, and codeExamples how many examples, or draws of a prior, tell
// their moments.
const (
	traversed    = 8
	codeExamples = 2000
)

// traversal moves along one dimension at a time, from three standard deviations of the prior below its mean to three above, with all
// others at their means: from −3 to 3 with all others at 0, where the prior is N(0, I).
func (l *latent) traversal(ctx context.Context, f sampleFlags, r *rand.Rand) (exhibit, error) {
	rows, steps := min(orElse(f.n, traversed), l.size), orElse(f.steps, 7)
	dims := make([]int, l.size)
	for j := range dims {
		dims[j] = j
	}
	if f.data != "" {
		variance, err := l.variances(ctx, f.data)
		if err != nil {
			return exhibit{}, err
		}
		slices.SortStableFunc(dims, func(a, b int) int { return cmp.Compare(variance[b], variance[a]) })
	}
	mean, sd, err := l.priorMoments(r)
	if err != nil {
		return exhibit{}, err
	}
	at := func(i int) float64 {
		j := dims[i/steps]
		return mean[j] + sd[j]*(-3+6*float64(i%steps)/float64(steps-1))
	}
	e := exhibit{grid: report.GridOptions{MaxValue: l.schema.MaxValue, Columns: steps}}
	e.before = []column{
		{"dimension", data.Integer, func(i int) string { return strconv.Itoa(dims[i/steps] + 1) }},
		{"z", data.Numeric, func(i int) string { return strconv.FormatFloat(at(i), 'g', 6, 64) }},
	}
	places := make([]place, rows*steps)
	for i := range places {
		places[i] = place{make([]float32, l.size), l.class}
		for j, v := range mean {
			places[i].z[j] = float32(v)
		}
		places[i].z[dims[i/steps]] = float32(at(i))
	}
	l.noteClass("no class is chosen")
	for _, j := range dims[:rows] {
		e.grid.Labels = append(e.grid.Labels, fmt.Sprint("z", j+1))
	}
	e.batch, err = l.decode(places)
	return e, err
}

// priorMoments are the mean and the standard deviation of each dimension under p(z), or p(z|y) of the class to decode as: 0 and 1
// of N(0, I), and estimates from draws of another.
func (l *latent) priorMoments(r *rand.Rand) (mean, sd []float64, err error) {
	if l.prior == nil {
		return make([]float64, l.size), slices.Repeat([]float64{1}, l.size), nil
	}
	drawn, err := l.random(codeExamples, l.class, r)
	if err != nil {
		return nil, nil, err
	}
	mean, sd = moments(drawn, l.size)
	for j, v := range sd {
		sd[j] = math.Sqrt(v)
	}
	return mean, sd, nil
}

// variances are those of each dimension of the code over the first examples of a set. A dimension that the model does not
// use has about 0 (Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, 2016, section 5.2).
func (l *latent) variances(ctx context.Context, arg string) ([]float64, error) {
	if err := l.needsEncoder("--data "+arg, "leave --data out"); err != nil {
		return nil, err
	}
	set, err := l.open(ctx, arg)
	if err != nil {
		return nil, err
	}
	// Spread over the whole set, which may be in the order of its classes.
	index := make([]int, min(set.Len(), codeExamples))
	for i := range index {
		index[i] = i * set.Len() / len(index)
	}
	_, places, err := l.encode(ctx, set, index)
	if err != nil {
		return nil, err
	}
	_, variance := moments(places, l.size)
	return variance, nil
}

// moments are the mean and the variance of each of the given number of dimensions.
func moments(places []place, size int) (mean, variance []float64) {
	mean, variance = make([]float64, size), make([]float64, size)
	for _, p := range places {
		for j, v := range p.z {
			mean[j] += float64(v) / float64(len(places))
		}
	}
	for _, p := range places {
		for j, v := range p.z {
			d := float64(v) - mean[j]
			variance[j] += d * d / float64(len(places))
		}
	}
	return mean, variance
}

// reconstructed is how many examples are shown where -n does not say.
const reconstructed = 20

// reconstruction shows examples, drawn from the data without replacement, each with what the model makes of its code to
// its right.
func (l *latent) reconstruction(ctx context.Context, f sampleFlags, r *rand.Rand) (exhibit, error) {
	if err := l.needsEncoder("--reconstruct", "expected one such as vae"); err != nil {
		return exhibit{}, err
	}
	set, err := l.open(ctx, f.data)
	if err != nil {
		return exhibit{}, err
	}
	index := r.Perm(set.Len())[:min(orElse(f.n, reconstructed), set.Len())]
	slices.Sort(index)
	x, places, err := l.encode(ctx, set, index)
	if err != nil {
		return exhibit{}, err
	}
	again, err := l.decode(places)
	if err != nil {
		return exhibit{}, err
	}
	e := exhibit{batch: sideBySide(x, again), grid: report.GridOptions{MaxValue: l.schema.MaxValue, Group: 2}}
	e.before = []column{
		{"example", data.Integer, func(i int) string { return strconv.Itoa(index[i/2] + 1) }},
		{"of", data.Categorical, func(i int) string { return []string{"data", "model"}[i%2] }},
	}
	return e, nil
}
