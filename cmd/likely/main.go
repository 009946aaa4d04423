// Command likely learns probability distributions from data: it fits classifiers, p(y|x), and generators, p(x) and p(x|y),
// to pictures and tables, and predicts, samples and measures with them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit statuses.
const (
	exitSuccess     = 0
	exitFailed      = 1   // the work failed
	exitUsage       = 2   // the words were wrong
	exitInterrupted = 130 // as a shell reports a program that SIGINT ended
)

func main() {
	// The first signal asks the work to save and end; the second ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run executes one command line and returns the exit status. An error becomes one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &checkedWriter{w: stdout}
	app := &app{stdout: out, stderr: stderr}
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.err
	}
	if err == nil {
		return exitSuccess
	}
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "likely: %s\n", oneLine(err))
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintf(stderr, "likely: %s\n", interrupted(err))
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "likely: %s\n", oneLine(err))
	return exitFailed
}

// checkedWriter remembers the first error of w, such as a full disk, so that no command ends with success whose output is not whole.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// oneLine is the text of an error, whose lines are joined.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// interrupted is the text of an error that an interrupt made, in plain words.
func interrupted(err error) string {
	canceled := context.Canceled.Error()
	text := strings.TrimSuffix(oneLine(err), ": "+canceled)
	switch {
	case text == canceled:
		return "interrupted"
	case strings.Contains(text, "interrupted"):
		return text
	}
	return text + ": interrupted"
}

// usageError is an error in the words of the command line, as opposed to one of the work.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
