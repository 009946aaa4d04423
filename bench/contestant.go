package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// contestant is a process that times jobs; see child.go for what it says.
type contestant struct {
	name    string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	message bytes.Buffer // what it wrote to standard error
	hello   greeting
}

// start runs the command until its greeting. It ends with ctx if stop is not called.
func start(ctx context.Context, env []string, name, program string, args ...string) (*contestant, error) {
	c := &contestant{name: name, command: exec.CommandContext(ctx, program, args...)}
	c.command.Env = append(fastEnvironment(), env...)
	c.command.Stderr = &c.message
	var err error
	if c.in, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	return c, c.read(&c.hello)
}

// fastEnvironment makes PyTorch fast: OpenBLAS chooses its own kernels, ATen its AVX-512 ones, and malloc keeps large
// blocks. The others do not heed it.
func fastEnvironment() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "OPENBLAS_CORETYPE=") || strings.HasPrefix(s, "OPENBLAS_L2_SIZE=")
	})
	return append(env, "ATEN_CPU_CAPABILITY=avx512", "MALLOC_TRIM_THRESHOLD_=2000000000", "MALLOC_MMAP_THRESHOLD_=2000000000")
}

func (c *contestant) read(v any) error {
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		c.command.Wait()
		return fmt.Errorf("%s: %w: %s", c.name, err, bytes.TrimSpace(c.message.Bytes()))
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%s: %w in %q", c.name, err, line)
	}
	return nil
}

// settle is what a turn waits for the threads of the side before it to fall asleep. After a product, those of OpenBLAS go on looking for
// the next one for 2^28 cycles, 0.1 s (OPENBLAS_THREAD_TIMEOUT): a core on which another side's second thread does not come to run.
const settle = 200 * time.Millisecond

// turn gives the contestant a turn of about so many seconds and returns the median in milliseconds.
func (c *contestant) turn(seconds float64, job string) (float64, error) {
	time.Sleep(settle)
	if _, err := fmt.Fprintf(c.in, "%g %s\n", seconds, job); err != nil {
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	var t timing
	err := c.read(&t)
	return t.Median, err
}

// stop ends the process and returns its memory.
func (c *contestant) stop() (memory, error) {
	c.in.Close()
	var m memory
	if err := c.read(&m); err != nil {
		return m, err
	}
	return m, c.command.Wait()
}

// peers says how to reach the others.
type peers struct {
	self   string // this program
	python string // that has PyTorch; empty for none
	node   string // that finds ONNX Runtime; empty for none

	torchVersion, onnxVersion string
}

// findPeers asks each for its version, and says in a line which is missing.
func findPeers(python, node string) (p peers, err error) {
	if p.self, err = os.Executable(); err != nil {
		return p, err
	}
	p.python, p.torchVersion = probe("PyTorch", python, "bench/torch/steps.py", "--version")
	p.node, p.onnxVersion = probe("ONNX Runtime", node, "bench/onnx/run.js", "--version")
	return p, nil
}

func probe(what, program string, args ...string) (found, version string) {
	if program == "" {
		return "", ""
	}
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		fmt.Printf("%s is not here (%s: %v); its columns stay empty\n", what, strings.Join(append([]string{program}, args...), " "), err)
		return "", ""
	}
	return program, strings.TrimSpace(string(out))
}

func (p peers) ours(ctx context.Context, job string, threads int) (*contestant, error) {
	return start(ctx, nil, "likely", p.self, "-child", job, "-threads", fmt.Sprint(threads))
}

// shortSpin has threads of PyTorch sleep soon after their work. As it is they spin for milliseconds, which serves them on a
// quiet machine; on one with other work to do they lose their cores to it, and can take 50 times as long.
const shortSpin = "GOMP_SPINCOUNT=1000"

func (p peers) torch(ctx context.Context, env []string, job string, threads int, more ...string) (*contestant, error) {
	return start(ctx, env, "PyTorch", p.python, append([]string{"bench/torch/steps.py", "--workload", job, "--threads", fmt.Sprint(threads)}, more...)...)
}

func (p peers) onnx(ctx context.Context, threads int, more ...string) (*contestant, error) {
	return start(ctx, nil, "ONNX Runtime", p.node, append([]string{"bench/onnx/run.js", "--threads", fmt.Sprint(threads)}, more...)...)
}
