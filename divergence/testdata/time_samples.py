"""Times plain numpy, scipy and scikit-learn on what BenchmarkMillion and BenchmarkTransport measure. python3 time_samples.py"""

import time

import numpy
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

rng = numpy.random.default_rng(1)


def timed(name, f):
    clock, processor = time.perf_counter(), time.process_time()
    value = f()
    print(f"{name}: {time.perf_counter() - clock:.2f} s, processor {time.process_time() - processor:.2f} s, {value}", flush=True)


def transport():
    x, y = rng.standard_normal((2000, 10)), rng.standard_normal((2000, 10))
    x[:, 0] += 1
    cost = cdist(x, y)
    w1 = cost[linear_sum_assignment(cost)].mean()
    cost **= 2
    return w1, cost[linear_sum_assignment(cost)].mean() ** 0.5


timed("W1 and W2 of 2000 points", transport)

n, d = 1_000_000, 50
x = rng.standard_normal((n, d), dtype=numpy.float32)
y = rng.standard_normal((n, d), dtype=numpy.float32)
x[:, 0] += 0.1


def sliced(directions=20):
    w1, w2 = [], []
    for _ in range(directions):
        t = rng.standard_normal(d).astype(numpy.float32)
        t /= numpy.linalg.norm(t)
        a, b = numpy.sort(x @ t), numpy.sort(y @ t)
        w1.append(numpy.abs(a - b).mean(dtype=float))
        w2.append(((a - b) ** 2).mean(dtype=float))
    return numpy.mean(w1), numpy.mean(w2) ** 0.5


def mmd(h=10):
    p = rng.permutation(n)
    a, b = x[p], y[p]
    k = lambda u, v: numpy.exp(-((u - v) ** 2).sum(1) / (2 * h * h))
    a1, a2, b1, b2 = a[::2], a[1::2], b[::2], b[1::2]
    t = k(a1, a2) + k(b1, b2) - k(a1, b2) - k(a2, b1)
    return t.mean(), t.std() / len(t) ** 0.5


timed("sliced Wasserstein, 20 directions", sliced)
timed("MMD, linear time", mmd)
