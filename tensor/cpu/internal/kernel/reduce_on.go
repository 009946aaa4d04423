package kernel

// ColSumOn continues the chains of ColSumPart that are in dst with more rows.
func (t *Float32Table) ColSumOn(dst, x []float32, rows, ldx int) {
	checkColumns(dst, x, rows, ldx)
	for i := range rows {
		t.Add.VV(dst, dst, x[i*ldx:][:len(dst)])
	}
}

// ColMaxOn continues the chains of ColMaxPart that are in dst with more rows.
func (t *Float32Table) ColMaxOn(dst, x []float32, rows, ldx int) {
	checkColumns(dst, x, rows, ldx)
	for i := range rows {
		t.Max.VV(dst, x[i*ldx:][:len(dst)], dst)
	}
}
