"""Writes privacy.json: tests and intervals by scipy and scikit-learn, quantiles by numpy.

    python3 make_privacy.py > privacy.json
"""
import json

import numpy as np
import scipy
import sklearn
from scipy.stats import binomtest, fisher_exact, ks_2samp, mannwhitneyu
from sklearn.metrics import roc_auc_score

r = np.random.default_rng(11)

intervals = []
for k, n in [(0, 20), (1, 1000), (7, 50), (50, 50), (499, 500), (1234, 5000)]:
    i = binomtest(k, n).proportion_ci(0.95, "exact")
    intervals.append({"k": k, "n": n, "low": i.low, "high": i.high})

tables = []
for a, n, b, m in [(1, 1000, 0, 1797), (12, 1000, 3, 500), (0, 30, 4, 60), (30, 30, 2, 60), (5, 5000, 9, 10000)]:
    tables.append({"a": a, "n": n, "b": b, "m": m, "p": fisher_exact([[a, n - a], [b, m - b]], alternative="greater")[1]})

samples = []
for n, m, shift, ties in [(40, 70, 0.5, False), (200, 50, -0.3, False), (90, 90, 0.1, True), (30, 30, 3, False)]:
    a, b = r.normal(size=n) - shift, r.normal(size=m)
    if ties:
        a, b = a.round(1), b.round(1)
    ks = ks_2samp(a, b, alternative="greater", mode="asymp")
    mw = mannwhitneyu(a, b, alternative="greater", use_continuity=False, method="asymptotic")
    samples.append({
        "a": a.tolist(), "b": b.tolist(), "ties": ties, "d": ks.statistic, "p": ks.pvalue,
        "auc": roc_auc_score(np.r_[np.ones(n), np.zeros(m)], np.r_[a, b]), "mann_whitney": mw.pvalue,
        "quantiles": [{"q": q, "value": np.quantile(a, q)} for q in (0, 0.01, 0.05, 0.5, 0.93, 1)],
    })

print(json.dumps({
    "made_by": f"make_privacy.py, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
    "intervals": intervals, "tables": tables, "samples": samples,
}, indent=1))
