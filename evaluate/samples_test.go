package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

func pointsOf(rows [][]float64) points {
	p := newPoints(len(rows), len(rows[0]))
	for i, row := range rows {
		copy(p.row(i), row)
	}
	return p
}

// normals is n draws from a Gaussian with independent coordinates.
func normals(r *rand.Rand, n, d int, mean, sd float64) points {
	p := newPoints(n, d)
	for i := range p.x {
		p.x[i] = mean + sd*r.NormFloat64()
	}
	return p
}

func TestSampleMeasuresEqualPlainFormulas(t *testing.T) {
	var golden struct {
		Cases []struct {
			Name                                               string
			Real, Generated                                    [][]float64
			Frechet, KID, Precision, Recall, Density, Coverage float64
		}
	}
	readGolden(t, "samples.json", &golden)
	for _, g := range golden.Cases {
		t.Run(g.Name, func(t *testing.T) {
			real, generated := pointsOf(g.Real), pointsOf(g.Generated)
			distance, err := frechet(real, generated)
			if err != nil {
				t.Fatal(err)
			}
			kernel, err := kid(context.Background(), real, generated)
			if err != nil {
				t.Fatal(err)
			}
			precision, recall, density, coverage, err := neighbours(context.Background(), real, generated)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "Fréchet distance", distance, g.Frechet, 1e-12*(1+g.Frechet)) // some hundred roundings
			near(t, "kernel distance", kernel.Value, g.KID, 1e-12)
			near(t, "precision", precision.Value, g.Precision, 1e-15)
			near(t, "recall", recall.Value, g.Recall, 1e-15)
			near(t, "density", density.Value, g.Density, 1e-15)
			near(t, "coverage", coverage.Value, g.Coverage, 1e-15)
		})
	}
}

// cross is four points with mean (u, v) and covariance 2/3 R diag(a^2, b^2) R^T, R a turn by the given angle.
func cross(u, v, a, b, angle float64) points {
	s, c := math.Sincos(angle)
	return pointsOf([][]float64{
		{u + a*c, v + a*s}, {u - a*c, v - a*s}, {u - b*s, v + b*c}, {u + b*s, v - b*c},
	})
}

func TestFrechetOfKnownGaussians(t *testing.T) {
	// Covariances with common axes: the distance is that of the means plus that of the deviations.
	got, err := frechet(cross(0, 0, 3, 1, 0.7), cross(1, -2, 2, 5, 0.7))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "with common axes", got, 1+4+2.0/3*(1+16), 1e-13)

	// In the plane tr (M^(1/2)) = (tr M + 2 (det M)^(1/2))^(1/2) for any M with positive eigenvalues.
	got, err = frechet(cross(0, 0, 3, 1, 0.7), cross(0, 0, 2, 5, 0))
	if err != nil {
		t.Fatal(err)
	}
	s, c := math.Sincos(0.7)
	c11, c22 := 2.0/3*(9*c*c+1*s*s), 2.0/3*(9*s*s+1*c*c) // the diagonal of the first covariance
	traceOfProduct := c11*(2.0/3*4) + c22*(2.0/3*25)
	root := math.Sqrt(traceOfProduct + 2*math.Pow(2.0/3, 2)*3*1*2*5)
	near(t, "with turned axes", got, 2.0/3*(9+1+4+25)-2*root, 1e-13)
}

// TestFrechetOfFewPoints: with no more points than features, or a feature that is constant, the covariance has no inverse. The distance of
// samples that vary in different features, and that of a sample and its shifted self, are known all the same.
func TestFrechetOfFewPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 0))
	for _, n := range []int{5, 6, 7, 40} {
		a, apart := newPoints(n, 6), newPoints(n, 6) // a has features 0 to 2, apart 3 to 5
		variance := 0.0
		for j := range 3 {
			for i := range n {
				a.row(i)[j], apart.row(i)[3+j] = r.NormFloat64(), 2*r.NormFloat64()
			}
		}
		ma, ca := gaussian(a)
		mb, cb := gaussian(apart)
		for j := range 6 {
			variance += ca.At(j, j) + cb.At(j, j)
		}
		got, err := frechet(a, apart)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "of samples without a common direction", got, squaredDistance(ma, mb)+variance, 1e-12)
		moved := newPoints(n, 6)
		for i, v := range a.x {
			moved.x[i] = v + float64(i%6)
		}
		if got, err = frechet(a, moved); err != nil {
			t.Fatal(err)
		}
		near(t, "of a moved sample", got, 0+1+4+9+16+25, 1e-6) // zero eigenvalues come out as 1e-16, whose root is 1e-8
	}
}

