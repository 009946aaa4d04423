package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The commands that README.md shows work, in its order, on a folder of class folders named photos.
func TestREADMECommands(t *testing.T) {
	dir := t.TempDir()
	// photos of ten classes, and some whose class is to be found
	runIn(t, dir, "fit", "gaussian", "digits", "--out", "digits.safetensors")
	runIn(t, dir, "sample", "digits.safetensors", "--class", "all", "-n", "200", "--out", "photos")
	runIn(t, dir, "sample", "digits.safetensors", "-n", "5", "--class", "7", "--seed", "2", "--out", "new")
	table := "age,dose,outcome\n"
	for i := range 40 {
		table += []string{"31,0.5,well\n", "70,2.5,ill\n", "45,1.0,well\n", "66,2.0,ill\n"}[i%4]
	}
	if err := os.WriteFile(filepath.Join(dir, "patients.csv"), []byte(table), 0o666); err != nil {
		t.Fatal(err)
	}
	commands := shown(t, "../../README.md")
	for _, command := range commands {
		runIn(t, dir, command...)
	}
	if len(commands) < 5 {
		t.Errorf("found %d commands in README.md, expected at least 5", len(commands))
	}
}
