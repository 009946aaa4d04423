package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"strconv"

	"github.com/likely-ml/likely/calibrate"
	"github.com/likely-ml/likely/internal/atomicfile"
)

// File is the content of a model file.
type File struct {
	Card    Card
	Tensors []Tensor // sorted by name; Values finds one
	Run     Run      // of which Backend and Threads say how the loaded model is to compute
}

// The keys of a file's metadata. Their values are texts, some of them JSON.
const (
	keyFormat     = "likely_format" // FormatVersion; its presence makes a .safetensors file a model file
	keyModel      = "model"
	keyRecipe     = "recipe"     // JSON
	keySchema     = "schema"     // JSON
	keyTransform  = "transform"  // JSON
	keyProvenance = "provenance" // JSON
	keySeed       = "seed"
	keyLikely     = "likely_version"
	keyGo         = "go_version"
	keyCalibrate  = "calibration" // calibrate.Method; only where the classifier is Calibrated
	keyChecksum   = "sha256"      // of the file as it is without this key
)

// metadata writes the card down.
func (c *Card) metadata() (map[string]string, error) {
	m := map[string]string{
		keyFormat: strconv.Itoa(c.Versions.Format), keyModel: c.Name, keySeed: strconv.FormatUint(c.Seed, 10),
		keyLikely: c.Versions.Likely, keyGo: c.Versions.Go,
	}
	for key, value := range map[string]any{
		keyRecipe: c.Recipe, keySchema: c.Schema, keyTransform: c.Transform, keyProvenance: c.Provenance,
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("%s of model %s: %w", key, c.Name, err)
		}
		m[key] = string(text)
	}
	return m, nil
}

// readCard reads back what metadata wrote, and finds the registered model. The file's version is looked at first, since
// it says whether the rest can be understood.
func readCard(m map[string]string) (Card, Entry, error) {
	fail := func(format string, args ...any) (Card, Entry, error) {
		return Card{}, Entry{}, fmt.Errorf(format, args...)
	}
	if _, ok := m[keyFormat]; !ok {
		return fail("%w: a .safetensors file that another program wrote", ErrNotModel)
	}
	c := Card{Versions: Versions{Likely: m[keyLikely], Go: m[keyGo]}, Name: m[keyModel]}
	var err error
	if c.Versions.Format, err = strconv.Atoi(m[keyFormat]); err != nil || c.Versions.Format < 1 {
		return fail("%w: %s is %q, expected a whole number from 1", ErrDamaged, keyFormat, m[keyFormat])
	}
	if c.Versions.Format > newestFormat {
		return fail("a model file of version %d, written by likely %s; this is likely %s, which reads up to version %d; use a newer one",
			c.Versions.Format, c.Versions.Likely, Version, newestFormat)
	}
	if _, calibrated := m[keyCalibrate]; calibrated != (c.Versions.Format == formatCalibrated) {
		return fail("%w: version %d of the file, expected %d with the key %s and %d without", ErrDamaged, c.Versions.Format, formatCalibrated, keyCalibrate, FormatVersion)
	}
	entry, err := Lookup(c.Name)
	if err != nil {
		return fail("written by likely %s: %w", c.Versions.Likely, err)
	}
	if c.Seed, err = strconv.ParseUint(m[keySeed], 10, 64); err != nil {
		return fail("%w: %s is %q, expected a whole number", ErrDamaged, keySeed, m[keySeed])
	}
	c.Recipe = entry.New()
	for _, part := range []struct {
		key  string
		into any
	}{{keySchema, &c.Schema}, {keyTransform, &c.Transform}, {keyProvenance, &c.Provenance}, {keyRecipe, c.Recipe}} {
		d := json.NewDecoder(bytes.NewReader([]byte(m[part.key])))
		d.DisallowUnknownFields()
		if err := d.Decode(part.into); err != nil {
			return fail("%w: %s: %w", ErrDamaged, part.key, err)
		}
	}
	if c.Schema == nil || c.Transform == nil {
		return fail("%w: schema or transform is missing", ErrDamaged)
	}
	if err := c.Schema.Validate(); err != nil {
		return fail("%w: %w", ErrDamaged, err)
	}
	if in := c.Transform.InShape(); in != c.Schema.Shape {
		return fail("%w: transform of %v, expected that of the schema, %v", ErrDamaged, in, c.Schema.Shape)
	}
	if err := Validate(c.Recipe); err != nil {
		return fail("%w: recipe: %w", ErrDamaged, err)
	}
	return c, entry, nil
}

// checksum is the SHA-256, in hexadecimal digits, of a file with these tensors and this metadata.
func checksum(tensors []Tensor, metadata map[string]string) (string, error) {
	h := sha256.New()
	if err := WriteTensors(h, tensors, metadata); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// verify reports ErrDamaged where the content of a file is not what its checksum was taken of.
func verify(tensors []Tensor, metadata map[string]string) error {
	rest := maps.Clone(metadata)
	delete(rest, keyChecksum)
	got, err := checksum(tensors, rest)
	if err == nil && got != metadata[keyChecksum] {
		err = fmt.Errorf("%w: its content does not have the checksum that it was written with; copy it again, or fit the model anew", ErrDamaged)
	}
	return err
}

// Read reads a model file of the given size in bytes. The model will compute on run.Backend with run.Threads.
func (run Run) Read(r io.ReaderAt, size int64) (Model, *File, error) {
	// The card comes before the tensors: whether this is a model file at all needs no reading of the rest.
	header, err := readHeader(r, size)
	if err != nil {
		return nil, nil, err
	}
	_, metadata, err := parseHeader(header)
	if err != nil {
		return nil, nil, err
	}
	card, entry, err := readCard(metadata)
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := ReadTensors(r, size)
	if err != nil {
		return nil, nil, err
	}
	if err := verify(tensors, metadata); err != nil {
		return nil, nil, err
	}
	f := &File{Card: card, Tensors: tensors, Run: run}
	m, err := entry.load(f, calibrate.Method(metadata[keyCalibrate]))
	if err != nil {
		return nil, nil, fmt.Errorf("model %s: %w", card.Name, err)
	}
	return m, f, nil
}

// Load reads the model file at path. Errors are one line and name the path. The model will compute on the default backend
// with one thread per CPU; Run.Load chooses others.
func Load(path string) (Model, *File, error) { return Run{}.Load(path) }

// Load reads the model file at path like the function Load, for run.Backend and run.Threads.
func (run Run) Load(path string) (Model, *File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w, expected a model file that fit wrote", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return nil, nil, fmt.Errorf("%s: a folder, expected a model file that fit wrote", path)
	}
	m, file, err := run.Read(f, info.Size())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, file, nil
}

// SaveFile writes the model to path. After a crash at any moment the file is the old one or the new one.
func SaveFile(path string, m Model) error {
	return atomicfile.Write(path, m.Save)
}
