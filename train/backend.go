package train

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/reference"
	"github.com/likely-ml/likely/tensor/xla"
)

type backendKey struct {
	name    string
	threads int
}

var backends = struct {
	sync.Mutex
	made map[backendKey]tensor.Backend
}{made: map[backendKey]tensor.Backend{}}

// Backend is the backend of that name: cpu ("" too) with that many threads (0 is one for each core), reference, or xla, xla:1
// and so on for a device that XLA drives. Callers with equal arguments share it and its threads.
func Backend(name string, threads int) (tensor.Backend, error) {
	backends.Lock()
	defer backends.Unlock()
	if name == "" {
		name = "cpu"
	}
	k := backendKey{name, threads}
	if b := backends.made[k]; b != nil {
		return b, nil
	}
	b, err := makeBackend(name, threads)
	if err != nil {
		return nil, err
	}
	backends.made[k] = b
	return b, nil
}

func makeBackend(name string, threads int) (tensor.Backend, error) {
	kind, device, numbered := strings.Cut(name, ":")
	switch {
	case name == "cpu":
		return cpu.New(threads), nil
	case name == "reference":
		return reference.New(), nil
	case kind == "xla" && !numbered:
		return xla.New(0)
	case kind == "xla":
		n, err := strconv.ParseUint(device, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("backend %q: the device is %q, expected a number from 0", name, device)
		}
		return xla.New(int(n))
	}
	return nil, fmt.Errorf("unknown backend %q, expected cpu, reference or xla", name)
}
