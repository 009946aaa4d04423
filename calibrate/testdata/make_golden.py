"""Golden values for calibration, from scikit-learn and scipy.

    /usr/bin/python3 make_golden.py        writes calibration.json

`cases`, each with name, classes, labels [n], log_posterior [n][classes] to fit to, other [m][classes] to apply to, and the expected
    platt, isotonic   CalibratedClassifierCV(method="sigmoid" or "isotonic", cv="prefit") of a classifier whose decision function is
                      the log-odds of each class against the rest (two classes: of class 1): probabilities of `other` [m][classes]
    temperature       scipy.optimize.minimize_scalar of the mean log loss over T
"""

import json
import platform

import numpy as np
import scipy
import scipy.optimize
import sklearn
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV


class Given(ClassifierMixin, BaseEstimator):
    """A fitted classifier of log-posteriors, which it only turns into log-odds."""

    def __init__(self, k):
        self.k = k
        self.classes_ = np.arange(k)
        self.n_features_in_ = k

    def fit(self, lp, labels):
        return self

    def decision_function(self, X):
        p = np.exp(X)
        odds = np.stack([X[:, k] - np.log(np.delete(p, k, 1).sum(1)) for k in range(p.shape[1])], 1).round(13)  # ties are ties
        return odds[:, 1] if p.shape[1] == 2 else odds


def case(name, rng, n, k, digits=None):
    def draw(n):
        labels = rng.integers(0, k, n)
        labels[:k] = np.arange(k)
        logits = rng.normal(size=(n, k)) * 2
        logits[np.arange(n), labels] += 1.5
        if digits is not None:  # coarse logits, so that there are ties
            logits = np.round(logits, digits)
        return labels, log_softmax(2 * logits + 0.3 * np.arange(k), axis=1)

    labels, lp = draw(n)
    _, other = draw(40)
    calibrated = lambda method: CalibratedClassifierCV(Given(k), method=method, cv="prefit").fit(lp, labels).predict_proba(other)
    loss = lambda t: -log_softmax(lp / t, axis=1)[np.arange(n), labels].mean()
    found = scipy.optimize.minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-12})
    return {
        "name": name, "classes": k, "labels": labels.tolist(), "log_posterior": lp.tolist(), "other": other.tolist(),
        "platt": calibrated("sigmoid").tolist(), "isotonic": calibrated("isotonic").tolist(), "temperature": found.x,
    }


def main():
    rng = np.random.default_rng(3)
    cases = [
        case("two classes", rng, 120, 2),
        case("two classes with ties", rng, 120, 2, 0),
        case("four classes", rng, 160, 4),
        case("three classes with ties", rng, 120, 3, 0),
    ]
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    with open("calibration.json", "w") as f:
        json.dump({"made_by": versions, "cases": cases}, f)
        f.write("\n")


main()
