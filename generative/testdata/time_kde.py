"""Time scikit-learn's KernelDensity on what BenchmarkKDE times: 2,000 test pictures of Fashion-MNIST against its 60,000 training
pictures, both as their 50 principal components of pixels/255, gaussian kernel, bandwidth 0.5, exact (rtol 0, atol 0).

    /usr/bin/python3 time_kde.py FOLDER [ALGORITHM [LEAF_SIZE]]    FOLDER holds the four IDX files; kd_tree or ball_tree

Prints the seconds of CPU time that score_samples takes, on one thread, and the mean log-density in nats, by which to see that both did the same.
"""

import gzip
import os
import pathlib
import sys
import time

os.environ.update(OPENBLAS_NUM_THREADS="1")  # read at import

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.neighbors import KernelDensity  # noqa: E402


def pictures(path):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    algorithm = sys.argv[2] if len(sys.argv) > 2 else "kd_tree"
    leaf = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    train, test = (pictures(folder / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    mean = train.mean(0)
    _, vectors = np.linalg.eigh(np.cov(train.T, bias=True))
    components = vectors[:, ::-1][:, :50]
    train, test = (train - mean) @ components, (test[:2000] - mean) @ components
    model = KernelDensity(bandwidth=0.5, algorithm=algorithm, leaf_size=leaf, rtol=0, atol=0).fit(train)
    start = time.process_time()
    log = model.score_samples(test)
    print(f"scikit-learn {sklearn.__version__}, {algorithm}, leaf {leaf}: {time.process_time() - start:.2f} s of CPU time, mean log p {log.mean():.9f}")
