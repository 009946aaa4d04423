"""Writes divergences.json: divergences of written distributions by scipy's densities and quadrature. Run as

    /usr/bin/python3 make_divergences.py
"""
import json
import sys

import numpy as np
import scipy
from scipy import integrate, stats

ALPHA, BANDWIDTH = 0.7, 1.3


class Mixture:
    def __init__(self, weights, parts):
        self.weights, self.parts = weights, parts

    def pdf(self, x):
        return sum(w * p.pdf(x) for w, p in zip(self.weights, self.parts))

    def logpdf(self, x):
        return scipy.special.logsumexp([np.log(w) + p.logpdf(x) for w, p in zip(self.weights, self.parts)], axis=0)

    def cdf(self, x):
        return sum(w * p.cdf(x) for w, p in zip(self.weights, self.parts))

    def sf(self, x):
        return sum(w * p.sf(x) for w, p in zip(self.weights, self.parts))


continuous = {
    "normal(0,1)": stats.norm(0, 1),
    "normal(1,2)": stats.norm(1, 2),
    "student(5,0,1)": stats.t(5, 0, 1),
    "laplace(1,0.5)": stats.laplace(1, 0.5),
    "logistic(0,1)": stats.logistic(0, 1),
    "mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))": Mixture([0.3, 0.7], [stats.norm(-2, 1), stats.norm(3, 0.5)]),
    "gamma(2,1)": stats.gamma(2, scale=1),
    "gamma(3.5,2)": stats.gamma(3.5, scale=1 / 2),
    "exponential(0.8)": stats.expon(scale=1 / 0.8),
    "lognormal(0,0.5)": stats.lognorm(0.5),
    "beta(2,3)": stats.beta(2, 3),
    "beta(4,1.5)": stats.beta(4, 1.5),
}
pairs = [
    ("normal(0,1)", "normal(1,2)"),
    ("normal(0,1)", "student(5,0,1)"),
    ("normal(0,1)", "logistic(0,1)"),
    ("laplace(1,0.5)", "normal(1,2)"),
    ("mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))", "normal(1,2)"),
    ("gamma(2,1)", "gamma(3.5,2)"),
    ("gamma(3.5,2)", "exponential(0.8)"),
    ("lognormal(0,0.5)", "gamma(2,1)"),
    ("beta(2,3)", "beta(4,1.5)"),
]
ends = {"normal": (-np.inf, np.inf), "student": (-np.inf, np.inf), "laplace": (-np.inf, np.inf), "logistic": (-np.inf, np.inf),
        "mixture": (-np.inf, np.inf), "gamma": (0, np.inf), "exponential": (0, np.inf), "lognormal": (0, np.inf), "beta": (0, 1)}


def quad(f, low, high):
    """Integrates in pieces, so that no peak is overlooked."""
    cuts = [low] + [c for c in (-30, -10, -5, -3, -2, -1, 0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 10, 30) if low < c < high] + [high]
    return sum(integrate.quad(f, a, b, epsabs=1e-13, epsrel=1e-12, limit=500)[0] for a, b in zip(cuts, cuts[1:]))


def densities(total, lp, lq):
    """The kinds that are functions of log p and log q, where total integrates or sums a function of both."""
    def f(g):
        return total(lambda x: g(lp(x), lq(x)))

    def kl(a, b):
        return np.exp(a) * (a - b) if a > -np.inf else 0.0

    def js(a, b):
        m = np.logaddexp(a, b) - np.log(2)
        return (kl(a, m) + kl(b, m)) / 2
    bc = f(lambda a, b: np.exp((a + b) / 2))
    out = {"kl": f(kl), "reverse_kl": f(lambda a, b: kl(b, a)), "js": f(js), "tv": f(lambda a, b: abs(np.exp(a) - np.exp(b)) / 2),
           "hellinger": np.sqrt(1 - bc), "bhattacharyya": -np.log(bc),
           "renyi": np.log(f(lambda a, b: np.exp(ALPHA * a + (1 - ALPHA) * b))) / (ALPHA - 1)}
    out["jeffreys"] = out["kl"] + out["reverse_kl"]
    out["js_distance"] = np.sqrt(out["js"])
    return out


