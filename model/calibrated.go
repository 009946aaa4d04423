package model

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/likely-ml/likely/calibrate"
	"github.com/likely-ml/likely/data"
)

// Calibrated is a classifier whose posterior passes through a map that was fitted after it, on other examples:
//
//	log p(y|x) = Map(log p_Classifier(y|x))
//
// Its file is that of the classifier with the map's numbers in it.
type Calibrated struct {
	Classifier
	Map calibrate.Map
}

// Calibrate puts a map behind a classifier. The two must be of the same classes, and the classifier not calibrated yet.
func Calibrate(c Classifier, m calibrate.Map) (*Calibrated, error) {
	if _, again := c.(*Calibrated); again {
		return nil, fmt.Errorf("the classifier is calibrated already; fit the map to the one inside it")
	}
	if err := m.Apply(nil, c.Classes()); err != nil {
		return nil, err
	}
	return &Calibrated{c, m}, nil
}

// LogPosterior sets dst[i*K+k] to the calibrated log p(y=k|x_i).
func (c *Calibrated) LogPosterior(dst []float64, x data.Batch) error {
	if err := c.Classifier.LogPosterior(dst, x); err != nil {
		return err
	}
	return c.Map.Apply(dst, c.Classes())
}

// calibrationPrefix begins the names of the tensors of a map, and of no others.
const calibrationPrefix = "calibration."

// Save writes the classifier's own file with the map in it.
func (c *Calibrated) Save(w io.Writer) error {
	var own bytes.Buffer
	if err := c.Classifier.Save(&own); err != nil {
		return err
	}
	tensors, metadata, err := ReadTensors(bytes.NewReader(own.Bytes()), int64(own.Len()))
	if err != nil {
		return err
	}
	added, err := mapTensors(c.Map)
	if err != nil {
		return err
	}
	tensors = append(tensors, added...)
	metadata[keyCalibrate], metadata[keyFormat] = string(c.Map.Method()), strconv.Itoa(formatCalibrated)
	delete(metadata, keyChecksum)
	if metadata[keyChecksum], err = checksum(tensors, metadata); err != nil {
		return err
	}
	return WriteTensors(w, tensors, metadata)
}

// mapTensors writes a map down.
func mapTensors(m calibrate.Map) ([]Tensor, error) {
	tensor := func(name string, values any, dims ...int) Tensor {
		return Tensor{Name: calibrationPrefix + name, Dims: dims, Values: values}
	}
	switch m := m.(type) {
	case *calibrate.Temperature:
		return []Tensor{tensor("temperature", []float64{m.T()})}, nil
	case *calibrate.Platt:
		a, b := m.Slope(), m.Intercept()
		return []Tensor{tensor("slope", a, len(a)), tensor("intercept", b, len(b))}, nil
	case *calibrate.Isotonic:
		start, score, probability := m.Knots()
		at := make([]int64, len(start))
		for i, s := range start {
			at[i] = int64(s)
		}
		return []Tensor{
			tensor("examples", []int64{int64(m.Examples())}), tensor("start", at, len(at)),
			tensor("score", score, len(score)), tensor("probability", probability, len(probability)),
		}, nil
	}
	return nil, fmt.Errorf("calibration by %T has no place in a model file, expected one of %v", m, calibrate.Methods())
}

// readMap reads back what mapTensors wrote.
func readMap(f *File, method calibrate.Method) (calibrate.Map, error) {
	switch method {
	case calibrate.TemperatureScaling:
		t, err := Values[float64](f, calibrationPrefix+"temperature")
		if err != nil {
			return nil, err
		}
		return calibrate.NewTemperature(t[0])
	case calibrate.PlattScaling:
		a, err := Values[float64](f, calibrationPrefix+"slope", -1)
		if err != nil {
			return nil, err
		}
		b, err := Values[float64](f, calibrationPrefix+"intercept", -1)
		if err != nil {
			return nil, err
		}
		return calibrate.NewPlatt(a, b)
	case calibrate.IsotonicRegression:
		n, err := Values[int64](f, calibrationPrefix+"examples")
		if err != nil {
			return nil, err
		}
		at, err := Values[int64](f, calibrationPrefix+"start", -1)
		if err != nil {
			return nil, err
		}
		score, err := Values[float64](f, calibrationPrefix+"score", -1)
		if err != nil {
			return nil, err
		}
		probability, err := Values[float64](f, calibrationPrefix+"probability", -1)
		if err != nil {
			return nil, err
		}
		start := make([]int, len(at))
		for i, s := range at {
			start[i] = int(s)
		}
		return calibrate.NewIsotonic(int(n[0]), start, score, probability)
	}
	return nil, fmt.Errorf("%w: %s is %q, expected one of %v", ErrDamaged, keyCalibrate, method, calibrate.Methods())
}

// load makes the model of a file and puts the map behind it, of the given method, that a file of a calibrated classifier holds.
func (e Entry) load(f *File, method calibrate.Method) (Model, error) {
	if f.Card.Versions.Format != formatCalibrated {
		return e.Load(f)
	}
	m, err := readMap(f, method)
	if err != nil && !errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%w: calibration: %w", ErrDamaged, err)
	}
	if err != nil {
		return nil, err
	}
	own := *f // as the classifier wrote it
	own.Card.Versions.Format = FormatVersion
	own.Tensors = slices.DeleteFunc(slices.Clone(f.Tensors), func(t Tensor) bool { return strings.HasPrefix(t.Name, calibrationPrefix) })
	inner, err := e.Load(&own)
	if err != nil {
		return nil, err
	}
	c, ok := inner.(Classifier)
	if !ok {
		return nil, fmt.Errorf("%w: a calibration, which only a classifier has", ErrDamaged)
	}
	both, err := Calibrate(c, m)
	if err != nil {
		return nil, fmt.Errorf("%w: calibration: %w", ErrDamaged, err)
	}
	return both, nil
}
