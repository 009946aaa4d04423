"""Logistic regression by scikit-learn on four small data sets, and the data sets as CSV.

    /usr/bin/python3 make_logistic.py      writes iris.csv, wine.csv, breast_cancer.csv, logistic.json

Every column is standardised, (x - mean)/sd with the population standard deviation (1/n) of the whole table; a column that does
not vary becomes 0. Then, with C = 1, scikit-learn minimises

    two classes:    sum_i -log p(y_i | x_i) + |coef|^2 / (2C),  p(1 | x) = 1/(1 + exp(-(intercept + coef . x)))
    more classes:   the same, |coef|^2 summed over all classes, p(k | x) proportional to exp(intercept_k + coef_k . x)

The intercepts are free of the penalty. With more than two classes they are unique only up to a constant common to all of them,
and stored with sum zero; the penalty makes the coefficients unique (they too sum to zero over the classes).

scikit-learn stops when its gradient is small but not at rounding error, so Newton's method is run on from there, on the
objective as written above, to a gradient norm of at most 1e-9. The file holds the refined values, that norm, and how far
scikit-learn's own were away.

logistic.json: for each data set of `sets` its name; file, the CSV in this directory with integer classes in the last column
`class` (absent for digits: scikit-learn's 1797 8x8 pictures, values 0 to 16, in its order); class_names; n, p; coef [1,p] or
[classes,p]; intercept [1] or [classes]; objective; gradient_norm; largest_difference_from_sklearn, over all coefficients and
intercepts; probabilities [5][classes], of the first five rows.

The tables are those of the UCI Machine Learning Repository (CC BY 4.0) as scikit-learn distributes them: Iris (R. A. Fisher),
Wine (S. Aeberhard, M. Forina), Breast Cancer Wisconsin, Diagnostic (W. Wolberg, O. Mangasarian, N. Street, W. Street). In
breast_cancer.csv class 0 is malignant and 1 benign, scikit-learn's order.
"""

import csv
import json
import os
import platform

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import numpy as np  # noqa: E402
import scipy  # noqa: E402
import sklearn  # noqa: E402
from scipy.special import log_softmax, softmax  # noqa: E402
from sklearn import datasets  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

C = 1.0


def standardise(x):
    sd = x.std(0)
    return np.where(sd > 0, (x - x.mean(0)) / np.where(sd > 0, sd, 1), 0.0)


def with_ones(x):
    return np.hstack([x, np.ones((len(x), 1))])


class Objective:
    """The objective, its gradient and Hessian at parameters t [rows, p+1], the intercepts in the last column.

    Two classes have one row; its class 0 has the fixed score 0.
    """

    def __init__(self, x, y):
        self.x, self.classes = with_ones(x), y.max() + 1
        self.rows = 1 if self.classes == 2 else self.classes
        self.hot = np.eye(self.classes)[:, self.classes - self.rows:][y]
        self.penalised = np.append(np.ones(x.shape[1]), 0) / C

    def scores(self, t):
        s = self.x @ t.T
        return np.hstack([np.zeros_like(s), s]) if self.rows == 1 else s

    def value(self, t):
        log_p = log_softmax(self.scores(t), axis=1)
        hot = np.hstack([1 - self.hot, self.hot]) if self.rows == 1 else self.hot
        return -(hot * log_p).sum() + (self.penalised * t * t).sum() / 2

    def gradient(self, t):
        p = softmax(self.scores(t), axis=1)[:, self.classes - self.rows:]
        return (p - self.hot).T @ self.x + self.penalised * t

    def hessian(self, t):
        p = softmax(self.scores(t), axis=1)[:, self.classes - self.rows:]
        blocks = [
            [self.x.T @ ((p[:, j] * ((j == k) - p[:, k]))[:, None] * self.x) + (j == k) * np.diag(self.penalised)
             for k in range(self.rows)]
            for j in range(self.rows)
        ]
        return np.block(blocks)


def refine(objective, t):
    """Newton's method from near the minimum; least squares, as a common shift of the intercepts changes nothing."""
    for _ in range(20):
        gradient = objective.gradient(t)
        if np.linalg.norm(gradient) <= 1e-11:
            break
        t = t - np.linalg.lstsq(objective.hessian(t), gradient.ravel(), rcond=1e-12)[0].reshape(t.shape)
    return t


def centred(t):
    """Intercepts with sum zero, where there is one for each class."""
    if len(t) > 1:
        t = t.copy()
        t[:, -1] -= t[:, -1].mean()
    return t


def solve(name, table, file):
    x, y = standardise(table.data), table.target
    objective = Objective(x, y)
    fit = LogisticRegression(penalty="l2", C=C, solver="newton-cg", tol=1e-7, max_iter=1000).fit(x, y)
    first = centred(np.hstack([fit.coef_, fit.intercept_[:, None]]))
    t = centred(refine(objective, first))
    norm = np.linalg.norm(objective.gradient(t))
    difference = np.abs(t - first).max()
    print(f"{name}: gradient norm {norm:.1e}, {difference:.1e} from scikit-learn's")
    if not (norm <= 1e-9 and difference <= 1e-5):
        raise SystemExit(f"{name}: no minimum found")
    return {
        "name": name, **({"file": file} if file else {}),
        "class_names": [str(c) for c in table.target_names], "n": len(x), "p": x.shape[1],
        "coef": t[:, :-1].tolist(), "intercept": t[:, -1].tolist(),
        "objective": objective.value(t), "gradient_norm": norm, "largest_difference_from_sklearn": difference,
        "probabilities": softmax(objective.scores(t)[:5], axis=1).tolist(),
    }


def write_csv(path, table):
    with open(path, "w", newline="", encoding="ascii") as file:
        rows = csv.writer(file, lineterminator="\n")
        names = [name.removesuffix(" (cm)").replace(" ", "_").replace("/", "_") for name in table.feature_names]
        rows.writerow(names + ["class"])
        rows.writerows([repr(float(v)) for v in x] + [int(y)] for x, y in zip(table.data, table.target))


if __name__ == "__main__":
    tables = {
        "iris": datasets.load_iris(), "wine": datasets.load_wine(), "breast_cancer": datasets.load_breast_cancer(),
    }
    sets = []
    for name, table in tables.items():
        write_csv(f"{name}.csv", table)
        sets.append(solve(name, table, f"{name}.csv"))
    sets.append(solve("digits", datasets.load_digits(), None))
    head = {
        "made_by": f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}, "
                   f"Python {platform.python_version()}",
        "objective": "sum_i -log p(y_i|x_i) + |coef|^2/(2C), intercept free, on standardised columns (population sd)",
        "C": C,
    }
    with open("logistic.json", "w", encoding="ascii") as file:
        file.write("{\n" + "".join(f"{json.dumps(k)}: {json.dumps(v)},\n" for k, v in head.items()))
        file.write('"sets": [\n' + ",\n".join(json.dumps(s) for s in sets) + "\n]\n}\n")
