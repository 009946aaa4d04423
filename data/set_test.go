package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

func ExampleShape() {
	picture := Shape{Height: 28, Width: 28, Channels: 1}
	fmt.Println(picture, picture.Size(), picture.IsImage())
	fmt.Println(RowShape(13), RowShape(13).IsImage())
	// Output:
	// 28x28x1 784 true
	// 13 columns false
}

func ExampleSet() {
	schema := &Schema{Shape: Shape{Height: 2, Width: 2, Channels: 1}, Classes: []string{"dark", "light"}, MaxValue: 255}
	set, err := NewPixels(schema, []uint8{0, 1, 2, 3, 250, 251, 252, 253}, []int32{0, 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	batch := NewBatch(schema.Shape, 1, true)
	if err := set.Read(context.Background(), batch, []int{1}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(batch.Row(0), schema.Classes[batch.Y[0]])
	// Output: [250 251 252 253] light
}

// TestViews reads through Subset and Concat and compares with indexing by hand.
func TestViews(t *testing.T) {
	classes := []string{"p", "q", "r"}
	a := tableSetOf(t, 2, []float32{0, 1, 10, 11, 20, 21}, classes, []int32{0, 1, 2})
	b := tableSetOf(t, 2, []float32{30, 31, 40, 41}, classes, []int32{1, 0})
	joined, err := Concat(a, b)
	if err != nil {
		t.Fatal(err)
	}
	sub := Subset(Subset(joined, []int{4, 3, 3, 1}), []int{2, 0, 3, 1})
	got := all(t, sub)
	if want := []float32{30, 31, 40, 41, 10, 11, 30, 31}; !slices.Equal(got.X, want) {
		t.Errorf("x %v, expected %v", got.X, want)
	}
	if want := []int32{1, 0, 1, 1}; !slices.Equal(got.Y, want) {
		t.Errorf("y %v, expected %v", got.Y, want)
	}
	labels, err := Labels(context.Background(), sub)
	if err != nil || !slices.Equal(labels, got.Y) {
		t.Errorf("labels %v (%v), expected %v", labels, err, got.Y)
	}
}

func TestReadRefuses(t *testing.T) {
	s := tableSetOf(t, 2, []float32{0, 1, 10, 11}, nil, nil)
	ctx := context.Background()
	wantError(t, s.Read(ctx, NewBatch(RowShape(3), 1, false), []int{0}), "3 columns", "2 columns")
	wantError(t, s.Read(ctx, NewBatch(RowShape(2), 2, false), []int{0}), "4 values, expected 2")
	wantError(t, s.Read(ctx, NewBatch(RowShape(2), 1, false), []int{2}), "example 2", "0 to 1")
	if err := s.Read(ctx, NewBatch(RowShape(2), 1, true), []int{0}); !errors.Is(err, ErrNoLabels) {
		t.Errorf("labels of an unlabelled set: %v, expected ErrNoLabels", err)
	}
	if _, err := Labels(ctx, s); !errors.Is(err, ErrNoLabels) {
		t.Errorf("Labels of an unlabelled set: %v, expected ErrNoLabels", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Read(cancelled, NewBatch(RowShape(2), 1, false), []int{0}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled read: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	shape := Shape{Height: 2, Width: 2, Channels: 1}
	for _, c := range []struct {
		schema Schema
		pixels []uint8
		labels []int32
		want   string
	}{
		{Schema{Shape: shape, MaxValue: 255}, make([]uint8, 6), nil, "multiple of 4"},
		{Schema{Shape: shape, MaxValue: 255}, make([]uint8, 4), []int32{0}, "both or neither"},
		{Schema{Shape: shape, MaxValue: 255, Classes: []string{"a"}}, make([]uint8, 8), []int32{0}, "1 labels for 2 examples"},
		{Schema{Shape: shape, MaxValue: 255, Classes: []string{"a"}}, make([]uint8, 4), []int32{1}, "class 1, expected 0 to 0"},
		{Schema{Shape: shape, MaxValue: 16}, []uint8{0, 0, 17, 0}, nil, "pixel value 17 at element 2"},
		{Schema{Shape: shape}, make([]uint8, 4), nil, "max_value"},
		{Schema{Shape: RowShape(2)}, make([]uint8, 4), nil, "0 columns, expected 2"},
	} {
		_, err := NewPixels(&c.schema, c.pixels, c.labels)
		wantError(t, err, c.want)
	}
}

func TestConcatRefuses(t *testing.T) {
	a := tableSetOf(t, 2, make([]float32, 4), nil, nil)
	_, err := Concat(a, tableSetOf(t, 3, make([]float32, 3), nil, nil))
	wantError(t, err, "set 2", "3 columns", "2 columns")
	_, err = Concat(a, tableSetOf(t, 2, make([]float32, 2), []string{"k"}, []int32{0}))
	wantError(t, err, "classes")
	_, err = Concat()
	wantError(t, err, "at least one set")
}

// TestConcurrentRead reads one set of each kind from several goroutines; the race detector does the checking.
func TestConcurrentRead(t *testing.T) {
	rows := open(t, "testdata/npy/f8-fortran.npy", Options{Memory: 1})
	for _, s := range []Set{open(t, "digits", Options{}).All, open(t, "digits", Options{Height: 4}).Train, rows.All} {
		want := all(t, s)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if got := all(t, s); !same(got.X, want.X) {
					t.Error("concurrent reads differ")
				}
			})
		}
		wg.Wait()
	}
}

// bare hides every method of a set but those of the interface.
type bare struct{ Set }

func TestLabelsOfAnySet(t *testing.T) {
	s := open(t, "digits", Options{}).All
	want, err := Labels(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Labels(context.Background(), bare{s}); err != nil || !slices.Equal(got, want) {
		t.Errorf("labels read from the examples differ from those at hand (%v)", err)
	}
}

// An error of an example of a batch tells which of the set it is, whatever is said around it.
func TestEachSaysWhichExample(t *testing.T) {
	s, err := NewTable(&Schema{Shape: RowShape(1), Columns: []Column{{Name: "x", Kind: Numeric}}}, make([]float32, chunk+5), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = Each(context.Background(), s, func(first int, _ Batch) error {
		if first == 0 {
			return nil
		}
		return fmt.Errorf("asked: %w", &ExampleError{Index: 3, Err: ErrNoLabels})
	})
	if want := fmt.Sprintf("example %d: %v", chunk+4, ErrNoLabels); err == nil || err.Error() != want || !errors.Is(err, ErrNoLabels) {
		t.Errorf("error %v, expected %q", err, want)
	}
}
