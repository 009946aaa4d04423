package evaluate

import (
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/likely-ml/likely/data"
)

// The models of these tests are about two Gaussian blobs in the plane, of deviation 1 around (-2, 0) and (2, 0), whose
// densities and posteriors are known.

func blobSchema(classes ...string) *data.Schema {
	return &data.Schema{
		Shape:   data.RowShape(2),
		Columns: []data.Column{{Name: "u", Kind: data.Numeric}, {Name: "v", Kind: data.Numeric}},
		Classes: classes,
	}
}

func drawBlob(row []float32, class int, r *rand.Rand) {
	row[0] = float32(4*class-2) + float32(r.NormFloat64())
	row[1] = float32(r.NormFloat64())
}

// twoBlobs is n labelled examples, half of each class.
func twoBlobs(t *testing.T, n int) data.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 0))
	b := data.NewBatch(data.RowShape(2), n, true)
	for i := range n {
		b.Y[i] = int32(i % 2)
		drawBlob(b.Row(i), i%2, r)
	}
	set, err := data.NewTable(blobSchema("left", "right"), b.X, b.Y)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

type blobModel struct{}

func (blobModel) Shape() data.Shape    { return data.RowShape(2) }
func (blobModel) Save(io.Writer) error { return nil }

// nearestBlob is the true posterior: the log-odds of the right blob are 4u.
type nearestBlob struct{ blobModel }

func (nearestBlob) Classes() int { return 2 }

func (nearestBlob) LogPosterior(dst []float64, x data.Batch) error {
	for i := range x.Len() {
		odds := 4 * float64(x.Row(i)[0])
		dst[2*i], dst[2*i+1] = -softplus(odds), -softplus(-odds)
	}
	return nil
}

func softplus(v float64) float64 { return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))) }

// blobs draws both classes, or the ordered one.
type blobs struct{ blobModel }

func (blobs) Sample(dst data.Batch, r *rand.Rand) error {
	for i := range dst.Len() {
		drawBlob(dst.Row(i), r.IntN(2), r)
	}
	return nil
}

func (blobs) Classes() int { return 2 }

func (blobs) SampleGiven(dst data.Batch, y []int32, r *rand.Rand) error {
	for i, class := range y {
		drawBlob(dst.Row(i), int(class), r)
	}
	return nil
}
