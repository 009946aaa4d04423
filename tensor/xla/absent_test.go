//go:build !xla

package xla

import (
	"strings"
	"testing"
)

func TestAbsent(t *testing.T) {
	if b, err := New(0); b != nil || err == nil || !strings.Contains(err.Error(), "go build -tags xla") {
		t.Errorf("got %v, %v", b, err)
	}
}
