"""Golden values for the measures, from scikit-learn, scipy and plain numpy formulas.

    /usr/bin/python3 make_golden.py        writes classification.json, bca.json and samples.json

classification.json: `cases`, each with name, classes, labels [n], log_posterior [n][classes], and the expected measures:
scikit-learn's accuracy_score, balanced_accuracy_score, log_loss, roc_auc_score (two classes: of class 1; more: macro average of
one versus rest), average_precision_score (likewise), f1_score (macro), matthews_corrcoef; brier, the mean over examples of the sum over classes of squared differences
(with two classes asserted to be twice brier_score_loss); ece, 15 equal-width bins closed on the right; auc_se, DeLong's standard
error by its definition over all pairs (two classes only).

bca.json: `cases` of the mean of x, each with value, drawn (means of resamples), left (the mean without each x) and the expected
acceleration, low and high of scipy.stats.bootstrap's BCa interval of 95%.

samples.json: `cases`, each with name, real [n][d], generated [n][d], and the expected frechet (scipy.linalg.sqrtm, covariances with
divisor n-1), kid (unbiased, kernel (x.y/d + 1)^3), precision, recall (k = 3), density, coverage (k = 5), from full matrices of distances.
"""

import json
import platform

import numpy as np
import scipy
import scipy.linalg
import sklearn
from scipy.stats._resampling import _bca_interval
from sklearn import metrics


def classification(name, rng, n, k, round_to=None):
    labels = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) * 1.5
    logits[np.arange(n), labels] += 1.0
    p = np.exp(logits)
    if round_to:  # coarse scores, so that there are ties
        p = np.ceil(p / p.sum(1, keepdims=True) * round_to)
    p = p / p.sum(1, keepdims=True)
    log_posterior = np.log(p)
    p = np.exp(log_posterior)
    decided = p.argmax(1)
    onehot = np.eye(k)[labels]
    brier = ((p - onehot) ** 2).sum(1).mean()
    case = {
        "name": name, "classes": k, "labels": labels.tolist(), "log_posterior": log_posterior.tolist(),
        "accuracy": metrics.accuracy_score(labels, decided),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, decided),
        "log_loss": metrics.log_loss(labels, p, labels=list(range(k))),
        "brier": brier,
        "f1": metrics.f1_score(labels, decided, average="macro"),
        "mcc": metrics.matthews_corrcoef(labels, decided),
        "roc_auc": metrics.roc_auc_score(labels, p[:, 1]) if k == 2
        else metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro"),
        "pr_auc": metrics.average_precision_score(labels, p[:, 1]) if k == 2
        else metrics.average_precision_score(onehot, p, average="macro"),
        "auc_se": 0.0,
    }
    confidence = p.max(1)
    bins = np.digitize(confidence, np.linspace(0, 1, 16), right=True)
    case["ece"] = sum(abs((decided == labels)[bins == b].sum() - confidence[bins == b].sum()) for b in range(17)) / n
    if k == 2:
        assert abs(2 * metrics.brier_score_loss(labels, p[:, 1]) - brier) < 1e-14
        pos, neg = log_posterior[labels == 1, 1], log_posterior[labels == 0, 1]
        psi = (pos[:, None] > neg[None, :]) + 0.5 * (pos[:, None] == neg[None, :])
        assert abs(psi.mean() - case["roc_auc"]) < 1e-14
        case["auc_se"] = np.sqrt(psi.mean(1).var(ddof=1) / len(pos) + psi.mean(0).var(ddof=1) / len(neg))
    return case


def bca(rng, n):
    x = rng.exponential(size=n)
    drawn = x[rng.integers(0, n, (300, n))].mean(1)
    statistic = lambda v, axis: v.mean(axis)
    low, high, acceleration = _bca_interval((x,), statistic, -1, 0.025, drawn, None)
    return {
        "value": x.mean(), "drawn": drawn.tolist(), "left": [np.delete(x, i).mean() for i in range(n)], "acceleration": acceleration,
        "low": np.percentile(drawn, 100 * low), "high": np.percentile(drawn, 100 * high),
    }


def distances(a, b):
    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(2))


def nearest(a, k):
    return np.sort(distances(a, a), 1)[:, k]  # column 0 is the point itself


def samples(name, real, generated):
    n, d = real.shape
    m1, m2 = real.mean(0), generated.mean(0)
    c1, c2 = np.cov(real.T), np.cov(generated.T)
    frechet = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * scipy.linalg.sqrtm(c1 @ c2).real)
    kernel = lambda a, b: (a @ b.T / d + 1) ** 3
    off = lambda m: (m.sum() - np.trace(m)) / (n * (n - 1))
    kid = off(kernel(real, real)) + off(kernel(generated, generated)) - 2 * off(kernel(real, generated))
    across = distances(real, generated)
    return {
        "name": name, "real": real.tolist(), "generated": generated.tolist(), "frechet": frechet, "kid": kid,
        "precision": (across <= nearest(real, 3)[:, None]).any(0).mean(),
        "recall": (across <= nearest(generated, 3)[None, :]).any(1).mean(),
        "density": (across <= nearest(real, 5)[:, None]).sum(0).mean() / 5,
        "coverage": (across.min(1) <= nearest(real, 5)).mean(),
    }


def main():
    rng = np.random.default_rng(1)
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    cases = [
        classification("two classes", rng, 60, 2),
        classification("two classes with ties", rng, 80, 2, 10),
        classification("four classes", rng, 80, 4),
        classification("three classes with ties", rng, 90, 3, 12),
    ]
    with open("classification.json", "w") as f:
        json.dump({"made_by": versions, "cases": cases}, f)
        f.write("\n")
    with open("bca.json", "w") as f:
        json.dump({"made_by": versions, "cases": [bca(np.random.default_rng(n), n) for n in (20, 50)]}, f)
        f.write("\n")
    mix = rng.normal(size=(3, 3))
    round4 = lambda a: np.round(a, 4)
    cases = [
        samples("same distribution", round4(rng.normal(size=(40, 3))), round4(rng.normal(size=(40, 3)))),
        samples("shifted and mixed", round4(rng.normal(size=(40, 3)) @ mix + 0.5), round4(rng.normal(size=(40, 3)))),
        samples("collapsed", round4(rng.normal(size=(30, 2))), round4(rng.normal(size=(30, 2)) * 0.05)),
    ]
    with open("samples.json", "w") as f:
        json.dump({"made_by": versions, "cases": cases}, f)
        f.write("\n")


main()
