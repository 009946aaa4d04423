// Package kernel holds the numerical kernels of the CPU backend: matrix products, convolutions, elementwise functions,
// reductions and random numbers, over plain slices.
//
// Every kernel exists in plain Go, and most also as AVX2 and AVX-512 assembly that the programs under _gen write. All
// of them perform the same exactly rounded operations in the same order, so their results agree bit for bit whatever
// the instruction set. [Active] says which one is in use.
package kernel

import (
	"fmt"
	"os"
	"sync/atomic"
)

// Level is an instruction set that the kernels are written for. A higher level includes the lower ones.
type Level int

const (
	// Generic is plain Go, for every processor.
	Generic Level = iota
	// AVX2 needs AVX2 and FMA.
	AVX2
	// AVX512 needs AVX-512 F, VL, BW and DQ, and what AVX2 needs.
	AVX512
)

// String returns the name that LIKELY_CPU takes: generic, avx2 or avx512.
func (l Level) String() string {
	switch l {
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// Detected returns the best level that this machine has.
func Detected() Level { return detected }

// Active returns the level in use: Detected, or a lower one that the environment variable LIKELY_CPU asked for when
// the program started.
func Active() Level { return Level(active.Load()) }

// ActiveNote returns one line when LIKELY_CPU could not be followed, and "" otherwise.
func ActiveNote() string { return activeNote }

// Use makes l the active level, or Detected if the machine lacks l, until restore is called. It is for tests, and not
// for use while kernels run.
func Use(l Level) (restore func()) {
	old := Active()
	setActive(min(l, detected))
	return func() { setActive(old) }
}

var (
	detected   = detect()
	active     atomic.Int32
	activeNote string
)

func init() {
	l, note := chooseLevel(os.Getenv("LIKELY_CPU"), detected)
	activeNote = note
	setActive(l)
}

func setActive(l Level) { active.Store(int32(l)) }

// chooseLevel returns the level that setting asks for on a machine with level have, and a note if it cannot.
func chooseLevel(setting string, have Level) (Level, string) {
	if setting == "" {
		return have, ""
	}
	for l := Generic; l <= AVX512; l++ {
		if setting != l.String() {
			continue
		}
		if l > have {
			return have, fmt.Sprintf("LIKELY_CPU=%s: this machine lacks it; using %s", setting, have)
		}
		return l, ""
	}
	return have, fmt.Sprintf("LIKELY_CPU=%q is none of generic, avx2, avx512; using %s", setting, have)
}