// TestFrechetBias holds the formula of leastForFrechet against repeated samples of one Gaussian, whose distance is 0.
func TestFrechetBias(t *testing.T) {
	const repeats, n, d = 400, 150, 5
	r := rand.New(rand.NewPCG(5, 0))
	distances := make([]float64, repeats)
	for i := range distances {
		var err error
		if distances[i], err = frechet(normals(r, n, d, 0, 1), normals(r, n, d, 0, 1)); err != nil {
			t.Fatal(err)
		}
	}
	bias := mean(distances)
	const first = d * (d + 5) / 2.0 / n
	near(t, "mean distance of equal Gaussians", bias.Value, first, 4*bias.StandardError+first*2*d/n) // terms of order (d/n)^2
	if share := float64(d) * (d + 5) / 2 / float64(leastForFrechet(d)) / d; !(share <= 0.05+1e-12) {
		t.Errorf("from the least number of examples the bias is %.3f of the variance, expected at most 0.05", share)
	}
}

func TestSwappingSamples(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(3, 0))
	a, b := normals(r, 60, 4, 0, 1), normals(r, 60, 4, 0.3, 0.6)
	ab, err := frechet(a, b)
	if err != nil {
		t.Fatal(err)
	}
	ba, err := frechet(b, a)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Fréchet distance swapped", ba, ab, 1e-13)
	forth, err := kid(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	back, err := kid(ctx, b, a)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "kernel distance swapped", back.Value, forth.Value, 1e-13)
	near(t, "its error swapped", back.StandardError, forth.StandardError, 1e-13)
	precision, recall, _, _, err := neighbours(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	swappedPrecision, swappedRecall, _, _, err := neighbours(ctx, b, a)
	if err != nil {
		t.Fatal(err)
	}
	if precision != swappedRecall || recall != swappedPrecision {
		t.Errorf("precision %v and recall %v become %v and %v", precision, recall, swappedPrecision, swappedRecall)
	}
	same, err := frechet(a, a)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Fréchet distance to itself", same, 0, 1e-13)
}

// TestBallsIncludeTheirSurface places ten equal points beside the real ones at 0, 1, .. 9, where the radii are whole
// numbers.
func TestBallsIncludeTheirSurface(t *testing.T) {
	real := newPoints(10, 1)
	for i := range real.n {
		real.x[i] = float64(i)
	}
	for _, c := range []struct {
		at                                   float64
		precision, recall, density, coverage float64
	}{
		{-3, 1, 0, 2.0 / 5, 2.0 / 10}, // 3 from 0, whose 3rd neighbour is 3 away; 4 from 1, whose 5th is 4 away
		{-5, 0, 0, 1.0 / 5, 1.0 / 10}, // 5 from 0, whose 5th neighbour is 5 away
		{-6, 0, 0, 0, 0},
	} {
		generated := newPoints(10, 1)
		for i := range generated.x {
			generated.x[i] = c.at
		}
		precision, recall, density, coverage, err := neighbours(context.Background(), real, generated)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "precision", precision.Value, c.precision, 0)
		near(t, "recall", recall.Value, c.recall, 0)
		near(t, "density", density.Value, c.density, 1e-15)
		near(t, "coverage", coverage.Value, c.coverage, 0)
	}
}

