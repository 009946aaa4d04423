"""Time scikit-learn's LogisticRegression on what the command below fits: 300 iterations of L-BFGS for the ten classes of all
60,000 training pictures of Fashion-MNIST, pixels/255, C = 64/784.

    likely fit logistic fashion-mnist --validation 0
    /usr/bin/python3 time_logistic.py FOLDER        FOLDER holds the four IDX files

Prints, for 1 and 2 threads of BLAS, seconds, iterations and the mean log loss in nats: the fit's "train loss".
"""

import gzip
import pathlib
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
    for threads in (1, 2):
        with threadpool_limits(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=64 / 784, solver="lbfgs", tol=1e-9, max_iter=300)
            start = time.perf_counter()
            model.fit(x, y)
            seconds = time.perf_counter() - start
            print(f"threads={threads}: {seconds:.1f} s, {model.n_iter_[0]} iterations, {log_loss(y, model.predict_proba(x)):.6f} nats", flush=True)
