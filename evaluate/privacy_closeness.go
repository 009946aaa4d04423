package evaluate

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/likely-ml/likely/measure"
)

// Closeness compares how near generated examples and held-out ones lie to the training part, in one space.
type Closeness struct {
	Name  string // "pixels", "features" or "columns"
	Space string // what it is, in words

	// Generated and HeldOut are of the distances to the closest record (DCR): to the nearest training example.
	Generated, HeldOut Distances
	// Nearer are the shares of generated examples whose DCR is below a quantile of that of held-out examples.
	Nearer []Nearer
	// D is the one-sided Smirnov statistic of the two DCR samples, max_t (F_generated(t) - F_held-out(t)), and P its p-value. A model
	// that makes smooth, typical examples comes nearer to the data than real examples do without having copied any, so that a small
	// p-value alone is no sign of memorising.
	D measure.Exact
	P float64

	// ToTrain is the share of generated examples that lie nearer to a training example than to a held-out one, ties counting one half,
	// among equally many of both, PerSide: 0.5 is ideal. Generated examples that share their nearest real one are no
	// independent trials: the standard error is of the mean over clusters of these.
	ToTrain measure.Estimate
	// Interval is of ToTrain, 95%, from its standard error, or from the number of clusters where all give the same answer.
	Interval [2]float64
	PerSide  int
	// ToTrainP is the p-value of ToTrain against a share above one half: the normal approximation of the test that permutes which
	// real examples are training ones.
	ToTrainP float64
}

// Distances are quantiles of distances to the nearest training example.
type Distances struct {
	N int `json:"n"`
	// DCR5 and DCR50 are the 5% quantile and the median.
	DCR5  float64 `json:"dcr_5"`
	DCR50 float64 `json:"dcr_50"`
	// NNDR5 and NNDR50 are those of the nearest-neighbour distance ratio: the distance to the nearest over that to the second nearest.
	NNDR5  float64 `json:"nndr_5"`
	NNDR50 float64 `json:"nndr_50"`
}

// Nearer is the share of generated examples below the Quantile of held-out ones, which is Distance. The standard error includes that
// of the quantile, to first order and for generated distances that are as dense there as held-out ones.
type Nearer struct {
	Quantile float64
	Distance float64
	Share    measure.Estimate
}

// nearerQuantiles are those of which the share of generated examples below is told.
var nearerQuantiles = []float64{0.01, 0.05, 0.5}

func distancesOf(s *search) Distances {
	dcr, nndr := s.distances(), s.ratios()
	slices.Sort(dcr)
	slices.Sort(nndr)
	return Distances{len(dcr), quantile(dcr, 0.05), quantile(dcr, 0.5), quantile(nndr, 0.05), quantile(nndr, 0.5)}
}

// closeness compares in a space whose searches have seen the whole training part. perSide training and as many held-out examples
// are what ToTrain is about.
func closeness(ctx context.Context, sp *space, perSide int) (Closeness, error) {
	c := Closeness{Name: sp.name, Space: sp.about, Generated: distancesOf(sp.generated), HeldOut: distancesOf(sp.held), PerSide: perSide}
	g, h := sp.generated.distances(), sp.held.distances()
	d, p := smirnov(g, h)
	c.D, c.P = measure.Exact(d), p
	slices.Sort(h)
	for _, q := range nearerQuantiles {
		at, below := quantile(h, q), 0
		for _, v := range g {
			below += indicator(v < at)
		}
		s := share(below, len(g))
		s.StandardError = math.Hypot(s.StandardError, math.Sqrt(q*(1-q)/float64(len(h))))
		c.Nearer = append(c.Nearer, Nearer{q, at, s})
	}

	toTrain, toHeld := newSearch(sp.placed.generated, nil), newSearch(sp.placed.generated, nil)
	if err := toTrain.show(ctx, 0, sp.placed.members.Slice(0, perSide)); err != nil {
		return c, err
	}
	if err := toHeld.show(ctx, 0, sp.placed.held.Slice(0, perSide)); err != nil {
		return c, err
	}
	c.side(toTrain.found, toHeld.found)
	return c, nil
}

// side fills in ToTrain from the nearest training and the nearest held-out example of each generated one. With w_j the share of
// generated examples whose nearest real one is j, of 2k real ones, permuting which k of them are training examples gives ToTrain
// the mean 1/2 and the variance (Σ w_j² - 1/(2k)) 2k/(2k-1)/4.
func (c *Closeness) side(train, held []nearestTwo) {
	k, n := c.PerSide, float64(len(train))
	nearer := make([]float64, len(train)) // 1 to a training example, 0 to a held-out one, 1/2 equally
	cluster := make([]int, len(train))    // its nearest real example: of training ones the index, then held-out ones
	total := 0.0
	for i := range train {
		switch t, h := train[i].first, held[i].first; {
		case t < h:
			nearer[i], cluster[i] = 1, train[i].index
		case t == h:
			nearer[i], cluster[i] = 0.5, train[i].index
		default:
			cluster[i] = k + held[i].index
		}
		total += nearer[i]
	}
	c.ToTrain = measure.Estimate{Value: total / n, N: len(train)}
	weight, residual := make([]float64, 2*k), make([]float64, 2*k)
	for i, j := range cluster {
		weight[j] += 1 / n
		residual[j] += (nearer[i] - c.ToTrain.Value) / n
	}
	concentration, clusters := 0.0, 0
	for j, w := range weight {
		concentration += w * w
		c.ToTrain.StandardError += residual[j] * residual[j]
		if w > 0 {
			clusters++
		}
	}
	if clusters > 1 {
		c.ToTrain.StandardError *= float64(clusters) / float64(clusters-1)
	}
	c.ToTrain.StandardError = math.Sqrt(c.ToTrain.StandardError)
	c.Interval = shareInterval(c.ToTrain, clusters)

	real := float64(2 * k)
	variance := (concentration - 1/real) * real / (real - 1) / 4
	switch excess := c.ToTrain.Value - 0.5; {
	case variance > 0:
		c.ToTrainP = above(excess / math.Sqrt(variance))
	default: // every real example is the nearest of equally many: half of them are training ones
		c.ToTrainP = 1
	}
}

// MarshalJSON writes the measures with their errors.
func (c *Closeness) MarshalJSON() ([]byte, error) {
	var nearer []map[string]any
	for _, n := range c.Nearer {
		nearer = append(nearer, map[string]any{"held_out_quantile": n.Quantile, "distance": n.Distance, "share": n.Share.Value,
			"standard_error": n.Share.StandardError})
	}
	return json.Marshal(map[string]any{
		"name": c.Name, "space": c.Space, "generated": c.Generated, "held_out": c.HeldOut, "nearer_than_held_out": nearer,
		"smirnov_d": c.D, "smirnov_p_value": c.P,
		"closer_to_train": c.ToTrain.Value, "closer_to_train_standard_error": c.ToTrain.StandardError,
		"closer_to_train_interval": c.Interval, "closer_to_train_p_value": c.ToTrainP, "per_side": c.PerSide,
	})
}
