package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPrivacyStatisticsEqualSciPy(t *testing.T) {
	var golden struct {
		Intervals []struct {
			K, N      int
			Low, High float64
		}
		Tables []struct {
			A, N, B, M int
			P          float64
		}
		Samples []struct {
			A, B        []float64
			Ties        bool
			D, P, AUC   float64
			MannWhitney float64 `json:"mann_whitney"`
			Quantiles   []struct{ Q, Value float64 }
		}
	}
	readGolden(t, "privacy.json", &golden)
	for _, g := range golden.Intervals {
		i := clopperPearson(g.K, g.N)
		near(t, "lower end", i[0], g.Low, 1e-9) // scipy seeks the root to 1e-12 of the share's own scale
		near(t, "upper end", i[1], g.High, 1e-9)
	}
	for _, g := range golden.Tables {
		near(t, "Fisher's p", fisher(g.A, g.N, g.B, g.M), g.P, 1e-10)
	}
	for _, g := range golden.Samples {
		d, p := smirnov(g.A, g.B)
		near(t, "Smirnov's D", d, g.D, 1e-15)
		near(t, "Smirnov's p", p, g.P, 1e-13)
		a, err := attack("golden", "", g.A, g.B)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "AUC", a.AUC.Value, g.AUC, 1e-14)
		if !g.Ties { // scipy takes them into the variance
			near(t, "Mann and Whitney's p", a.P, g.MannWhitney, 1e-13)
		} else if !(a.P >= g.MannWhitney == (g.MannWhitney < 0.5)) {
			t.Errorf("with ties p is %v, scipy's %v: expected one nearer to 1/2", a.P, g.MannWhitney)
		}
		slices.Sort(g.A)
		for _, q := range g.Quantiles {
			near(t, "quantile", quantile(g.A, q.Q), q.Value, 1e-14)
		}
	}
}

// Permuting which real examples are training ones, in all ways, gives the mean and the variance behind ToTrainP.
func TestSideVarianceOverAllPermutations(t *testing.T) {
	const k, n = 4, 30
	r := rand.New(rand.NewPCG(5, 0))
	place := make([]float64, 2*k)
	for j := range place {
		place[j] = r.NormFloat64()
	}
	made := make([]float64, n)
	for i := range made {
		made[i] = r.NormFloat64()
	}
	nearest := func(x float64, among []float64) nearestTwo {
		f := nearestTwo{-1, math.Inf(1), math.Inf(1)}
		for j, v := range among {
			if d := (v - x) * (v - x); d < f.first {
				f = nearestTwo{index: j, first: d}
			}
		}
		return f
	}
	var shares []float64
	var c Closeness
	for mask := range 1 << (2 * k) {
		var kinds [2][]float64
		for j, v := range place {
			kinds[mask>>j&1] = append(kinds[mask>>j&1], v)
		}
		if len(kinds[0]) != k {
			continue
		}
		train, held := make([]nearestTwo, n), make([]nearestTwo, n)
		for i, x := range made {
			train[i], held[i] = nearest(x, kinds[0]), nearest(x, kinds[1])
		}
		c = Closeness{PerSide: k}
		c.side(train, held)
		shares = append(shares, c.ToTrain.Value)
	}
	m := mean(shares)
	near(t, "mean over permutations", m.Value, 0.5, 1e-14)
	sum := 0.0
	for _, s := range shares {
		sum += (s - 0.5) * (s - 0.5)
	}
	sd := math.Sqrt(sum / float64(len(shares)))
	near(t, "p-value of the last", c.ToTrainP, above((c.ToTrain.Value-0.5)/sd), 1e-12)
}

// The interval of an area near 1 from few examples holds the truth, as that by the error alone does in 85% of these rounds.
func TestIntervalOfAreaCovers(t *testing.T) {
	const rounds, n, apart = 1000, 20, 2.5
	r := rand.New(rand.NewPCG(2, 7))
	held := 0
	for range rounds {
		members, others := make([]float64, n), make([]float64, n)
		for i := range n {
			members[i], others[i] = apart+r.NormFloat64(), r.NormFloat64()
		}
		a, err := attack("", "", members, others)
		if err != nil {
			t.Fatal(err)
		}
		truth := 1 - above(apart/math.Sqrt2)
		held += indicator(a.Interval[0] <= truth && truth <= a.Interval[1])
	}
	// 0.95 less three standard errors, 0.007 each.
	if share := float64(held) / rounds; !(share >= 0.93 && share <= 0.99) {
		t.Errorf("%.3f of the intervals hold the area, expected about 0.95", share)
	}
}

