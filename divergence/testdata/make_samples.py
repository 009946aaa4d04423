"""Writes samples.json: distances of two samples by scipy. Run in this folder: python3 make_samples.py"""

import json
import sys

import numpy
import scipy
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from scipy.special import digamma
from scipy.stats import energy_distance, wasserstein_distance

rng = numpy.random.default_rng(1)


def draw(n, d, shift, scale):
    return (shift + scale * rng.standard_normal((n, d))).astype(numpy.float32)


def plain(x):
    return [float(v) for v in x.ravel()]


def neighbours_kl(x, y, k):
    rho = cKDTree(x).query(x, k + 1)[0][:, k]
    nu = cKDTree(y).query(x, k)[0][:, k - 1]
    return x.shape[1] * numpy.mean(numpy.log(nu / rho)) + numpy.log(len(y) / (len(x) - 1))


def neighbours_js(x, y, k):
    total = 0
    for a, b in ((x, y), (y, x)):
        n, d = a.shape
        rho = cKDTree(a).query(a, k + 1)[0][:, k]
        mu = cKDTree(numpy.concatenate([a, b])).query(a, 2 * k + 1)[0][:, 2 * k]
        total += d * numpy.mean(numpy.log(mu / rho)) + numpy.log((2 * n - 1) / (n - 1)) + digamma(k) - digamma(2 * k)
    return total / 2


line = []
for n, m, shift, scale in ((30, 30, 0, 1), (40, 25, 1, 1), (17, 50, 0.2, 3)):
    x, y = draw(n, 1, 0, 1), draw(m, 1, shift, scale)
    if n == 17:
        x, y = numpy.round(x * 2), numpy.round(y * 2)  # ties
    u, v = x.ravel().astype(float), y.ravel().astype(float)
    grid = numpy.repeat(numpy.sort(u), m), numpy.repeat(numpy.sort(v), n)
    line.append({"x": plain(x), "y": plain(y), "w1": wasserstein_distance(u, v), "w2": float(numpy.sqrt(numpy.mean((grid[0] - grid[1]) ** 2))),
                 "energy": energy_distance(u, v) ** 2})

plane = []
for n, m, d, shift in ((40, 40, 2, 0), (35, 35, 3, 1), (60, 60, 12, 0.5)):
    x, y = draw(n, d, 0, 1), draw(m, d, shift, 1)
    a, b = x.astype(float), y.astype(float)
    xx, yy, xy = cdist(a, a), cdist(b, b), cdist(a, b)
    kernel = lambda s: numpy.exp(-s**2 / (2 * 1.5**2))
    off = lambda k: (k.sum() - numpy.trace(k)) / (len(k) * (len(k) - 1))
    best = lambda c: c[linear_sum_assignment(c)].mean()
    plane.append({"d": d, "x": plain(x), "y": plain(y), "w1": best(xy), "w2": best(xy**2) ** 0.5,
                  "energy": 2 * xy.mean() - off(xx) - off(yy), "mmd": off(kernel(xx)) + off(kernel(yy)) - 2 * kernel(xy).mean(),
                  "kl": neighbours_kl(a, b, 2), "reverse_kl": neighbours_kl(b, a, 2), "js": neighbours_js(a, b, 2)})

by = f"Python {sys.version.split()[0]}, numpy {numpy.__version__}, scipy {scipy.__version__}, make_samples.py"
with open("samples.json", "w") as f:
    json.dump({"made_by": by, "bandwidth": 1.5, "k": 2, "line": line, "plane": plane}, f)
