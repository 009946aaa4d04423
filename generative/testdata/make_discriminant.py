"""Discriminant analysis by scikit-learn: log p(y|x) of every tenth row of three tables.

    /usr/bin/python3 make_discriminant.py      writes discriminant.json from the CSV files in ../../discriminative/testdata

Values are rounded to float32, as likely reads them, and each column is divided by its standard deviation (1/n), which takes no
part in the classes' probabilities without shrinkage and is what likely shrinks after. The rules:

    lda           LinearDiscriminantAnalysis(solver="svd"): the pooled covariance, 1/(n - K)
    lda_lsqr      solver="lsqr": the pooled covariance, 1/n
    lda_shrunk    solver="lsqr", shrinkage=0.3
    lda_auto      solver="lsqr" with the covariance that sklearn.covariance.ledoit_wolf gives of the differences from the class
                  means (shrinkage="auto" would take a mean of the classes' shrinkages instead)
    qda           QuadraticDiscriminantAnalysis: covariances 1/(n_k - 1)
    qda_auto      the same formula (scipy's normal densities and the classes' shares) with ledoit_wolf of each class

discriminant.json: for each table of `sets` its name; file; log_posterior: by rule, [rows][K].
"""

import csv
import json
import os
import pathlib
import platform

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import numpy as np  # noqa: E402
import scipy  # noqa: E402
import sklearn  # noqa: E402
from scipy.special import logsumexp  # noqa: E402
from scipy.stats import multivariate_normal  # noqa: E402
from sklearn.covariance import ledoit_wolf  # noqa: E402
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis  # noqa: E402

TABLES = pathlib.Path("../../discriminative/testdata")
EVERY = 10


def read(path):
    with open(path, newline="", encoding="ascii") as file:
        _, *rows = csv.reader(file)
    x = np.array([[np.float32(v) for v in row[:-1]] for row in rows], dtype=np.float64)
    classes = sorted({row[-1] for row in rows})
    return x, np.array([classes.index(row[-1]) for row in rows])


class Fixed:
    """A covariance estimator that has its answer already."""

    def __init__(self, covariance):
        self.covariance_ = covariance

    def fit(self, _):
        return self


def solve(name):
    path = TABLES / f"{name}.csv"
    x, y = read(path)
    x = (x - x.mean(0)) / x.std(0)
    classes = [x[y == k] for k in range(y.max() + 1)]
    residuals = np.concatenate([c - c.mean(0) for c in classes])
    pooled, _ = ledoit_wolf(residuals, assume_centered=True)
    own = [ledoit_wolf(c)[0] for c in classes]
    rows = x[::EVERY]

    log = {}
    for rule, model in {
        "lda": LinearDiscriminantAnalysis(solver="svd"),
        "lda_lsqr": LinearDiscriminantAnalysis(solver="lsqr"),
        "lda_shrunk": LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3),
        "lda_auto": LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Fixed(pooled)),
        "qda": QuadraticDiscriminantAnalysis(),
    }.items():
        scores = model.fit(x, y).decision_function(rows)
        if scores.ndim == 1:  # of two classes it is the log-odds
            scores = np.stack([np.zeros_like(scores), scores], axis=1)
        log[rule] = scores - logsumexp(scores, axis=1, keepdims=True)  # predict_log_proba, which has -inf below -745
    joint = np.stack([multivariate_normal(c.mean(0), covariance).logpdf(rows) + np.log(len(c) / len(x))
                      for c, covariance in zip(classes, own)], axis=1)
    log["qda_auto"] = joint - logsumexp(joint, axis=1, keepdims=True)
    return {"name": name, "file": str(path),
            "log_posterior": {rule: values.tolist() for rule, values in log.items()}}


if __name__ == "__main__":
    sets = [solve(name) for name in ("iris", "wine", "breast_cancer")]
    made_by = (f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}, "
               f"Python {platform.python_version()}")
    with open("discriminant.json", "w", encoding="ascii") as file:
        file.write(f'{{\n"made_by": {json.dumps(made_by)},\n"sets": [\n' + ",\n".join(json.dumps(s) for s in sets) + "\n]\n}\n")
