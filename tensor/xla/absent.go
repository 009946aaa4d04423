//go:build !xla

package xla

import (
	"errors"

	"github.com/likely-ml/likely/tensor"
)

// Built reports whether this build can run programs through XLA.
const Built = false

// New fails in this build.
func New(device int) (tensor.Backend, error) {
	return nil, errors.New("xla is not in this build; make one that has it with go build -tags xla ./cmd/likely, see docs/xla.md")
}
