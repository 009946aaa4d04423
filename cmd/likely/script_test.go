package main

import (
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands that scripts have beside those of testscript.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"status":    status,
	"keys":      keys,
	"width":     width,
	"page":      page,
	"array":     array,
	"field":     field,
	"parquet":   parquetTable,
	"inception": inceptionWeights,
}

// status runs likely and expects an exit status: "status 2 fit nothing data". A status that is not 0 comes with one line on
// standard error that tells why, and nothing on standard output.
func status(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: status CODE [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	args = args[1:]
	got := exitSuccess
	var exit *exec.ExitError
	if err := ts.Exec("likely", args...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	line := "likely " + strings.Join(args, " ")
	if got != want {
		ts.Fatalf("%s: exit status %d, expected %d", line, got, want)
	}
	stderr := ts.ReadFile("stderr")
	if last := stderr[strings.LastIndex(strings.TrimRight(stderr, "\n"), "\n")+1:]; want != exitSuccess && !strings.HasPrefix(last, "likely: ") {
		ts.Fatalf("%s: the last line on standard error is %q, expected the error", line, last)
	}
	if want == exitUsage && (strings.Count(stderr, "\n") != 1 || ts.ReadFile("stdout") != "") {
		ts.Fatalf("%s: wrong words, expected one line on standard error and nothing on standard output", line)
	}
}

// keys parses standard output as one JSON object and expects the named keys in it.
func keys(ts *testscript.TestScript, neg bool, args []string) {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(d.Decode(&object))
	if d.More() {
		ts.Fatalf("more follows the JSON object")
	}
	for _, key := range args {
		if _, ok := object[key]; ok == neg {
			ts.Fatalf("key %q: present %v, expected %v, among %v", key, ok, !neg, slices.Sorted(maps.Keys(object)))
		}
	}
}

// field writes one value of the JSON object on standard output to a file: "field KEY FILE".
func field(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: field KEY FILE")
	}
	var object map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &object))
	if object[args[0]] == nil {
		ts.Fatalf("no key %q, among %v", args[0], slices.Sorted(maps.Keys(object)))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), object[args[0]], 0o644))
}

// array writes the numbers of a CSV table with a header as an array of float64, as numpy.save does: "array TABLE FILE".
func array(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: array TABLE FILE")
	}
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", len(rows)-1, len(rows[0]))
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	file = append(file, header...)
	for _, row := range rows[1:] {
		for _, text := range row {
			v, err := strconv.ParseFloat(text, 64)
			ts.Check(err)
			file = binary.LittleEndian.AppendUint64(file, math.Float64bits(v))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), file, 0o644))
}

// parquetTable reads a Parquet file and writes it as CSV: "parquet FILE TABLE".
func parquetTable(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: parquet FILE TABLE")
	}
	names, _, rows, _, err := readParquet([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	var table strings.Builder
	out := csv.NewWriter(&table)
	ts.Check(out.Write(names))
	for _, row := range rows {
		cells := make([]string, len(row))
		for j, v := range row {
			switch v := v.(type) {
			case float64:
				cells[j] = strconv.FormatFloat(v, 'g', -1, 64)
			case int64:
				cells[j] = strconv.FormatInt(v, 10)
			case string:
				cells[j] = v
			}
		}
		ts.Check(out.Write(cells))
	}
	out.Flush()
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(table.String()), 0o644))
}

// page reads an HTML file as strict XML and expects sections with the given titles, and nothing that is loaded from elsewhere.
func page(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: page FILE [TITLE…]")
	}
	text := ts.ReadFile(args[0])
	d := xml.NewDecoder(strings.NewReader(text))
	titles := map[string]bool{}
	heading := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		switch t := token.(type) {
		case xml.StartElement:
			heading = t.Name.Local == "h2"
			for _, a := range t.Attr {
				if (a.Name.Local == "src" || a.Name.Local == "href") && !strings.HasPrefix(a.Value, "data:") && !strings.HasPrefix(a.Value, "#") {
					ts.Fatalf("%s loads %s", args[0], a.Value)
				}
			}
		case xml.EndElement:
			heading = false
		case xml.CharData:
			if heading {
				titles[string(t)] = true
			}
		}
	}
	for _, title := range args[1:] {
		if !titles[title] {
			ts.Fatalf("%s has no section %q, among %q", args[0], title, slices.Sorted(maps.Keys(titles)))
		}
	}
	if strings.Contains(text, "://") {
		ts.Fatalf("%s has the address of something else", args[0])
	}
}

// width expects no line of standard output to be longer than the given number of columns.
func width(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: width COLUMNS")
	}
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > most {
			ts.Fatalf("a line has %d columns, expected at most %d: %s", n, most, line)
		}
	}
}
