"""Ten training steps of three classifiers in PyTorch, float32, on one thread of a CPU.

    /usr/bin/python3 make_steps.py      writes steps_mlp.json, steps_cnn.json, steps_cnn_batchnorm.json

Each file holds the initial parameters, ten mini-batches of 8 and the mean cross-entropy (nats) of each, taken before the
step that it causes. The optimiser is Adam (lr 1e-2, betas 0.9 and 0.999, eps 1e-8 added after the square root of the
bias-corrected second moment).

steps_mlp.json: 20 inputs, dense 16, ReLU, dense 12, ReLU, dense 5.

    dense1.weight [20,16]  dense1.bias [16]  dense2.weight [16,12]  dense2.bias [12]  dense3.weight [12,5]  dense3.bias [5]

steps_cnn.json: 8x8x1 pictures, convolution 3x3 with padding 1 to 4 channels, ReLU, max pool 2x2, convolution 3x3 with padding
1 to 6 channels, ReLU, max pool 2x2, the 2x2x6 left over flattened in the order height, width, channel, dense 16, ReLU, dense 3.

    conv1.weight [3,3,1,4]  conv1.bias [4]  conv2.weight [3,3,4,6]  conv2.bias [6]
    dense1.weight [24,16]  dense1.bias [16]  dense2.weight [16,3]  dense2.bias [3]

steps_cnn_batchnorm.json: the same with a batch norm between each convolution and its ReLU (eps 1e-5, momentum 0.1; the biased
variance normalises, the unbiased one enters the running variance; running means begin at 0, variances at 1).

    conv1.weight [3,3,1,4]  norm1.scale [4]  norm1.shift [4]  conv2.weight [3,3,4,6]  norm2.scale [6]  norm2.shift [6]
    dense1.weight [24,16]  dense1.bias [16]  dense2.weight [16,3]  dense2.bias [3]

Its convolutions have no bias: the batch norm takes any bias away again, so that its gradient would be rounding error alone,
which Adam would blow up to steps of full length.

Fields: optimiser; parameters (a list, in the order above); x [10,8,...] and labels [10][8]; losses.loss, the ten figures;
losses_float64.loss, the same run in float64; final, the sum and the sum of squares of every parameter, and of norm1.mean,
norm1.variance, ... where there are any, after the tenth step; final_logits [8,classes], of the first batch after the tenth
step in evaluation mode.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import golden  # noqa: E402

STEPS, BATCH = 10, 8
ADAM = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8}


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(20, 16)
        self.dense2 = nn.Linear(16, 12)
        self.dense3 = nn.Linear(12, 5)

    def forward(self, x):
        return self.dense3(F.relu(self.dense2(F.relu(self.dense1(x)))))


class CNN(nn.Module):
    def __init__(self, batch_norm):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1, bias=not batch_norm)
        self.norm1 = nn.BatchNorm2d(4) if batch_norm else nn.Identity()
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1, bias=not batch_norm)
        self.norm2 = nn.BatchNorm2d(6) if batch_norm else nn.Identity()
        self.dense1 = nn.Linear(2 * 2 * 6, 16)
        self.dense2 = nn.Linear(16, 3)

    def forward(self, x):  # x is [n, height, width, channels]
        h = x.permute(0, 3, 1, 2)
        h = F.max_pool2d(F.relu(self.norm1(self.conv1(h))), 2)
        h = F.max_pool2d(F.relu(self.norm2(self.conv2(h))), 2)
        h = h.permute(0, 2, 3, 1).flatten(1)
        return self.dense2(F.relu(self.dense1(h)))


def vectors(rng):
    """Normal vectors of unit variance around the centre of their class."""
    labels = rng.randint(0, 5, (STEPS, BATCH))
    x = rng.standard_normal((5, 20))[labels] + rng.standard_normal((STEPS, BATCH, 20))
    return x.astype(np.float32), labels


def pictures(rng):
    """Noise in [0,1], the rows from 2k to 2k+3 brighter by up to 0.5 for class k."""
    x = rng.uniform(0, 0.5, (STEPS, BATCH, 8, 8, 1))
    labels = rng.randint(0, 3, (STEPS, BATCH))
    rows = np.arange(8)
    bright = (rows >= 2 * labels[..., None]) & (rows < 2 * labels[..., None] + 4)
    x += 0.5 * rng.uniform(0, 1, x.shape) * bright[..., None, None]
    return x.astype(np.float32), labels


def train(model, x, labels, dtype):
    """The ten losses; the model is left as it is after the tenth step."""
    optimiser = torch.optim.Adam(model.parameters(), **ADAM)
    rows = []
    for x_step, labels_step in zip(x, labels):
        loss = F.cross_entropy(model(torch.from_numpy(x_step).to(dtype)), torch.from_numpy(labels_step))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rows.append({"loss": loss.item()})
    return golden.numbers(rows)


def make(name, new_model, new_data, seed):
    x, labels = new_data(np.random.RandomState(seed))
    models = {}
    for dtype in (torch.float32, torch.float64):
        models[dtype] = new_model().to(dtype)
        golden.initialise(models[dtype], np.random.RandomState(seed + 1))
    model = models[torch.float32]
    parameters = [golden.encode(array, name=key) for key, array in golden.named_arrays(model)]
    losses = {dtype: train(models[dtype], x, labels, dtype) for dtype in models}
    golden.require_stable(name, losses[torch.float32], losses[torch.float64], tolerance=1e-5)
    final = list(golden.named_arrays(model)) + list(golden.named_statistics(model))
    model.eval()
    golden.write(f"{name}.json", {
        "optimiser": {"name": "adam", **ADAM},
        "parameters": parameters,
        "x": golden.encode(x),
        "labels": labels.tolist(),
        "losses": losses[torch.float32],
        "losses_float64": losses[torch.float64],
        "final": [golden.checksum(key, array) for key, array in final],
        "final_logits": golden.encode(model(torch.from_numpy(x[0])).detach().numpy()),
    })


if __name__ == "__main__":
    torch.set_num_threads(1)
    make("steps_mlp", MLP, vectors, seed=1)
    make("steps_cnn", lambda: CNN(batch_norm=False), pictures, seed=2)
    make("steps_cnn_batchnorm", lambda: CNN(batch_norm=True), pictures, seed=3)
