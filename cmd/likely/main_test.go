package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	_ "github.com/likely-ml/likely/internal/toy" // models that fit in no time
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"likely": main})
}

// TestScripts runs the command lines of testdata/*.txt.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			// Only what a script makes is there: no data of the machine that runs the tests.
			e.Setenv("LIKELY_DATA", e.WorkDir+"/none")
			e.Setenv("XDG_CACHE_HOME", e.WorkDir+"/cache")
			e.Setenv("HOME", e.WorkDir)
			return os.MkdirAll(e.WorkDir+"/cache", 0o755)
		},
		Cmds: scriptCommands,
	})
}
