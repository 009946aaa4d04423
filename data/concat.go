package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
)

// Concat is the examples of all sets, one set after the other. The sets must agree in shape, columns and classes.
func Concat(sets ...Set) (Set, error) {
	if len(sets) == 0 {
		return nil, errors.New("nothing to concatenate: expected at least one set")
	}
	if len(sets) == 1 {
		return sets[0], nil
	}
	c := &concat{sets: sets, start: make([]int, len(sets)+1)}
	first := sets[0].Schema()
	for k, s := range sets {
		if err := first.compatible(s.Schema()); err != nil {
			return nil, fmt.Errorf("set %d cannot follow set 1: %w", k+1, err)
		}
		c.start[k+1] = c.start[k] + s.Len()
	}
	return c, nil
}

// compatible reports the first thing in which examples of other cannot stand beside examples of s.
func (s *Schema) compatible(other *Schema) error {
	switch {
	case s.Shape != other.Shape:
		return fmt.Errorf("its shape is %v, expected %v", other.Shape, s.Shape)
	case s.MaxValue != other.MaxValue:
		return fmt.Errorf("its pixels go up to %v, expected %v", other.MaxValue, s.MaxValue)
	case !slices.Equal(s.Classes, other.Classes):
		return fmt.Errorf("its classes are %q, expected %q", other.Classes, s.Classes)
	}
	for j, c := range s.Columns {
		o := other.Columns[j]
		if c.Name != o.Name || c.Kind != o.Kind || !slices.Equal(c.Levels, o.Levels) {
			return fmt.Errorf("its column %d is %q (%s), expected %q (%s)", j+1, o.Name, o.Kind, c.Name, c.Kind)
		}
	}
	return nil
}

type concat struct {
	sets  []Set
	start []int // start[k] is the index of the first example of set k; start[len(sets)] is n
}

func (c *concat) Len() int        { return c.start[len(c.sets)] }
func (c *concat) Schema() *Schema { return c.sets[0].Schema() }

// Read reads each run of neighbouring indices that fall into one set with one call.
func (c *concat) Read(ctx context.Context, dst Batch, index []int) error {
	if err := checkRead(c, dst, index); err != nil {
		return err
	}
	local := make([]int, len(index))
	for lo := 0; lo < len(index); {
		k := sort.SearchInts(c.start, index[lo]+1) - 1
		hi := lo
		for hi < len(index) && index[hi] >= c.start[k] && index[hi] < c.start[k+1] {
			local[hi] = index[hi] - c.start[k]
			hi++
		}
		if err := c.sets[k].Read(ctx, dst.Slice(lo, hi), local[lo:hi]); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

func (c *concat) File(i int) string {
	k := sort.SearchInts(c.start, i+1) - 1
	return File(c.sets[k], i-c.start[k])
}

func (c *concat) Labels(ctx context.Context) ([]int32, error) {
	all := make([]int32, 0, c.Len())
	for _, s := range c.sets {
		y, err := Labels(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, y...)
	}
	return all, nil
}
