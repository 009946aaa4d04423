//go:build !amd64

package kernel

// The tables of each Level: other processors than amd64 have plain Go alone.
var (
	float32Tables = [...]*Float32Table{Generic: &float32Generic}
	randomTables  = [...]*RandomTable{Generic: &randomGeneric}
)
