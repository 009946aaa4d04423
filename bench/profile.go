package main

import (
	"io"

	"github.com/likely-ml/likely/tensor/cpu"
)

// profiledRuns are averaged.
const profiledRuns = 20

// writeProfile says what each launch of our plan costs.
func writeProfile(out io.Writer, name string, threads int) error {
	w, err := workloadNamed(name)
	if err != nil {
		return err
	}
	j, err := w.compile(cpu.New(threads))
	if err != nil {
		return err
	}
	if err := j.run(); err != nil { // the first run sets up what later ones keep
		return err
	}
	cpu.StartProfile(j.executable)
	for range profiledRuns {
		if err := j.run(); err != nil {
			return err
		}
	}
	return cpu.WriteProfile(out, name, cpu.Profile(j.executable), measuredPeak())
}

// planOf is the plan of a workload.
func planOf(name string, threads int) (*cpu.Plan, error) {
	w, err := workloadNamed(name)
	if err != nil {
		return nil, err
	}
	j, err := w.compile(cpu.New(threads))
	if err != nil {
		return nil, err
	}
	return cpu.PlanOf(j.executable), nil
}
