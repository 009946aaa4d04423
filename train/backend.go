package train

import (
	"fmt"
	"sync"

	"github.com/likely-ml/likely/tensor"
	"github.com/likely-ml/likely/tensor/cpu"
)

type backendKey struct {
	name    string
	threads int
}

var (
	backendsLock sync.Mutex
	backends     = map[backendKey]tensor.Backend{}
	// inUse is what models loaded from files run on.
	inUse = backendKey{name: "cpu"}
)

// Backend is the backend of that name ("" is the one of [UseBackend]) with that many threads (0 is one for each
// core). Callers share it and its threads.
func Backend(name string, threads int) (tensor.Backend, error) {
	backendsLock.Lock()
	defer backendsLock.Unlock()
	return backend(backendKey{name, threads})
}

// UseBackend sets what fitted models compute with from now on, and is meant for the start of a program.
func UseBackend(name string, threads int) error {
	backendsLock.Lock()
	defer backendsLock.Unlock()
	if _, err := backend(backendKey{name, threads}); err != nil {
		return err
	}
	if name == "" {
		name = "cpu"
	}
	inUse = backendKey{name, threads}
	return nil
}

func backend(k backendKey) (tensor.Backend, error) {
	if k.name == "" {
		k.name = inUse.name
		if k.threads == 0 {
			k.threads = inUse.threads
		}
	}
	if b := backends[k]; b != nil {
		return b, nil
	}
	switch k.name {
	case "cpu":
		backends[k] = cpu.New(k.threads)
	default:
		return nil, fmt.Errorf("backend %q, expected cpu or reference", k.name)
	}
	return backends[k], nil
}
