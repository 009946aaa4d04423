// Package data turns pictures and tables into what a model learns from: the examples x_1 … x_n, each a vector in R^p, and,
// where there are labels, their classes y_1 … y_n.
//
// The package reads downwards:
//
//	Shape, Batch       one example's shape; n examples side by side, row-major (n, p) in float32
//	Schema, Column     what the pixels or the columns are, and the names of the classes
//	Set                a finite sequence of examples in raw units, in memory or streamed from disk
//	Open               a known name, a folder of pictures, IDX files or a table -> Set
//	Split, Fingerprint a seeded, stratified split, and a name for the content; neither depends on the order of the files
//	Transform          x -> t(x), what a model does to x before it learns, and its inverse for what the model generates
//
// Raw units are the units of the source: pixels from 0 to Schema.MaxValue, table values as they were written. A Set never
// scales; only a Transform does, so that a density can always be reported in the units of the data.
package data
