package kernel

// The tables of each Level.
var (
	float32Tables = [...]*Float32Table{Generic: &float32Generic, AVX2: &float32AVX2, AVX512: &float32AVX512}
	randomTables  = [...]*RandomTable{Generic: &randomGeneric, AVX2: &randomAVX2, AVX512: &randomAVX512}
)
