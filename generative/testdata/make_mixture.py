"""Gaussian mixtures of two tables by scikit-learn's EM, float64, from starts that the file gives.

    /usr/bin/python3 make_mixture.py      writes mixture.json from the CSV files in ../../discriminative/testdata

The columns, without the class, are rounded to float32 first. Spherical mixtures are of the columns divided by their standard
deviations, rounded to float32 after that, since one variance for columns in different units means nothing. reg_covar is 0.

The start: the means are `k` rows of the table that stand equally far apart in it, the weights are equal, and every covariance is that
of the whole table, of the kind in question.

mixture.json: for each case of `cases` file, kind, k, most (iterations), tolerance, standardised, and the start's means
[k][p] and covariance (numbers, row-major, as `precisions_init` orders them); then of the fitted mixture iterations, converged,
weights [k], means [k][p], log_likelihood (of all rows), bic, aic, and of every 7th row log_prob and responsibilities [k].
"""

import csv
import json
import os
import pathlib
import platform
import warnings

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.mixture import GaussianMixture  # noqa: E402

TABLES = pathlib.Path("../../discriminative/testdata")
KINDS = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}


def read(path):
    with open(path, newline="", encoding="ascii") as file:
        _, *rows = csv.reader(file)
    return np.array([[float(v) for v in row[:-1]] for row in rows])


def solve(name, kind, k, most, tolerance):
    path = TABLES / f"{name}.csv"
    x = read(path)
    if kind == "spherical":
        x = x / x.std(0)
    x = x.astype(np.float32).astype(np.float64)
    n, p = x.shape
    means = x[[(2 * c + 1) * n // (2 * k) for c in range(k)]]
    whole = np.cov(x.T, bias=True)
    start = {
        "full": np.tile(whole, (k, 1, 1)), "tied": whole, "diagonal": np.tile(np.diag(whole), (k, 1)),
        "spherical": np.full(k, np.diag(whole).mean()),
    }[kind]
    inverse = np.linalg.inv(start) if kind in ("full", "tied") else 1 / start
    model = GaussianMixture(k, covariance_type=KINDS[kind], reg_covar=0, tol=tolerance, max_iter=most,
                            weights_init=np.full(k, 1 / k), means_init=means, precisions_init=inverse, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x)
    return {
        "file": str(path), "kind": kind, "k": k, "most": most, "tolerance": tolerance, "standardised": kind == "spherical",
        "start_means": means.tolist(), "start_covariance": start.ravel().tolist(),
        "iterations": model.n_iter_, "converged": bool(model.converged_),
        "weights": model.weights_.tolist(), "means": model.means_.tolist(),
        "log_likelihood": model.score(x) * n, "bic": model.bic(x), "aic": model.aic(x),
        "log_prob": model.score_samples(x)[::7].tolist(), "responsibilities": model.predict_proba(x)[::7].tolist(),
    }


if __name__ == "__main__":
    cases = [solve(name, kind, 3, most, tolerance) for name in ("iris", "wine") for kind in KINDS
             for most, tolerance in ((4, 1e-12), (1000, 1e-9))]
    made_by = f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python {platform.python_version()}"
    with open("mixture.json", "w", encoding="ascii") as file:
        file.write(f'{{\n"made_by": {json.dumps(made_by)},\n"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]\n}\n")
    for c in cases:
        print(c["file"], c["kind"], c["iterations"], c["converged"], c["log_likelihood"])
