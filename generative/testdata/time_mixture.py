"""Times scikit-learn's GaussianMixture on the job of BenchmarkMixtureFit, and writes that benchmark's data.

    /usr/bin/python3 time_mixture.py FASHION FOLDER

FASHION is the folder with train-images-idx3-ubyte.gz; FOLDER/features gets the first 50 principal components of its 60,000
pictures, rounded to float32, as float64. EM with 10 full covariances starts from the rows 0, 6000, 12000, … as means, equal
weights, and the features' variances on the diagonal, and makes 20 iterations, on 1 and 2 threads of BLAS. The benchmark
with the same job:

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
    x.tofile(folder / "features")
    print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
    for threads in (1, 2):
        with threadpool_limits(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = GaussianMixture(K, tol=0, reg_covar=0, max_iter=ITERATIONS, weights_init=np.full(K, 1 / K), means_init=means,
                                    precisions_init=np.tile(np.diag(1 / variances), (K, 1, 1)), init_params="random", random_state=1)
            start, busy = time.perf_counter(), time.process_time()
            model.fit(x)
            seconds, busy = time.perf_counter() - start, time.process_time() - busy
            print(f"threads={threads}: {seconds / ITERATIONS:.3f} s/iteration ({busy / ITERATIONS:.3f} of processor time), "
                  f"{model.score(x):.8f} nats/example", flush=True)
