"""Writes extremes.json: divergences by their formulas, of parameters that are far apart, near each other or large, in mpmath with 60 digits.

    /usr/bin/python3 make_extremes.py

The formulas themselves are checked against quadrature, at common parameters, by make_divergences.py. `results` are [kind, order or null, P, Q, value].
"""
import json

import mpmath as mp

mp.mp.dps = 60
f = mp.mpf


def normal(m, s, n, t):
    m, s, n, t = f(m), f(s), f(n), f(t)
    kl = lambda m, s, n, t: (m - n) ** 2 / (2 * t * t) + (s * s / (t * t) - 1 - 2 * mp.log(s / t)) / 2

    def affinity(a):
        v = a * t * t + (1 - a) * s * s
        return -a * (1 - a) * (m - n) ** 2 / v / 2 - mp.log(v) / 2 + (1 - a) * mp.log(s) + a * mp.log(t)
    return kl(m, s, n, t), kl(n, t, m, s), affinity


def exponential(a, b):
    a, b = f(a), f(b)
    return mp.log(a / b) + b / a - 1, mp.log(b / a) + a / b - 1, lambda z: z * mp.log(a) + (1 - z) * mp.log(b) - mp.log(z * a + (1 - z) * b)


def poisson(a, b):
    a, b = f(a), f(b)
    return a * mp.log(a / b) - a + b, b * mp.log(b / a) - b + a, lambda z: a**z * b ** (1 - z) - z * a - (1 - z) * b


def geometric(a, b):
    a, b = f(a), f(b)
    kl = lambda a, b: mp.log(a / b) + (1 / a - 1) * mp.log((1 - a) / (1 - b))
    return kl(a, b), kl(b, a), lambda z: z * mp.log(a) + (1 - z) * mp.log(b) - mp.log(1 - (1 - a) ** z * (1 - b) ** (1 - z))


def gamma(k, a, l, b):
    k, a, l, b = f(k), f(a), f(l), f(b)
    kl = lambda k, a, l, b: (k - l) * mp.digamma(k) - mp.loggamma(k) + mp.loggamma(l) + l * mp.log(a / b) + k * (b / a - 1)

    def affinity(z):
        s, v = z * k + (1 - z) * l, z * a + (1 - z) * b
        return mp.loggamma(s) - z * mp.loggamma(k) - (1 - z) * mp.loggamma(l) + z * k * mp.log(a) + (1 - z) * l * mp.log(b) - s * mp.log(v)
    return kl(k, a, l, b), kl(l, b, k, a), affinity


def beta(a, b, c, d):
    a, b, c, d = f(a), f(b), f(c), f(d)
    log_b = lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    kl = lambda a, b, c, d: log_b(c, d) - log_b(a, b) + (a - c) * mp.digamma(a) + (b - d) * mp.digamma(b) + (c - a + d - b) * mp.digamma(a + b)
    return kl(a, b, c, d), kl(c, d, a, b), lambda z: log_b(z * a + (1 - z) * c, z * b + (1 - z) * d) - z * log_b(a, b) - (1 - z) * log_b(c, d)


def laplace(m, s, n, t):
    s, t, d = f(s), f(t), abs(f(m) - f(n))
    kl = lambda s, t: mp.log(t / s) + d / t + s / t * mp.exp(-d / s) - 1

    def affinity(z):
        u, v = z / s, (1 - z) / t
        return mp.log((mp.exp(-u * d) + mp.exp(-v * d)) / (u + v) + (mp.exp(-v * d) - mp.exp(-u * d)) / (u - v)) - z * mp.log(2 * s) - (1 - z) * mp.log(2 * t)
    return kl(s, t), kl(t, s), affinity


def binomial(n, a, m, b):
    assert n == m
    a, b = f(a), f(b)
    kl = lambda a, b: n * (a * mp.log(a / b) + (1 - a) * mp.log((1 - a) / (1 - b)))
    return kl(a, b), kl(b, a), lambda z: n * mp.log(a**z * b ** (1 - z) + (1 - a) ** z * (1 - b) ** (1 - z))


