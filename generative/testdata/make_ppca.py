"""Probabilistic PCA of tables and digits by scikit-learn's PCA, float64.

    /usr/bin/python3 make_ppca.py      writes ppca.json from the CSV files in ../../discriminative/testdata

The columns, without the class, are rounded to float32 first. scikit-learn divides the scatter by n−1; maximum likelihood divides
it by n. So explained_variance_ and noise_variance_ are multiplied by (n−1)/n before scikit-learn computes the covariance and
the log-densities from them.

`rows` are how many rows are used: with fewer rows than columns, the covariance is singular, and its nonzero eigenvalues are those of the Gram matrix.

ppca.json: for each case of `cases` file, rows, q, noise (variance), covariance [p][p] for the narrow table, and log_prob of every 7th row in nats.
"""

import csv
import json
import os
import pathlib
import platform

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402

TABLES = pathlib.Path("../../discriminative/testdata")


def read(path):
    with open(path, newline="", encoding="ascii") as file:
        _, *rows = csv.reader(file)
    return np.array([[float(v) for v in row[:-1]] for row in rows])


def solve(name, rows, q):
    path = TABLES / f"{name}.csv"
    x = read(path)[:rows].astype(np.float32).astype(np.float64)
    n, p = x.shape
    model = PCA(q, svd_solver="full").fit(x)
    model.explained_variance_ *= (n - 1) / n
    model.noise_variance_ *= (n - 1) / n
    if n < p:  # scikit-learn spreads the variance that is left over min(n, p) − q directions, the formula over p − q
        model.noise_variance_ *= (min(n, p) - q) / (p - q)
    case = {"file": str(path), "rows": n, "q": q, "noise": model.noise_variance_, "log_prob": model.score_samples(x)[::7].tolist()}
    if p < 14:
        case["covariance"] = model.get_covariance().tolist()
    return case


if __name__ == "__main__":
    cases = [solve("iris", 150, 1), solve("iris", 150, 2), solve("wine", 178, 5), solve("breast_cancer", 569, 10),
             solve("breast_cancer", 22, 6)]
    made_by = f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python {platform.python_version()}"
    with open("ppca.json", "w", encoding="ascii") as file:
        file.write(f'{{\n"made_by": {json.dumps(made_by)},\n"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]\n}\n")
    for c in cases:
        print(c["file"], c["rows"], c["q"], c["noise"], c["log_prob"][:2])
