package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/likely-ml/likely/internal/suggest"
	"github.com/likely-ml/likely/model"
	"github.com/likely-ml/likely/tensor/xla"
)

// app is what all commands share: where they write and the flags that every command takes.
type app struct {
	stdout, stderr io.Writer

	json    bool
	quiet   bool
	backend string
	threads int
	seed    uint64
}

// backends are what can compute in this build.
func backends() string {
	if xla.Built {
		return "cpu, reference or xla[:N]"
	}
	return "cpu or reference"
}

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "likely",
		Short: "Learn probability distributions from pictures and tables",
		Long: `likely learns probability distributions from pictures and tables.

A discriminative model learns p(y|x): the class of something unseen, with its
probability. A generative model learns p(x), or p(x|y) where there are labels:
it makes new pictures and rows.

DATA is WHAT or WHAT:SPLIT. WHAT is a known name (see "likely data list"), a
folder of class folders of pictures, a folder of pictures without classes, a
folder with train/ and test/ of either kind, a folder of IDX files, one
picture, or a table: a CSV, Parquet or ARFF file, or an array that numpy.save
wrote (.npy), with columns x0, x1 and on. SPLIT is train, test or all.`,
		Example: `  likely quickstart
  likely fit cnn fashion-mnist --out cnn.safetensors`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.check() },
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.Version = model.Version
	root.SetVersionTemplate("likely {{.Version}}\n")
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true // ours has examples and fits 80 columns
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(help()) // cobra's own succeeds where there is no such command

	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.BoolVar(&a.json, "json", false, "print one JSON object")
	flags.BoolVar(&a.quiet, "quiet", false, "print no progress and no notes")
	flags.StringVar(&a.backend, "backend", "cpu", "`what` computes: "+backends())
	flags.IntVar(&a.threads, "threads", 0, "worker threads, `N`; 0 for one per CPU")
	flags.Uint64Var(&a.seed, "seed", 1, "seed of everything random, `N`")

	root.AddCommand(a.quickstart(), a.data(), a.models(), a.fit(), a.predict(), a.sample(), a.evaluate(), a.divergence(), a.augment(),
		a.report(), a.version(), a.completion())
	return root
}

func help() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		Example: `  likely help fit
  likely help data info`,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return &usageError{err}
			}
			if len(rest) > 0 {
				return unknownCommand(about, rest[0])
			}
			return about.Help()
		},
	}
}

// check looks at the flags that all commands share.
func (a *app) check() error {
	if a.threads < 0 || a.threads > 1024 {
		return usagef("--threads is %d, expected 0 to 1024", a.threads)
	}
	kind, device, numbered := strings.Cut(a.backend, ":")
	switch {
	case a.backend == "cpu" || a.backend == "reference":
	case kind == "xla" && !xla.Built:
		return usagef("--backend %s is not in this build, expected %s; go build -tags xla ./cmd/likely makes one that has it, see docs/xla.md", a.backend, backends())
	case kind == "xla" && !numbered:
	case kind == "xla":
		if _, err := strconv.ParseUint(device, 10, 16); err != nil {
			return usagef("--backend is %q, expected xla or xla:N, N being the number of a device from 0", a.backend)
		}
	default:
		return usagef("--backend is %q, expected %s", a.backend, backends())
	}
	// What computes outside of the backend, such as the measures, follows --threads too.
	if a.threads > 0 {
		runtime.GOMAXPROCS(a.threads)
	}
	return nil
}

// compute is how models are to compute.
func (a *app) compute() model.Run {
	return model.Run{Backend: a.backend, Threads: a.threads, Seed: a.seed}
}

// load reads a model file.
func (a *app) load(path string) (model.Model, *model.File, error) { return a.compute().Load(path) }

func unknownCommand(parent *cobra.Command, word string) error {
	var names []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	hint := suggest.Hint(word, names)
	if hint == "" && len(names) > 0 {
		hint = ", expected one of " + strings.Join(names, ", ")
	}
	return usagef("unknown command %q of %s%s", word, parent.CommandPath(), hint)
}

// flagError makes a usageError of what the flag parser found, with the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		var names []string
		collect := func(f *pflag.Flag) { names = append(names, "--"+f.Name) }
		cmd.Flags().VisitAll(collect)
		cmd.InheritedFlags().VisitAll(collect)
		return usagef("unknown flag --%s of %s%s", name, cmd.CommandPath(), suggest.Hint("--"+name, names))
	}
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		f := value.GetFlag()
		return usagef("--%s is %q, expected %s", f.Name, value.GetValue(), kinds[f.Value.Type()])
	}
	return usagef("%s: %s; see %[1]s --help", cmd.CommandPath(), text)
}

// kinds are the types of flags in words.
var kinds = map[string]string{
	"int": "a whole number", "uint64": "a whole number from 0", "float64": "a number", "duration": "a time such as 10s",
	"bool": "true or false",
}

// words checks the number of arguments, which are named as in the usage line.
func words(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		expected := fmt.Sprintf("%d", least)
		if most != least {
			expected = fmt.Sprintf("%d to %d", least, most)
		}
		return usagef("%s got %s, expected %s: %s", cmd.CommandPath(), plural(len(args), "argument", "arguments"), expected, cmd.UseLine())
	}
}

// usageTemplate puts the examples last, where a reader's eye ends, and fits 80 columns.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}
`
