package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/likely-ml/likely/data"
)

// Where the enlarged table cannot be written, what belongs to it does not remain.
func TestAugmentLeavesNoPart(t *testing.T) {
	table, err := data.NewTable(&data.Schema{Shape: data.RowShape(1), Columns: []data.Column{{Name: "x", Kind: data.Numeric}}}, []float32{1, 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := enlarged{real: table, synthetic: table, test: table}
	dir := t.TempDir()
	if err := e.writeTables(context.Background(), filepath.Join(dir, "good.csv")); err != nil {
		t.Fatal(err)
	}
	names := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if n := len(names()); n != 3 {
		t.Fatalf("%d files, expected the table, its test part and its provenance", n)
	}
	if err := os.Mkdir(filepath.Join(dir, "bad.csv"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := e.writeTables(context.Background(), filepath.Join(dir, "bad.csv")); err == nil {
		t.Error("a folder was overwritten by a table")
	}
	if n := len(names()); n != 4 {
		t.Errorf("%q, expected those of before and the folder", names())
	}
}
