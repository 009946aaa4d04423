"""Maximum-likelihood Gaussians of three tables, and their log-densities by scipy, float64.

    /usr/bin/python3 make_gaussian.py      writes gaussian.json from the CSV files in ../../discriminative/testdata

The mean and the covariance (1/n) are those of the raw columns, without the class. The log-densities, in nats, are those of
the raw columns too: scipy.stats.multivariate_normal gives them on columns divided by their standard deviations s, and
sum(log s) is taken off. On the raw columns scipy refuses breast cancer: the covariance's eigenvalues spread over twelve orders of
magnitude, and it calls such a matrix singular.

What scipy gives is checked against the same figures in arithmetic of 50 digits (mpmath, by Cholesky) and must agree to 1e-10.

gaussian.json: for each data set of `sets` its name; file; n, p; mean [p]; covariance [p][p]; logpdf, of the first ten rows;
total, over all n rows; largest_difference_from_50_digits, over logpdf, absolute.
"""

import csv
import json
import os
import pathlib
import platform

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import mpmath  # noqa: E402
import numpy as np  # noqa: E402
import scipy  # noqa: E402
from scipy.stats import multivariate_normal  # noqa: E402

TABLES = pathlib.Path("../../discriminative/testdata")
ROWS = 10


def read(path):
    with open(path, newline="", encoding="ascii") as file:
        _, *rows = csv.reader(file)
    return np.array([[float(v) for v in row[:-1]] for row in rows])


def exact(x):
    """Log-densities of the first rows and the total, fitted and computed with 50 digits."""
    x = mpmath.matrix(x.tolist())
    n, p = x.rows, x.cols
    mean = [mpmath.fsum(x[:, j]) / n for j in range(p)]
    centred = mpmath.matrix([[x[i, j] - mean[j] for j in range(p)] for i in range(n)])
    root = mpmath.cholesky(centred.T * centred / n)
    constant = p * mpmath.log(2 * mpmath.pi) + 2 * mpmath.fsum(mpmath.log(root[i, i]) for i in range(p))
    whitened = [mpmath.lu_solve(root, centred[i, :].T) for i in range(ROWS)]
    rows = [-(constant + mpmath.fsum(v * v for v in z)) / 2 for z in whitened]
    return rows, -n * (constant + p) / 2  # the squared distances of a fitted Gaussian's own rows sum to n p


def solve(name):
    path = TABLES / f"{name}.csv"
    x = read(path)
    mean, sd = x.mean(0), x.std(0)
    scaled = (x - mean) / sd
    density = multivariate_normal(np.zeros(x.shape[1]), np.cov(scaled.T, bias=True))
    logpdf = density.logpdf(scaled) - np.log(sd).sum()

    rows, total = exact(x)
    difference = max(abs(float(a - b)) for a, b in zip(rows, logpdf))
    print(f"{name}: scipy is within {difference:.1e} of 50 digits, its total within {abs(float(total - logpdf.sum())):.1e}")
    if not (difference <= 1e-10 and abs(total - logpdf.sum()) <= 1e-10):
        raise SystemExit(f"{name}: scipy and mpmath disagree")
    return {
        "name": name, "file": str(path), "n": x.shape[0], "p": x.shape[1],
        "mean": mean.tolist(), "covariance": np.cov(x.T, bias=True).tolist(),
        "logpdf": logpdf[:ROWS].tolist(), "total": logpdf.sum(), "largest_difference_from_50_digits": difference,
    }


if __name__ == "__main__":
    mpmath.mp.dps = 50
    sets = [solve(name) for name in ("iris", "wine", "breast_cancer")]
    made_by = (f"scipy {scipy.__version__}, numpy {np.__version__}, mpmath {mpmath.__version__}, "
               f"Python {platform.python_version()}")
    with open("gaussian.json", "w", encoding="ascii") as file:
        file.write(f'{{\n"made_by": {json.dumps(made_by)},\n"sets": [\n' + ",\n".join(json.dumps(s) for s in sets) + "\n]\n}\n")
