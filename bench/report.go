package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/likely-ml/likely/internal/atomicfile"
	"github.com/likely-ml/likely/tensor/cpu"
)

// table is a table of text. It is printed row by row while it grows, and in Markdown when it is done.
type table struct {
	title   string
	note    string
	columns []string
	rows    [][]string
}

func (t *table) begin() {
	fmt.Printf("\n%s\n", t.title)
	t.print(t.columns)
}

func (t *table) add(row ...string) {
	t.rows = append(t.rows, row)
	t.print(row)
}

// print pads each cell to its heading, and the first to the longest name.
func (t *table) print(row []string) {
	for i, cell := range row {
		width := max(utf8.RuneCountInString(t.columns[i]), 7)
		if i == 0 {
			fmt.Printf("%-26s", cell)
		} else {
			fmt.Printf("  %*s", width, cell)
		}
	}
	fmt.Println()
}

func (t *table) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n## %s\n\n%s\n\n", t.title, t.note)
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.columns)
	rule := make([]string, len(t.columns))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, r := range t.rows {
		line(r)
	}
}

// number writes a figure, and nothing for one that was not measured.
func number(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

// ratio is number of a/b where both were measured.
func ratio(format string, a, b float64) string {
	if a == 0 || b == 0 {
		return ""
	}
	return fmt.Sprintf(format, a/b)
}

func newTimes() *table {
	return &table{
		title: "Times",
		note: "Medians in milliseconds; a ratio is the other's time divided by ours, and \"at least\" what it should be. The first\n" +
			"seven are training steps (forward, backward, Adam), the others answers of a fitted network: of one picture (latency) or\n" +
			"128. GFLOP/s count the terms of matrix products and convolutions of our program alone; per cent of the measured peak of\n" +
			"as many cores. The last column is the form of PyTorch that was fastest here.",
		columns: []string{"workload", "threads", "likely", "PyTorch", "ratio", "at least", "ONNX Runtime", "ratio", "GFLOP/s", "% of peak", "PyTorch as"},
	}
}

func (b *bench) addTimes(t *table, r result) {
	rate := r.flops / (r.ours / 1e3)
	t.add(r.name, fmt.Sprint(r.threads), number("%.4g", r.ours), number("%.4g", r.torch), ratio("%.2f", r.torch, r.ours),
		number("%.2f", r.atLeast), number("%.4g", r.onnx), ratio("%.2f", r.onnx, r.ours), number("%.1f", rate/1e9),
		ratio("%.0f", 100*rate, b.peak*float64(r.threads)), r.variant+r.waiting)
}

func newMemory() *table {
	return &table{
		title: "Memory and threads",
		note: "Peak memory of the whole process in MB, and how much of it came after its libraries were loaded. Allocations are objects\n" +
			"on Go's heap in a steady run at each number of threads. Efficiency is the time on one thread divided by twice that on two, and\n" +
			"copies the same of two copies that share nothing: what this machine's second core adds at most, as it was beside the other\n" +
			"measurement.",
		columns: []string{"workload", "allocations", "likely MB", "grown", "PyTorch MB", "grown", "efficiency", "copies"},
	}
}

// addMemory adds a line on a workload from its results at each number of threads.
func addMemory(t *table, results []result) {
	first := results[0]
	last := results[len(results)-1]
	n := float64(last.threads)
	mb := func(kb int) string { return number("%.0f", float64(kb)/1024) }
	var allocs []string
	for _, r := range results {
		allocs = append(allocs, fmt.Sprintf("%.3g", r.allocs))
	}
	t.add(first.name, strings.Join(allocs, "; "), mb(first.ourMemory.Peak), mb(first.ourMemory.Peak-first.ourMemory.Start),
		mb(first.torchMemory.Peak), mb(first.torchMemory.Peak-first.torchMemory.Start),
		ratio("%.2f", last.alone, n*last.ours), ratio("%.2f", last.alone, last.copies))
}

func newGEMM() *table {
	return &table{
		title: "Matrix products",
		note: "GFLOP/s in float32, m x k times k x n; n and t say which operand is stored transposed. Ours is a program of one product;\n" +
			"PyTorch's is torch.mm. The ratio is to the better of the others. Per cent are of a core's peak as it was between our runs.",
		columns: []string{"product", "threads", "likely", "% of peak", "torch.mm", "numpy", "ratio", "m x k x n"},
	}
}

func (b *bench) addGEMM(t *table, r gemmResult) {
	t.add(r.what, fmt.Sprint(r.threads), number("%.1f", r.ours/1e9), ratio("%.0f", 100*r.ours, r.peak*float64(r.threads)),
		number("%.1f", r.torch/1e9), number("%.1f", r.numpy/1e9), ratio("%.2f", r.ours, max(r.torch, r.numpy)), r.job())
}

// writeResults replaces the file of results.
func (b *bench) writeResults(path, empty string, tables ...*table) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		fmt.Fprintf(w, "# This project beside PyTorch and ONNX Runtime\n\nWritten by `go run ./bench`, %s.\n\n", time.Now().Format("2 January 2006"))
		fmt.Fprintf(w, "- Processor: %s, %d cores; kernels: %s; peak of a core: %.0f GFLOP/s\n", processor(), runtime.NumCPU(), cpu.Info(), b.peak/1e9)
		fmt.Fprintf(w, "- %s; PyTorch %s; ONNX Runtime %s\n", runtime.Version(), orNone(b.torchVersion), orNone(b.onnxVersion))
		fmt.Fprintf(w, "- %d rounds in which each side had a turn of %g s in its own process. PyTorch ran without OPENBLAS_CORETYPE and\n"+
			"  OPENBLAS_L2_SIZE, with ATEN_CPU_CAPABILITY=avx512 and malloc keeping large blocks, denormals flushed, and in the fastest of\n"+
			"  its forms: pictures channels-first or channels-last; Adam foreach or not; networks plain, frozen or optimised for inference;\n"+
			"  threads that spin long or short (GOMP_SPINCOUNT=1000) while they wait.\n"+
			"  ONNX Runtime is called from Node.js, with all optimisations; calling an empty network takes it %s ms.\n", b.rounds, b.seconds, empty)
		for _, t := range tables {
			t.markdown(w)
		}
		return nil
	})
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

// processor is the model's name where the system has /proc.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