results = []
for p, q in pairs:
    P, Q, (low, high) = continuous[p], continuous[q], ends[p.split("(")[0]]
    values = densities(lambda g: quad(g, low, high), P.logpdf, Q.logpdf)
    # Above 0 survival functions, which keep their digits there.
    gap = lambda x: P.cdf(x) - Q.cdf(x) if x < 0.5 else Q.sf(x) - P.sf(x)
    values["wasserstein1"] = quad(lambda x: abs(gap(x)), low, high)
    values["energy"] = 2 * quad(lambda x: gap(x) ** 2, low, high)
    results.append({"p": p, "q": q, "values": values})

k = np.arange(0, 2000)
discrete = [
    ("poisson(4)", "poisson(7)", stats.poisson(4), stats.poisson(7)),
    ("binomial(10,0.3)", "poisson(3)", stats.binom(10, 0.3), stats.poisson(3)),
    ("geometric(0.3)", "geometric(0.6)", stats.geom(0.3), stats.geom(0.6)),
    ("binomial(10,0.3)", "binomial(10,0.5)", stats.binom(10, 0.3), stats.binom(10, 0.5)),
]
for p, q, P, Q in discrete:
    with np.errstate(all="ignore"):
        a, b = P.logpmf(k), Q.logpmf(k)
        values = densities(lambda g: float(sum(g(i) for i in k if max(a[i], b[i]) > -np.inf)), lambda i: a[i], lambda i: b[i])
    gap = P.cdf(k) - Q.cdf(k)
    values["wasserstein1"] = float(np.sum(abs(gap)))
    assert abs(values["wasserstein1"] - stats.wasserstein_distance(k, k, P.pmf(k), Q.pmf(k))) < 1e-9
    values["energy"] = float(2 * np.sum(gap ** 2))
    d = P.pmf(k) - Q.pmf(k)
    d = d[:400]
    i = np.arange(400)
    values["mmd"] = float(d @ np.exp(-(i[:, None] - i) ** 2 / (2 * BANDWIDTH ** 2)) @ d)
    results.append({"p": p, "q": q, "values": values})

# Multivariate normals by matrices.
m, S = np.array([0.0, 1, 2]), np.array([[1, 0.5, 0], [0.5, 2, 0.3], [0, 0.3, 1]])
n, T = np.array([1.0, 0, 2]), np.array([[2, 0, 0.4], [0, 1, 0], [0.4, 0, 1.5]])


def written(mean, cov):
    return "mvnormal(%s,%s)" % (json.dumps(list(mean)), json.dumps([list(r) for r in cov]))


def gauss_kl(m, S, n, T):
    d = n - m
    return (np.trace(np.linalg.solve(T, S)) + d @ np.linalg.solve(T, d) - len(m) + np.log(np.linalg.det(T) / np.linalg.det(S))) / 2


root = scipy.linalg.sqrtm
mean = (S + T) / 2
values = {"kl": gauss_kl(m, S, n, T), "reverse_kl": gauss_kl(n, T, m, S),
          "bhattacharyya": (m - n) @ np.linalg.solve(mean, m - n) / 8 + np.log(np.linalg.det(mean) / np.sqrt(np.linalg.det(S) * np.linalg.det(T))) / 2,
          "wasserstein2": np.sqrt((m - n) @ (m - n) + np.trace(S + T - 2 * np.real(root(root(S) @ T @ root(S)))))}
values["hellinger"] = np.sqrt(1 - np.exp(-values["bhattacharyya"]))
results.append({"p": written(m, S), "q": written(n, T), "values": values})

for r in results:
    r["values"] = {k: (float(v) if np.isfinite(v) else None) for k, v in r["values"].items()}
json.dump({"program": "scipy %s, numpy %s, python %s" % (scipy.__version__, np.__version__, sys.version.split()[0]),
           "alpha": ALPHA, "bandwidth": BANDWIDTH, "results": results}, open("divergences.json", "w"), indent=1)
