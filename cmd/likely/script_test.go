package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands that scripts have beside those of testscript.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"status": status,
	"keys":   keys,
	"width":  width,
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