// TestSampleErrorsCoverRepetition compares the standard errors of both distances with their spread over repeated
// samples, for equal and for different distributions.
func TestSampleErrorsCoverRepetition(t *testing.T) {
	const repeats, n, d = 150, 60, 3
	ctx := context.Background()
	r := rand.New(rand.NewPCG(4, 0))
	for _, c := range []struct {
		name  string
		shift float64
	}{{"equal", 0}, {"different", 1}} {
		var kernel, kernelErr, gaussian, gaussianErr []float64
		for i := range repeats {
			a, b := normals(r, n, d, 0, 1), normals(r, n, d, c.shift, 1)
			k, err := kid(ctx, a, b)
			if err != nil {
				t.Fatal(err)
			}
			f, err := frechetEstimate(ctx, a, b, uint64(i), 0)
			if err != nil {
				t.Fatal(err)
			}
			kernel, kernelErr = append(kernel, k.Value), append(kernelErr, k.StandardError)
			gaussian, gaussianErr = append(gaussian, f.Value), append(gaussianErr, f.StandardError)
		}
		spread := mean(kernel).StandardError * math.Sqrt(repeats)
		// 150 repeats of a heavy-tailed statistic give the spread to some 10%.
		if claimed := mean(kernelErr).Value; !(math.Abs(claimed/spread-1) <= 0.25) {
			t.Errorf("%s: standard error of the kernel distance %.3g, but it spreads by %.3g", c.name, claimed, spread)
		}
		if m := mean(kernel); c.shift == 0 && !(math.Abs(m.Value) <= 4*m.StandardError) {
			t.Errorf("the kernel distance of equal distributions is %v on average", m)
		}
		spread = mean(gaussian).StandardError * math.Sqrt(repeats)
		// Resampling adds its own distance, so that near zero the bootstrap claims too much, never too little.
		if claimed := mean(gaussianErr).Value; !(claimed >= 0.85*spread && claimed <= 2.5*spread) {
			t.Errorf("%s: standard error of the Fréchet distance %.3g, but it spreads by %.3g", c.name, claimed, spread)
		}
	}
}

// collapsed draws only the middle of one blob.
type collapsed struct{ blobModel }

func (collapsed) Sample(dst data.Batch, r *rand.Rand) error {
	for i := range dst.Len() {
		dst.Row(i)[0] = -2 + 0.05*float32(r.NormFloat64())
		dst.Row(i)[1] = 0.05 * float32(r.NormFloat64())
	}
	return nil
}

// exploded makes one value that is not a number.
type exploded struct{ blobs }

func (exploded) SampleGiven(dst data.Batch, _ []int32, _ *rand.Rand) error {
	dst.X[3] = float32(math.NaN())
	return nil
}

