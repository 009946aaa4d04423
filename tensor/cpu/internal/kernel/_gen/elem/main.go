// Elem writes the assembly of the elementwise, reduction and random kernels for AVX-512 and AVX2, and with -tables the
// Go file that gathers it in tables.
package main

import (
	"flag"
	"log"
	"os"
	"strings"

	"github.com/mmcloughlin/avo/build"
)

func main() {
	options := flag.NewFlagSet("elem", flag.ExitOnError) // avo has taken the names in flag.CommandLine
	flags := build.NewFlags(options)
	tables := options.String("tables", "", "write the Go tables to this file")
	options.Parse(os.Args[1:])

	ctx := build.NewContext()
	for _, evex := range []bool{true, false} {
		m := newMachine(ctx, evex)
		m.elementwise()
		m.reduce()
		m.random()
		m.pooling()
	}
	if *tables != "" {
		if err := os.WriteFile(*tables, tableSource(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(build.Main(flags.Config(), ctx))
}

// lower is name with its first letter in lower case.
func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }
