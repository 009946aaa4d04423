# Writes the arrays of this folder and want.json, what TestNPYGolden expects of them: their values as float32, null where
# one is missing, or none for those that are to be refused. Made with numpy 1.24.2. Run in the folder data:
#
#	python3 testdata/npy/make.py
import json
import os

import numpy as np

folder = os.path.dirname(os.path.abspath(__file__))
want = {"numpy": np.__version__, "arrays": {}, "refused": []}


def write(name, a, version=(1, 0)):
    with open(os.path.join(folder, name + ".npy"), "wb") as f:
        np.lib.format.write_array(f, a, version)


def number(v):
    v = np.float32(v)
    return None if np.isnan(v) else float(v)


def good(name, a, version=(1, 0)):
    write(name, a, version)
    table = a.reshape(len(a), -1)
    want["arrays"][name] = [[number(v) for v in row] for row in table.tolist()]


for dtype in "i1 i2 i4 i8 u1 u2 u4 u8".split():
    least, greatest = np.iinfo(dtype).min, np.iinfo(dtype).max
    a = np.array([[least, 1], [greatest, 2], [3, 100]], dtype)
    for order in "<>" if a.itemsize > 1 else "<":
        name = dtype + {"<": "", ">": "-big"}[order]
        good(name, a.astype(order + dtype))
        good(name + "-fortran", np.asfortranarray(a.astype(order + dtype)))
for dtype in "f4 f8".split():
    a = np.array([[0.1, -1e30], [np.nan, 16777217], [1e-40, -0.0]], dtype)
    for order in "<>":
        name = dtype + {"<": "", ">": "-big"}[order]
        good(name, a.astype(order + dtype))
        good(name + "-fortran", np.asfortranarray(a.astype(order + dtype)))
good("bool", np.array([[True, False], [False, False], [True, True]]))
good("bool-fortran", np.asfortranarray([[True, False], [False, False], [True, True]]))
good("version2", np.array([[1.5, 2.5], [3.5, 4.5]]), (2, 0))
good("version3", np.array([[1.5, 2.5], [3.5, 4.5]]), (3, 0))
good("line", np.arange(4.0))
good("one", np.array([[7]]))

for name, a in {
    "complex": np.ones((2, 2), complex),
    "half": np.ones((2, 2), np.float16),
    "object": np.array([[1, None]]),
    "string": np.array([["a", "bc"]]),
    "bytes": np.array([[b"a", b"bc"]]),
    "struct": np.ones(2, [("shape", "<f8"), ("descr", "<i4", (2,))]),
    "time": np.zeros((2, 2), "datetime64[s]"),
    "scalar": np.array(1.0),
    "empty": np.zeros((0, 3)),
    "no-columns": np.zeros((3, 0)),
    "cube": np.zeros((2, 2, 2)),
}.items():
    write(name, a)
    want["refused"].append(name)

with open(os.path.join(folder, "want.json"), "w") as f:
    arrays = ",\n".join('\t\t"%s": %s' % (name, json.dumps(rows)) for name, rows in want["arrays"].items())
    f.write('{\n\t"numpy": "%s",\n\t"arrays": {\n%s\n\t},\n\t"refused": %s\n}\n'
            % (want["numpy"], arrays, json.dumps(want["refused"])))
