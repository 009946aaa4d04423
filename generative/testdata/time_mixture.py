"""Times scikit-learn's GaussianMixture on the job of BenchmarkMixtureFit, and writes that benchmark's data.

    /usr/bin/python3 time_mixture.py FASHION FOLDER

FASHION is the folder with train-images-idx3-ubyte.gz; the features in FOLDER are the first 50 principal components of its
60,000 pictures, rounded to float32. EM with 10 full covariances starts from the rows 0, 6000, 12000, … as means, equal
weights, and the features' variances on the diagonal, and makes 20 iterations on 1 and 2 threads of BLAS. The benchmark with the same job:

    MIXTURE_FEATURES=FOLDER go test ./generative -run '^$' -bench MixtureFit -benchtime 1x
"""

import gzip
import pathlib
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

K, P, ITERATIONS = 10, 50, 20


def features(folder):
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255
    centred = pixels - pixels.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return (centred @ vectors[:, :-P - 1:-1]).astype(np.float32).astype(np.float64)


if __name__ == "__main__":
    x = features(pathlib.Path(sys.argv[1]))
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    n = len(x)
    means, variances = x[::n // K].copy(), x.var(0)
    np.array([n, P, K, ITERATIONS], float).tofile(folder / "size")
    x.tofile(folder / "features")
    means.tofile(folder / "means")
    np.tile(np.diag(variances), (K, 1, 1)).tofile(folder / "covariances")
    print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
    for threads in (1, 2):
        with threadpool_limits(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = GaussianMixture(K, tol=0, reg_covar=0, max_iter=ITERATIONS, weights_init=np.full(K, 1 / K), means_init=means,
                                    precisions_init=np.tile(np.diag(1 / variances), (K, 1, 1)), init_params="random", random_state=1)
            start = time.perf_counter()
            model.fit(x)
            seconds = time.perf_counter() - start
            print(f"threads={threads}: {seconds / ITERATIONS:.3f} s/iteration, {model.score(x):.8f} nats/example")
