package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The commands that README.md shows work, in its order, on a folder of class folders named photos.
func TestREADMECommands(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "likely")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run := func(args ...string) {
		t.Helper()
		c := exec.Command(program, args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("likely %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	// photos of ten classes, and some whose class is to be found
	run("fit", "gaussian", "digits", "--out", "digits.safetensors")
	run("sample", "digits.safetensors", "--class", "all", "-n", "200", "--out", "photos")
	run("sample", "digits.safetensors", "-n", "5", "--class", "7", "--seed", "2", "--out", "new")
	table := "age,dose,outcome\n"
	for i := range 40 {
		table += []string{"31,0.5,well\n", "70,2.5,ill\n", "45,1.0,well\n", "66,2.0,ill\n"}[i%4]
	}
	if err := os.WriteFile(filepath.Join(dir, "patients.csv"), []byte(table), 0o666); err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(readme)) {
		if command, ok := strings.CutPrefix(line, "    likely "); ok {
			command, _, _ = strings.Cut(command, " #")
			run(strings.Fields(command)...)
			found++
		}
	}
	if found < 5 {
		t.Errorf("found %d commands in README.md, expected at least 5", found)
	}
}
