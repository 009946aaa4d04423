"""Writes the arrays that TestArrayEqualsNumpy expects, with numpy 1.24.2."""
import numpy

rows = [[1.5, -2.25, 3e38], [numpy.nan, 0.1, -0.0]]
numpy.save("rows.npy", numpy.array(rows, numpy.float32))
numpy.save("pictures.npy", numpy.arange(2 * 2 * 3 * 3, dtype=numpy.uint8).reshape(2, 2, 3, 3) * 7)
numpy.save("labels.npy", numpy.array(["tulip", "Gänseblümchen", "tulip"]))
