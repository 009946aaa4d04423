"""Kernel density estimates by scikit-learn: log-densities with every kernel, in 1, 2 and 30 dimensions.

    /usr/bin/python3 make_kde.py      writes kde.json

Rows and queries are float32 numbers; queries lie on rows, between them, and beyond them. KernelDensity works in float64 with
rtol 0 and atol 0, and with leaves larger than the data, so that its tree is one leaf: with several, it adds up differences of
bounds, and log p is off by up to 1e-2. What it gives is checked against the formula in numpy, with the
kernel's integral by quadrature, and must agree to 1e-10. The cosine kernel is scikit-learn's in one dimension only: in more, version
1.2.1 normalises it wrongly, and the formula's figures stand instead.

kde.json: for each of `sets` p; rows, x: float32 numbers, row-major; bandwidths; log_density: by kernel, [bandwidths][queries], where
-1e300 stands for the logarithm of 0.
"""

import json
import platform

import numpy as np
import sklearn
from scipy.integrate import quad
from scipy.special import gammaln, logsumexp
from sklearn.neighbors import KernelDensity

KERNELS = ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")


def log_kernel(kernel, u):
    """log K(u), not normalised."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "gaussian": -u * u / 2,
            "tophat": np.where(u < 1, 0, -np.inf),
            "epanechnikov": np.where(u < 1, np.log(1 - u * u), -np.inf),
            "exponential": -u,
            "linear": np.where(u < 1, np.log(1 - u), -np.inf),
            "cosine": np.where(u < 1, np.log(np.cos(np.pi * u / 2)), -np.inf),
        }[kernel]


def log_integral(kernel, p):
    """log of the integral of K(|u|) over p dimensions: the surface of the unit ball times a quadrature over the distance."""
    edge = np.inf if kernel in ("gaussian", "exponential") else 1
    radial, _ = quad(lambda u: np.exp(log_kernel(kernel, u)) * u ** (p - 1), 0, edge, epsabs=0, epsrel=1e-13)
    return np.log(radial) + np.log(2) + p / 2 * np.log(np.pi) - gammaln(p / 2)


def solve(rng, p, n, bandwidths):
    rows = rng.normal(size=(n, p)).astype(np.float32)
    x = np.concatenate([rows[:4], rows[4:8] + rng.normal(size=(4, p)) / 10, 3 * rng.normal(size=(4, p))]).astype(np.float32)
    log = {}
    for kernel in KERNELS:
        log[kernel] = []
        for h in bandwidths:
            model = KernelDensity(kernel=kernel, bandwidth=h, leaf_size=2 * n, rtol=0, atol=0).fit(rows.astype(np.float64))
            with np.errstate(divide="ignore"):
                values = model.score_samples(x.astype(np.float64))
            distances = np.linalg.norm(x.astype(np.float64)[:, None] - rows.astype(np.float64)[None], axis=2) / h
            plain = logsumexp(log_kernel(kernel, distances), axis=1) - np.log(n) - p * np.log(h) - log_integral(kernel, p)
            found = np.isfinite(plain)
            if kernel == "cosine" and p > 1:
                values = plain
            elif not (np.abs(plain[found] - values[found]) <= 1e-10).all() or (values[~found] > -1e9).any():
                raise SystemExit(f"{kernel}, p = {p}, h = {h}: scikit-learn and numpy disagree")
            log[kernel].append(np.where(found, values, -1e300).tolist())
    return {"p": p, "rows": [float(str(v)) for v in rows.ravel()], "x": [float(str(v)) for v in x.ravel()],
            "bandwidths": bandwidths, "log_density": log}


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    sets = [solve(rng, 1, 200, [0.05, 0.7]), solve(rng, 2, 150, [0.3, 2.0]), solve(rng, 30, 50, [1.5, 9.0])]
    made_by = f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python {platform.python_version()}"
    with open("kde.json", "w", encoding="ascii") as file:
        file.write(f'{{\n"made_by": {json.dumps(made_by)},\n"sets": [\n' + ",\n".join(json.dumps(s) for s in sets) + "\n]\n}\n")
