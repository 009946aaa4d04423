package likely_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/likely-ml/likely/"

// mayImport says, for each package, which others of this module its code may import. Tests of a package may import more:
// they are not listed. Everything may import what is under internal/.
var mayImport = map[string][]string{
	"tensor":               {},
	"tensor/reference":     {"tensor"},
	"tensor/tensortest":    {"tensor", "tensor/reference"},
	"tensor/cpu":           {"tensor"},
	"tensor/cpu/gonumblas": {"tensor/cpu/internal/kernel"},
	"tensor/xla":           {"tensor"},
	"nn":                   {"tensor"},
	"data":                 {"data/builtin"},
	"data/builtin":         {},
	"measure":              {},
	"dist":                 {"measure"},
	"divergence":           {"data", "dist", "measure", "tensor/cpu/gonumblas"},
	"calibrate":            {},
	"model":                {"data", "calibrate"},
	"model/modeltest":      {"data", "model"},
	"train":                {"tensor", "tensor/cpu", "tensor/reference", "tensor/xla", "nn", "data", "model"},
	"discriminative":       {"tensor", "tensor/cpu/gonumblas", "nn", "data", "model", "train"},
	"generative":           {"tensor", "tensor/cpu/gonumblas", "nn", "data", "model", "train"},
	"inception":            {"tensor", "nn", "data", "model"},
	"evaluate":             {"data", "dist", "divergence", "measure", "model"},
	"augment":              {"data", "measure", "model"},
	"report":               {"data", "model", "measure", "evaluate"},
	"cmd/likely":           {"augment", "calibrate", "data", "dist", "divergence", "inception", "measure", "model", "evaluate", "report", "train", "discriminative", "generative", "tensor/cpu", "tensor/xla"},
	"bench":                {"tensor", "tensor/cpu", "nn", "data", "model", "train", "discriminative", "generative"},
	"internal/assignment":  {},
	"internal/atomicfile":  {},
	"internal/stirling":    {},
	"internal/suggest":     {},
	"internal/toy":         {"data", "model"},
}

// publicTypes are packages in whose exported signatures no type of gonum or tensor stands, so that a user needs to know
// neither.
var publicTypes = []string{"augment", "calibrate", "data", "dist", "divergence", "measure", "model", "evaluate"}

func TestImportDirections(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		home, _, _ := strings.Cut(pkg, "/internal/")
		allowed, known := mayImport[pkg]
		if !known {
			allowed, known = mayImport[home], home != pkg && mayImport[home] != nil
		}
		if !known {
			t.Errorf("%s: package %s is not in the plan of imports; add it there", path, pkg)
			return nil
		}
		seen[pkg] = true
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			short, ours := strings.CutPrefix(name, module)
			if ours && !slices.Contains(allowed, short) && !strings.HasPrefix(short, "internal/") && !strings.HasPrefix(short, home+"/internal/") {
				t.Errorf("%s imports %s, which %s may not", path, short, pkg)
			}
			// gonumblas is imported for what it does to gonum, and has no type to show.
			if slices.Contains(publicTypes, pkg) && strings.HasPrefix(short, "tensor") && short != "tensor/cpu/gonumblas" {
				t.Errorf("%s: %s must not see tensor", path, pkg)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range mayImport {
		if _, err := os.Stat(pkg); err != nil || !seen[pkg] {
			t.Errorf("the plan of imports names %s, which has no code", pkg)
		}
	}
}
