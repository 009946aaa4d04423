//go:build xla

package xla

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-xla/pjrt"
	"k8s.io/klog/v2"

	"github.com/likely-ml/likely/tensor"
)

// Built reports whether this build can run programs through XLA.
const Built = true

// pluginVariable names the environment variable that holds the file of the PJRT plugin.
const pluginVariable = pjrt.PJRTPluginPathsEnv

// connect loads the plugin and opens its devices, once for the process: a second client would take memory of its own on each.
var connect = sync.OnceValues(func() (*pjrt.Client, error) {
	path := os.Getenv(pluginVariable)
	if path == "" {
		return nil, fmt.Errorf("xla: %s is not set; expected the file of a PJRT plugin, such as …/xla_cuda_plugin.so, see docs/xla.md", pluginVariable)
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("xla: %s is %q, expected the file of a PJRT plugin, such as …/xla_cuda_plugin.so", pluginVariable, path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// The client would say what failed on standard error too.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	var options pjrt.NamedValuesMap
	if pjrt.IsCUDAName(filepath.Base(path)) {
		options = pjrt.NamedValuesMap{"preallocate": false} // else XLA takes three quarters of the card at once
		if os.Getenv("GOPJRT_CUDA_CHECKS") == "" {
			os.Setenv("GOPJRT_CUDA_CHECKS", "no") // go-xla would miss CUDA's libraries where its own installer did not put them
		}
	}
	plugin, err := pjrt.GetPlugin(path)
	if err != nil {
		return nil, failed("load the plugin", err)
	}
	client, err := plugin.NewClient(options)
	return client, failed("open the devices", err)
})

// failed says in one line what went wrong.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("xla: cannot %s: %s", what, strings.Join(strings.Fields(err.Error()), " "))
}

// New returns the backend for a device of the plugin that the environment variable PJRT_PLUGIN_LIBRARY_PATH names, numbered from 0.
func New(device int) (tensor.Backend, error) {
	client, err := connect()
	if err != nil {
		return nil, err
	}
	if n := client.NumDevices(); device < 0 || device >= n {
		return nil, fmt.Errorf("xla: no device %d; the plugin has %d, numbered from 0", device, n)
	}
	return &backend{client: client, device: device, held: map[*tensor.Array]*pjrt.Buffer{}}, nil
}

type backend struct {
	client *pjrt.Client
	device int

	lock sync.Mutex
	held map[*tensor.Array]*pjrt.Buffer // arrays whose truth is on the device
}

func (b *backend) Name() string {
	if b.device == 0 {
		return "xla"
	}
	return fmt.Sprint("xla:", b.device)
}

func (b *backend) Compile(p *tensor.Program, vars tensor.Vars) (tensor.Executable, error) {
	bound, err := p.Bind(vars)
	if err != nil {
		return nil, err
	}
	l, err := lower(p)
	if err != nil {
		return nil, err
	}
	e := &executable{backend: b, inputs: map[string]*tensor.Array{}, outputs: map[string]*tensor.Array{}}
	of := map[*tensor.Node]*tensor.Array{}
	for i, v := range p.Variables {
		of[v] = bound[i]
	}
	for _, n := range p.Inputs {
		a := tensor.NewArray(n.Shape())
		of[n], e.inputs[n.Name()] = a, a
	}
	for _, n := range l.arguments {
		arg := argument{array: of[n]}
		if n.Op() == tensor.OpConstant {
			if arg.constant, err = b.upload(n.Attr().(*tensor.Array)); err != nil {
				return nil, err
			}
		}
		e.arguments = append(e.arguments, arg)
	}
	for _, o := range p.Outputs {
		a := tensor.NewArray(o.Value.Shape())
		e.outputs[o.Name] = a
		e.results = append(e.results, destination{array: a})
	}
	for _, u := range p.Updates {
		e.results = append(e.results, destination{array: of[u.Variable], variable: true})
	}
	e.results = slices.DeleteFunc(e.results, func(d destination) bool { return d.array.Shape.Size() == 0 })
	if len(l.results) > 0 {
		if e.program, err = b.client.Compile().WithStableHLO([]byte(l.text)).Done(); err != nil {
			return nil, failed("compile", err)
		}
	}
	return e, nil
}

// argument is where an argument of the program comes from: an array that a run copies unless it is held, or a constant.
type argument struct {
	array    *tensor.Array
	constant *pjrt.Buffer
}

// destination is where a result goes: the array of an output or of a variable.
type destination struct {
	array    *tensor.Array
	variable bool
}

type executable struct {
	backend         *backend
	program         *pjrt.LoadedExecutable // nil if no result has elements
	inputs, outputs map[string]*tensor.Array
	arguments       []argument
	results         []destination
}

func (e *executable) Input(name string) *tensor.Array { return named("input", e.inputs, name) }

func (e *executable) Output(name string) *tensor.Array { return named("output", e.outputs, name) }

func named(what string, arrays map[string]*tensor.Array, name string) *tensor.Array {
	if a := arrays[name]; a != nil {
		return a
	}
	panic(fmt.Sprintf("xla: the program has no %s %q", what, name))
}

// Run checks ctx before and after the device's work, which cannot be stopped once begun.
func (e *executable) Run(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil || e.program == nil {
		return err
	}
	b := e.backend
	var passing []*pjrt.Buffer // what nothing needs after this run
	defer func() {
		for _, x := range passing {
			err = errors.Join(err, x.Destroy())
		}
	}()
	arguments := make([]*pjrt.Buffer, len(e.arguments))
	for i, a := range e.arguments {
		if arguments[i] = a.constant; a.constant != nil {
			continue
		}
		if arguments[i] = b.holds(a.array); arguments[i] != nil {
			continue
		}
		if arguments[i], err = b.upload(a.array); err != nil {
			return err
		}
		passing = append(passing, arguments[i])
	}
	results, err := e.program.Execute(arguments...).OnDeviceByNum(b.device).Done()
	if err != nil {
		return failed("run", err)
	}
	if err := ctx.Err(); err != nil {
		passing = append(passing, results...)
		return err
	}
	for i, to := range e.results {
		if to.variable {
			if old := b.replace(to.array, results[i]); old != nil {
				passing = append(passing, old)
				continue
			}
		}
		passing = append(passing, results[i])
		if err := download(results[i], to.array); err != nil {
			return err
		}
	}
	return nil
}

// holds is where an array is held, nil if it is not.
func (b *backend) holds(a *tensor.Array) *pjrt.Buffer {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.held[a]
}

// replace puts x where an array is held, if it is.
func (b *backend) replace(a *tensor.Array, x *pjrt.Buffer) (old *pjrt.Buffer) {
	b.lock.Lock()
	defer b.lock.Unlock()
	if old = b.held[a]; old != nil {
		b.held[a] = x
	}
	return old
}

// Hold implements [tensor.Holder].
func (b *backend) Hold(vars tensor.Vars) (tensor.Held, error) {
	h := held{b, vars}
	for _, name := range vars.Names() {
		a := vars[name]
		if a.Shape.Size() == 0 || b.holds(a) != nil {
			continue
		}
		x, err := b.upload(a)
		if err != nil {
			return nil, errors.Join(err, h.Release())
		}
		b.lock.Lock()
		b.held[a] = x
		b.lock.Unlock()
	}
	return h, nil
}

type held struct {
	backend *backend
	vars    tensor.Vars
}

func (h held) Fetch() error {
	for _, name := range h.vars.Names() {
		if x := h.backend.holds(h.vars[name]); x != nil {
			if err := download(x, h.vars[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h held) Release() error {
	err := h.Fetch()
	b := h.backend
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, a := range h.vars {
		if x := b.held[a]; x != nil {
			err = errors.Join(err, x.Destroy())
			delete(b.held, a)
		}
	}
	return err
}

func (b *backend) upload(a *tensor.Array) (*pjrt.Buffer, error) {
	x, err := b.client.BufferFromHost().ToDeviceNum(b.device).FromRawData(bytes(a), bufferTypes[a.Shape.DType], a.Shape.Dims).Done()
	return x, failed("copy to the device", err)
}

func download(x *pjrt.Buffer, a *tensor.Array) error {
	return failed("copy from the device", x.ToHost(bytes(a)))
}

var bufferTypes = map[tensor.DType]dtypes.DType{
	tensor.Float32: dtypes.Float32, tensor.Float64: dtypes.Float64, tensor.Int32: dtypes.Int32, tensor.Uint32: dtypes.Uint32, tensor.Bool: dtypes.Bool,
}

// bytes is the memory of an array that has elements.
func bytes(a *tensor.Array) []byte {
	var p unsafe.Pointer
	switch a.Shape.DType {
	case tensor.Float32:
		p = unsafe.Pointer(unsafe.SliceData(a.F32))
	case tensor.Float64:
		p = unsafe.Pointer(unsafe.SliceData(a.F64))
	case tensor.Int32:
		p = unsafe.Pointer(unsafe.SliceData(a.I32))
	case tensor.Uint32:
		p = unsafe.Pointer(unsafe.SliceData(a.U32))
	case tensor.Bool:
		p = unsafe.Pointer(unsafe.SliceData(a.Bool))
	}
	return unsafe.Slice((*byte)(p), a.Shape.Size()*a.Shape.DType.Size())
}
