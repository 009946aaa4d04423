package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/likely-ml/likely/augment"
	"github.com/likely-ml/likely/internal/atomicfile"
)

// studyFolder is the folder of a study: study.json says what it is and, at the end, what it found; fits.jsonl has a line for each
// classifier that is fitted.
type studyFolder struct {
	path   string
	record studyRecord
}

// openStudy makes the folder of a study or, with resume, opens it and returns the fits that are done.
func openStudy(dir string, r studyRecord, resume bool) (*studyFolder, []augment.Fit, error) {
	f := &studyFolder{dir, r}
	_, begun := os.Stat(f.file("fits.jsonl"))
	text, err := os.ReadFile(f.file("study.json"))
	var earlier studyRecord
	switch {
	case errors.Is(err, fs.ErrNotExist) && begun == nil: // of which study nobody knows
		return nil, nil, fmt.Errorf("--out %s: the folder holds fits.jsonl without study.json; remove it, or choose another folder", dir)
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, nil, err
		}
		return f, nil, r.write(f.file("study.json"))
	case err != nil:
		return nil, nil, err
	}
	if err := json.Unmarshal(text, &earlier); err != nil {
		return nil, nil, fmt.Errorf("%s: %w, expected the JSON that a study wrote", f.file("study.json"), err)
	}
	switch {
	case errors.Is(begun, fs.ErrNotExist) && earlier.Result == nil: // with --resume too: it was killed before the first fit
		return f, nil, r.write(f.file("study.json"))
	case !resume:
		return nil, nil, fmt.Errorf("--out %s: the folder holds a study already; go on with it by --resume, or choose another", dir)
	}
	if field := earlier.differs(r); field != "" {
		return nil, nil, fmt.Errorf("--out %s: the study there has another %s; resume with the words that began it, or choose another folder", dir, field)
	}
	have, err := f.fits()
	return f, have, err
}

// differs names the first field, as study.json has it, in which two studies differ; "" where they are the same.
func (r studyRecord) differs(other studyRecord) string {
	a, b := reflect.ValueOf(r), reflect.ValueOf(other)
	for i := range a.NumField() {
		name := a.Type().Field(i).Tag.Get("json")
		if name == "result,omitempty" {
			continue
		}
		x, errX := json.Marshal(a.Field(i).Interface()) // which compacts the recipes
		y, errY := json.Marshal(b.Field(i).Interface())
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			return name
		}
	}
	return ""
}

func (f *studyFolder) file(name string) string { return filepath.Join(f.path, name) }

// fits reads fits.jsonl. What a crash left of a last line is cut off, so that the next one begins on its own.
func (f *studyFolder) fits() ([]augment.Fit, error) {
	path := f.file("fits.jsonl")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	fits, err := readFits(bytes.NewReader(whole))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove that line, or choose another folder", path, err)
	}
	if len(whole) < len(text) {
		err = atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(whole); return err })
	}
	return fits, err
}

// readFits reads fits, one JSON object a line.
func readFits(r io.Reader) ([]augment.Fit, error) {
	var fits []augment.Fit
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var fit augment.Fit
			if err := json.Unmarshal(line, &fit); err != nil {
				return nil, fmt.Errorf("line %d: %w, expected the JSON of a fit", n, err)
			}
			fits = append(fits, fit)
		}
		if err == io.EOF {
			return fits, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// keep appends a fit, and returns when it is on disk.
func (f *studyFolder) keep(fit augment.Fit) error {
	line, err := json.Marshal(fit)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(f.file("fits.jsonl"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}

// finish records the result.
func (f *studyFolder) finish(r *augment.Result) (err error) {
	if f.record.Result, err = json.Marshal(r); err != nil {
		return err
	}
	return f.record.write(f.file("study.json"))
}