func TestSamplesOfTheTrueDistributionReachTheFloor(t *testing.T) {
	s, err := Samples(context.Background(), blobs{}, twoBlobs(t, 800), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.N != 400 || !s.Given || s.Features != "standardised columns of the real data v1" {
		t.Errorf("n %d, given label %v, features %q", s.N, s.Given, s.Features)
	}
	floor := s.Floor()
	for i, m := range s.Measures() {
		f := floor[i]
		if !(math.Abs(m.Value-f.Value) <= 4*math.Hypot(m.StandardError, f.StandardError)) {
			t.Errorf("%s is %.4g±%.2g, the floor %.4g±%.2g", m.Name, m.Value, m.StandardError, f.Value, f.StandardError)
		}
	}
}

func TestCollapsedGeneratorHasPrecisionWithoutRecall(t *testing.T) {
	s, err := Samples(context.Background(), collapsed{}, twoBlobs(t, 800), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !(s.Precision.Generated.Value >= 0.99) || !(s.Recall.Generated.Value <= 0.1) || !(s.Coverage.Generated.Value <= 0.2) {
		t.Errorf("precision %v, recall %v, coverage %v: expected about 1, 0, 0",
			s.Precision.Generated.Value, s.Recall.Generated.Value, s.Coverage.Generated.Value)
	}
	if !(s.Frechet.Generated.Value >= 20*s.Frechet.Floor.Value) || !(s.KID.Generated.Value >= 5*s.KID.Generated.StandardError) {
		t.Errorf("Fréchet %+v, kernel distance %+v: expected far above the floor", s.Frechet, s.KID)
	}
}

// wide draws from a plane ten times as wide as the blobs.
type wide struct{ blobModel }

func (wide) Sample(dst data.Batch, r *rand.Rand) error {
	for i := range dst.X {
		dst.X[i] = 30 * float32(r.Float64()-0.5)
	}
	return nil
}

func TestWideGeneratorHasRecallWithoutPrecision(t *testing.T) {
	s, err := Samples(context.Background(), wide{}, twoBlobs(t, 800), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !(s.Precision.Generated.Value <= 0.2) || !(s.Recall.Generated.Value >= 0.9) {
		t.Errorf("precision %v, recall %v: expected about 0, 1", s.Precision.Generated.Value, s.Recall.Generated.Value)
	}
}

// digitDrawer draws digits out of a set: all that keep says, and noise in place of a share of them.
type digitDrawer struct {
	shape data.Shape
	from  []float32 // row-major pictures
	noise float64
}

func (d digitDrawer) Shape() data.Shape    { return d.shape }
func (d digitDrawer) Save(io.Writer) error { return nil }

func (d digitDrawer) Sample(dst data.Batch, r *rand.Rand) error {
	p := d.shape.Size()
	for i := range dst.Len() {
		k := r.IntN(len(d.from) / p)
		copy(dst.Row(i), d.from[k*p:])
		if r.Float64() < d.noise {
			for j := range dst.Row(i) {
				dst.Row(i)[j] = float32(r.IntN(17))
			}
		}
	}
	return nil
}

// TestPrecisionAndRecallOfPictures compares digits with digits of one class, and with digits half of which are noise.
func TestPrecisionAndRecallOfPictures(t *testing.T) {
	ctx := context.Background()
	source, err := data.Open(ctx, "digits", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := data.ReadAll(ctx, source.Train)
	if err != nil {
		t.Fatal(err)
	}
	var zeros []float32
	for i, y := range all.Y {
		if y == 0 {
			zeros = append(zeros, all.Row(i)...)
		}
	}
	measured := func(d digitDrawer) *SampleQuality {
		s, err := Samples(ctx, d, source.Test, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := measured(digitDrawer{all.Shape, zeros, 0})
	if p, r := one.Precision.Generated.Value, one.Recall.Generated.Value; !(p >= 0.7) || !(r <= 0.15) {
		t.Errorf("one class of ten: precision %v and recall %v, expected a high and a low one", p, r)
	}
	noisy := measured(digitDrawer{all.Shape, all.X, 0.5})
	if p, r := noisy.Precision.Generated.Value, noisy.Recall.Generated.Value; !(p <= 0.6) || !(r >= 0.85) {
		t.Errorf("half of them noise: precision %v and recall %v, expected a low and a high one", p, r)
	}
}

func TestSamplesDoNotDependOnThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	set := twoBlobs(t, 200)
	one, err := Samples(context.Background(), blobs{}, set, 50, 9)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(3)
	three, err := Samples(context.Background(), blobs{}, set, 50, 9)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one, three) {
		t.Errorf("1 thread gives %+v, 3 threads %+v", one, three)
	}
	other, err := Samples(context.Background(), blobs{}, set, 50, 10)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(one, other) {
		t.Error("another seed gives the same")
	}
}

func TestSamplesJSON(t *testing.T) {
	s, err := Samples(context.Background(), blobs{}, twoBlobs(t, 40), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"frechet", "kid", "precision", "recall", "density", "coverage", "features", "floor", "n"} {
		if _, ok := keys[key]; !ok {
			t.Errorf("JSON has no key %q", key)
		}
	}
}

func TestSamplesErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		m    model.Model
		n    int
		real int
		want string
	}{
		{"too few", context.Background(), blobs{}, 0, 18, "9 real and 9 generated"},
		{"negative", context.Background(), blobs{}, -1, 100, "-1 samples"},
		{"not a sampler", context.Background(), nearestBlob{}, 0, 100, ErrNoSamples.Error()},
		{"not a number", context.Background(), exploded{}, 0, 100, "NaN as element 1 of example 1"},
		{"cancelled", cancelled, blobs{}, 0, 100, context.Canceled.Error()},
	} {
		_, err := Samples(c.ctx, c.m, twoBlobs(t, c.real), c.n, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected one with %q", c.name, err, c.want)
		}
	}
	for what, work := range map[string]func() error{
		"kid":        func() error { _, err := kid(cancelled, newPoints(20, 2), newPoints(20, 2)); return err },
		"neighbours": func() error { _, _, _, _, err := neighbours(cancelled, newPoints(20, 2), newPoints(20, 2)); return err },
		"frechet": func() error {
			_, err := frechetEstimate(cancelled, newPoints(20, 2), newPoints(20, 2), 1, 0)
			return err
		},
	} {
		if err := work(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: error %v", what, err)
		}
	}
}