// Where all trials agree the standard error is 0, and the interval is still that of so many trials.
func TestIntervalWhereAllAgree(t *testing.T) {
	members, others := make([]float64, 20), make([]float64, 30)
	at := func(v float64) [2]float64 {
		for i := range members {
			members[i] = v
		}
		a, err := attack("", "", members, others)
		if err != nil {
			t.Fatal(err)
		}
		return a.Interval
	}
	for _, c := range []struct {
		score float64
		want  [2]float64
	}{{1, clopperPearson(20, 20)}, {-1, clopperPearson(0, 20)}} {
		got := at(c.score)
		near(t, "low end", got[0], c.want[0], 1e-14)
		near(t, "high end", got[1], c.want[1], 1e-14)
	}
	ties := at(0) // at least so many pairs are ties, and each of the others is won or lost
	near(t, "low end of ties", ties[0], clopperPearson(20, 20)[0]/2, 1e-14)
	near(t, "both ends of ties", ties[0]+ties[1], 1, 1e-14)

	// 40 generated examples whose nearest real ones are three training examples are three trials.
	train, held := make([]nearestTwo, 40), make([]nearestTwo, 40)
	for i := range train {
		train[i], held[i] = nearestTwo{index: i % 3, first: 1}, nearestTwo{index: 0, first: 2}
	}
	c := Closeness{PerSide: 30}
	c.side(train, held)
	if c.ToTrain.Value != 1 || c.ToTrain.StandardError != 0 {
		t.Errorf("nearer to train: %+v", c.ToTrain)
	}
	near(t, "low end of three clusters", c.Interval[0], clopperPearson(3, 3)[0], 1e-14)
	near(t, "high end of three clusters", c.Interval[1], 1, 0)
}

// Each point of an attack is what counting finds.
func TestAttackCounts(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 0))
	members, others := make([]float64, 400), make([]float64, 1000)
	for i := range members {
		members[i] = math.Round(10*(r.NormFloat64()+1)) / 10
	}
	for i := range others {
		others[i] = math.Round(10*r.NormFloat64()) / 10
	}
	a, err := attack("", "", members, others)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range a.Caught {
		best := 0
		for _, threshold := range append(slices.Clone(members), others...) {
			tp, fp := 0, 0
			for _, v := range members {
				tp += indicator(v >= threshold)
			}
			for _, v := range others {
				fp += indicator(v >= threshold)
			}
			if float64(fp) <= c.FPR*1000 {
				best = max(best, tp)
			}
		}
		near(t, "true-positive rate", c.TPR.Value, float64(best)/400, 1e-15)
	}
	// Of normal scores one deviation apart: 2 Φ(1/2) - 1 at the best threshold, Φ(1/√2).
	near(t, "advantage", a.Advantage.Value, math.Erf(0.5/math.Sqrt2), 4*a.Advantage.StandardError)
	near(t, "AUC", a.AUC.Value, 1-above(1/math.Sqrt2), 4*a.AUC.StandardError)

	a, err = attack("", "", members, others[:99])
	if err != nil {
		t.Fatal(err)
	}
	if a.Caught[0].TPR != nil || a.Caught[1].TPR != nil {
		t.Errorf("99 others set a threshold at 1%%: %+v", a.Caught)
	}
	if _, err := attack("", "", []float64{math.NaN(), 1}, others); err == nil {
		t.Error("a score that is not a number: no error")
	}
	if _, err := attack("", "", nil, others); err == nil {
		t.Error("no members: no error")
	}
}

// Of points that fill a cube the probability that chance tells is, up to its caution, the share of rounds in which it happens: for the
// distance that is undercut in one round of a hundred it says no less, and no more than ten times that.
func TestChance(t *testing.T) {
	const rounds, n, real, p = 100, 50, 4000, 6
	r := rand.New(rand.NewPCG(12, 0))
	draw := func() []float64 { // distances from the middle: P(distance <= d) is c d^p for small d
		out := make([]float64, real)
		for i := range out {
			sum := 0.0
			for range p {
				v := r.Float64() - 0.5
				sum += v * v
			}
			out[i] = math.Sqrt(sum)
		}
		return out
	}
	ball := math.Pow(math.Pi, p/2) / 6 // its volume at radius 1 in 6 dimensions
	rare := math.Pow(-math.Log1p(-0.01)/n/ball, 1.0/p)
	low := 0
	var told []float64
	for range rounds {
		v := chance(rare, n, draw())
		told = append(told, v)
		low += indicator(v < 0.01)
	}
	// The caution is of two standard errors.
	if low > rounds/10 {
		t.Errorf("in %d of %d rounds chance is made smaller than it is", low, rounds)
	}
	if m := mean(told).Value; !(m <= 0.1) {
		t.Errorf("chance is said to be %v on average, and is 0.01", m)
	}
	if v := chance(rare, n, make([]float64, 100)); v != 1 {
		t.Errorf("distances of 0 tell a chance of %v, expected 1", v)
	}
}
