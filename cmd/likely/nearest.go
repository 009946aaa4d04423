package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/evaluate"
	"github.com/likely-ml/likely/report"
)

// nearest is the example of a set that is nearest to each sample.
type nearest struct {
	source string
	set    data.Set
	found  []evaluate.Neighbour
	x      data.Batch // those examples
}

// openNearest opens DATA in the model's terms. Labels are not looked at.
func (a *app) openNearest(ctx context.Context, arg string, schema *data.Schema) (*nearest, error) {
	wanted := *schema
	wanted.Classes = nil
	source, set, err := a.openPart(ctx, arg, data.Options{Schema: &wanted})
	if err != nil {
		return nil, fmt.Errorf("--nearest: %w", err)
	}
	return &nearest{source: source.Name, set: set}, nil
}

func (n *nearest) find(ctx context.Context, samples data.Batch) error {
	var err error
	if n.found, err = evaluate.Nearest(ctx, n.set, samples); err != nil {
		return fmt.Errorf("--nearest: %w", err)
	}
	index := make([]int, len(n.found))
	for i, e := range n.found {
		index[i] = e.Index
	}
	n.x = data.NewBatch(samples.Shape, samples.Len(), false)
	return n.set.Read(ctx, n.x, index)
}

// exhibit shows each sample and to its right the nearest example.
func (n *nearest) exhibit(schema *data.Schema, samples data.Batch) exhibit {
	e := exhibit{batch: sideBySide(samples, n.x), grid: report.GridOptions{MaxValue: schema.MaxValue, Group: 2}}
	e.before = []column{
		{"nearest", data.Integer, func(i int) string { return strconv.Itoa(n.found[i].Index + 1) }},
		{"distance", data.Numeric, func(i int) string { return strconv.FormatFloat(n.found[i].Distance, 'g', 6, 64) }},
	}
	if data.File(n.set, 0) != "" {
		e.before = append(e.before, column{"nearest_file", data.Categorical, func(i int) string { return data.File(n.set, n.found[i].Index) }})
	}
	return e
}

// sideBySide is a_1 b_1 a_2 b_2 …, without labels.
func sideBySide(a, b data.Batch) data.Batch {
	both := data.NewBatch(a.Shape, 2*a.Len(), false)
	for i := range a.Len() {
		copy(both.Row(2*i), a.Row(i))
		copy(both.Row(2*i+1), b.Row(i))
	}
	return both
}

// closest tells the smallest of the distances.
func (n *nearest) closest() string {
	at := 0
	distances := make([]float64, len(n.found))
	for i, e := range n.found {
		if distances[i] = e.Distance; e.Distance < n.found[at].Distance {
			at = i
		}
	}
	slices.Sort(distances)
	return fmt.Sprintf("sample %d is %s from example %d of %s; median distance %s", at+1, significant(n.found[at].Distance),
		n.found[at].Index+1, n.source, significant(distances[len(distances)/2]))
}

// json lists what is nearest to each sample. Examples are counted from 1.
func (n *nearest) json() []map[string]any {
	list := make([]map[string]any, len(n.found))
	for i, e := range n.found {
		list[i] = map[string]any{"example": e.Index + 1, "distance": e.Distance}
		if file := data.File(n.set, e.Index); file != "" {
			list[i]["file"] = file
		}
	}
	return list
}
