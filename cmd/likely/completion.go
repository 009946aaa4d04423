package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/likely-ml/likely/data"
	"github.com/likely-ml/likely/model"
)

// shells are those that completion writes a script for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func (a *app) completion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Write the script that completes words in a shell",
		Example: `  source <(likely completion bash)
  likely completion fish > ~/.config/fish/completions/likely.fish`,
		Args:      words(1, 1),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return usagef("unknown shell %q, expected one of %s", args[0], strings.Join(shells, ", "))
		},
	}
}

// completeWords completes the words of a command: a model name first, if it takes one, and then known data or a path.
func completeWords(models bool) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if models && len(args) == 0 {
			for _, e := range model.List("") {
				names = append(names, e.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		}
		for _, k := range data.Known() {
			names = append(names, k.Name)
		}
		names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, typed) })
		return names, cobra.ShellCompDirectiveDefault
	}
}
