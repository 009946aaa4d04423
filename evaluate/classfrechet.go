package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/likely-ml/likely/measure"
)

// ClassFrechet is the Fréchet distance within each class, between generated examples that were ordered of it and real ones, and its
// mean over classes. The distance of the whole sets hides a generator that makes the right mixture of examples under wrong labels;
// this does not. (T. Miyato, M. Koyama, cGANs with projection discriminator, ICLR 2018, section 5: "intra FID".)
type ClassFrechet struct {
	PerClass []ClassDistance
	Counted  int      // classes that have a distance
	Mean     Compared // over these
}

// ClassDistance is the Fréchet distance within one class. A class with no more examples than features, whose covariance has no
// inverse, has none: its distance would tell of their number alone.
type ClassDistance struct {
	Real, Generated int // examples
	Enough          bool
	Distance        Compared // where there are enough
}

// MarshalJSON writes the numbers of examples, and the distance, its standard error and floor, which are null where the examples are
// too few.
func (c ClassDistance) MarshalJSON() ([]byte, error) {
	object := map[string]any{"real": c.Real, "generated": c.Generated, "frechet": nil, "standard_error": nil, "floor": nil}
	if c.Enough {
		object["frechet"] = measure.Number(c.Distance.Generated.Value)
		object["standard_error"] = measure.Number(c.Distance.Generated.StandardError)
		object["floor"] = measure.Number(c.Distance.Floor.Value)
	}
	return json.Marshal(object)
}

// about describes the mean. Its N is the least number of examples in a class.
func (c *ClassFrechet) about(d int) measure.About {
	unit := "squared features, mean of classes"
	if c.Counted < len(c.PerClass) {
		unit = fmt.Sprintf("squared features, mean of the %d of %d classes with more examples than features", c.Counted, len(c.PerClass))
	}
	return measure.Lower("class_frechet", unit).From(leastForFrechet(d))
}

// labelledPoints are points and their classes.
type labelledPoints struct {
	points
	y []int32
}

// of are the points of one class.
func (p labelledPoints) of(class int) points {
	var at []int
	for i, y := range p.y {
		if int(y) == class {
			at = append(at, i)
		}
	}
	return p.resample(at)
}

// classFrechet compares the generated examples, which were ordered with the labels of other, and other itself with the reference,
// class by class.
func classFrechet(
	ctx context.Context, classes int, reference, other labelledPoints, generated points, seed uint64,
) (*ClassFrechet, error) {
	c := &ClassFrechet{PerClass: make([]ClassDistance, classes)}
	ordered := labelledPoints{generated, other.y}
	for k := range c.PerClass {
		p := &c.PerClass[k]
		real := reference.of(k)
		sides := []struct {
			sample points
			to     *measure.Estimate
		}{{ordered.of(k), &p.Distance.Generated}, {other.of(k), &p.Distance.Floor}}
		p.Real, p.Generated = real.n, sides[0].sample.n
		if p.Enough = min(p.Real, p.Generated) > reference.d; !p.Enough {
			continue
		}
		c.Counted++
		for _, s := range sides {
			var err error
			if *s.to, err = frechetEstimate(ctx, real, s.sample, seed, 1+k); err != nil {
				return nil, err
			}
		}
	}
	c.Mean.Generated = c.mean(func(d Compared) measure.Estimate { return d.Generated })
	c.Mean.Floor = c.mean(func(d Compared) measure.Estimate { return d.Floor })
	return c, nil
}

// mean is that of the classes that have a distance; their errors are independent.
func (c *ClassFrechet) mean(which func(Compared) measure.Estimate) measure.Estimate {
	var e measure.Estimate
	variance := 0.0
	for _, p := range c.PerClass {
		if !p.Enough {
			continue
		}
		d := which(p.Distance)
		e.Value += d.Value / float64(c.Counted)
		variance += d.StandardError * d.StandardError
		if least := min(p.Real, p.Generated); e.N == 0 || least < e.N {
			e.N = least
		}
	}
	e.StandardError = math.Sqrt(variance) / float64(max(1, c.Counted))
	return e
}
