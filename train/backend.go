package train

import (
	"fmt"
	"sync"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
	"github.com/likely-ml/likely/tensor/reference"
)

type backendKey struct {
	name    string
	threads int
}

var backends = struct {
	sync.Mutex
	made map[backendKey]tensor.Backend
}{made: map[backendKey]tensor.Backend{}}

// Backend is the backend of that name, cpu ("" too) or reference, with that many threads (0 is one for each core).
// Callers with equal arguments share it and its threads.
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
	switch name {
	case "cpu":
		backends.made[k] = cpu.New(threads)
	case "reference":
		backends.made[k] = reference.New()
	default:
		return nil, fmt.Errorf("unknown backend %q, expected cpu or reference", name)
	}
	return backends.made[k], nil
}
