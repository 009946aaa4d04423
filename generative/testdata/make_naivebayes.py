"""Naive Bayes by scikit-learn: log p(y|x).

    /usr/bin/python3 make_naivebayes.py      writes naivebayes.json; reads the CSV files in ../../discriminative/testdata

Gaussian: three tables, values rounded to float32 as likely reads them, GaussianNB(var_smoothing=1e-9 and 0.01), every tenth row.
Bernoulli: 4x4 pictures of pixels 0..255, BernoulliNB(binarize=127.5); multinomial: the same pictures as counts; categorical: five
columns of levels. Each with alpha 1 and 0.1, the first 30 examples.

naivebayes.json: tables: name, file, smoothing -> log_posterior [rows][K]; pictures [n][16], levels [n][5], level_counts [5], labels
[n]; bernoulli, multinomial, categorical: by alpha, log_posterior [30][K].
"""

import csv
import json
import os
import pathlib
import platform

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB, MultinomialNB  # noqa: E402

TABLES = pathlib.Path("../../discriminative/testdata")
ALPHAS = (1.0, 0.1)


def read(path):
    with open(path, newline="", encoding="ascii") as file:
        _, *rows = csv.reader(file)
    classes = sorted({row[-1] for row in rows})
    x = np.array([[np.float32(v) for v in row[:-1]] for row in rows], dtype=np.float64)
    return x, np.array([classes.index(row[-1]) for row in rows])


def table(name):
    path = TABLES / f"{name}.csv"
    x, y = read(path)
    log = {s: GaussianNB(var_smoothing=float(s)).fit(x, y).predict_log_proba(x[::10]).tolist() for s in ("1e-9", "0.01")}
    return {"name": name, "file": str(path), "log_posterior": log}


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    n, counts = 90, [2, 3, 4, 2, 7]
    labels = rng.integers(0, 3, n)
    bright = rng.uniform(20, 235, (3, 16))
    pictures = np.clip(rng.normal(bright[labels], 60), 0, 255).round().astype(int)
    levels = np.stack([np.minimum(rng.poisson(labels * 0.8 + 0.3), c - 1) for c in counts], axis=1)

    def by_alpha(make, x):
        return {str(a): make(a).fit(x, labels).predict_log_proba(x[:30]).tolist() for a in ALPHAS}

    golden = {
        "made_by": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python {platform.python_version()}",
        "tables": [table(name) for name in ("iris", "wine", "breast_cancer")],
        "pictures": pictures.tolist(), "levels": levels.tolist(), "level_counts": counts, "labels": labels.tolist(),
        "bernoulli": by_alpha(lambda a: BernoulliNB(alpha=a, binarize=127.5), pictures),
        "multinomial": by_alpha(lambda a: MultinomialNB(alpha=a), pictures),
        "categorical": by_alpha(lambda a: CategoricalNB(alpha=a, min_categories=counts), levels),
    }
    with open("naivebayes.json", "w", encoding="ascii") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()) + "\n}\n")