def uniform(a, b, c, d):
    assert c <= a and b <= d
    p, q = f(b) - f(a), f(d) - f(c)
    return mp.log(q / p), mp.inf, lambda z: (1 - z) * mp.log(q / p) * -1


families = {
    normal: [((0, 1e-9), (0, 1)), ((0, 1e-8), (1, 1)), ((0, 1), (1e-8, 1)), ((0, 1e-200), (1e-200, 2e-200)), ((0, 1e200), (1e200, 2e200)),
             ((0, 1), (0, 1 + 2.0**-30)), ((3, 1e-5), (3, 1e5))],
    exponential: [((1e10,), (1e-7,)), ((1,), (1e17,)), ((1e200,), (1e-200,)), ((3,), (3 + 2.0**-30,))],
    poisson: [((1e9,), (1e-3,)), ((1e9,), (1e9 - 1,)), ((4,), (4 + 2.0**-25,)), ((1,), (1e5,))],
    geometric: [((0.3,), (0.3 + 2.0**-30,)), ((1e-9,), (0.5,)), ((1e-9,), (2e-9,))],
    gamma: [((1e9, 1), (1e9 - 1000, 1)), ((1e6, 2), (1e6 + 10, 2 + 2.0**-15)), ((1e-6, 1), (1e9, 1)), ((5, 1e-8), (5, 1e8)), ((20, 1), (20 + 2.0**-20, 1))],
    beta: [((1e6, 1e6), (1e6 + 10, 1e6)), ((1e9, 1e9), (1e9, 1e9 - 1000)), ((1e-3, 2), (3, 1e4)), ((2, 3), (2, 3 + 2.0**-20))],
    laplace: [((0, 1e-12), (1, 1)), ((0, 1e-200), (1e-200, 3e-200))],
    binomial: [((5000, 0.01), (5000, 0.99))],
    uniform: [((0, 1), (0, 10)), ((2, 3), (1, 1e30))],
}
results = []


def result(kind, order, p, q, value):
    if abs(value) < mp.mpf(10) ** 300:
        results.append([kind, order, p, q, float(value)])


for family, pairs in families.items():
    for p, q in pairs:
        P, Q = (f"{family.__name__}({','.join(repr(v) for v in x)})" for x in (p, q))
        kl, reverse, affinity = family(*p, *q)
        result("kl", None, P, Q, kl)
        if reverse != mp.inf:
            result("reverse_kl", None, P, Q, reverse)
            result("jeffreys", None, P, Q, kl + reverse)
        result("bhattacharyya", None, P, Q, -affinity(f("0.5")))
        result("hellinger", None, P, Q, mp.sqrt(-mp.expm1(affinity(f("0.5")))))
        for order in (0.125, 0.75) + ((1000,) if family == uniform else (2,) if family == binomial else ()):
            result("renyi", order, P, Q, affinity(f(order)) / (f(order) - 1))
result("kl", None, "cauchy(0,1e-200)", "cauchy(1e-200,2e-200)", mp.log(f(10) / 8))
# The energy distance and total variation of normals and exponentials near each other or far apart.
result("tv", None, "exponential(3)", f"exponential({3 + 2.0**-51!r})", f(2) ** -51 / 3 / mp.e)
result("tv", None, "normal(0,1)", "normal(0,1e200)", f(1))
result("tv", None, "normal(0,1e-200)", "normal(1e-200,1e-200)", mp.erf(1 / (2 * mp.sqrt(2))))
# Multivariate normals with commuting covariances: of those of products.
result("wasserstein2", None, "mvnormal([0,0],[[2,0.3],[0.3,1]])", "mvnormal([1e-9,0],[[2,0.3],[0.3,1]])", f(1e-9))
result("wasserstein2", None, "mvnormal([0,0],[[1,0],[0,4]])", f"mvnormal([0,0],[[{(1 + 2.0**-20) ** 2!r},0],[0,4]])", f(2) ** -20)

with open("extremes.json", "w") as out:
    rows = ",\n".join(json.dumps(r) for r in results)
    out.write(f'{{"program": "mpmath {mp.__version__}", "results": [\n{rows}\n]}}\n')
