package main

import (
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor/cpu"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version, backend and processor features are in use",
		Example: `  likely version
  likely version --json`,
		Args: words(0, 0),
		RunE: func(*cobra.Command, []string) error {
			threads := a.threads
			if threads == 0 {
				threads = runtime.GOMAXPROCS(0)
			}
			if a.json {
				return a.printJSON(map[string]any{
					"version": model.Version, "format": model.FormatVersion, "go": runtime.Version(),
					"platform": runtime.GOOS + "/" + runtime.GOARCH, "backend": a.backend, "cpu": cpu.Info(), "threads": threads,
				})
			}
			return a.facts(
				"likely", model.Version,
				"model files", "version "+strconv.Itoa(model.FormatVersion),
				"go", runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH,
				"backend", a.backend,
				"cpu", cpu.Info(),
				"threads", strconv.Itoa(threads),
			)
		},
	}
}
