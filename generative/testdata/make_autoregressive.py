"""Log-likelihoods and gradients of two small autoregressive networks in PyTorch, float64, with masks written out.

    /usr/bin/python3 make_autoregressive.py     writes autoregressive.json

made: 6 bits, hidden layers of 7 and 5 units, direct connections, 2 classes. Every weight matrix is multiplied by a mask that is
made element by element from degrees: input d has degree d, unit k of K degree floor(5 k / K); a unit sees inputs and units of
its degree or less, output d those of less than d.

pixelcnn: pictures of 5x6x3 of the numbers 0..3, 2 layers of 4 channels, 2 classes, a mixture of 2 discretised logistic
distributions. Every convolution has a kernel with its centre on the current pixel and zero padding on all sides, multiplied by a
mask that leaves what comes before: the formulation of the paper. The probability of a pixel is a difference of logistic
functions.

Each has a list of parameters in the order of the program's, with x, y, log (n, nats), and the gradient of the mean of log by each
parameter. Arrays are little-endian float32 in base64; PyTorch computes with these float32 values in float64.
"""

import base64
import json

import numpy as np
import torch
from torch.nn import functional as F

torch.set_num_threads(1)
N = 4


def encode(name, a):
    a = np.ascontiguousarray(a.detach().numpy() if torch.is_tensor(a) else a, dtype="<f4")
    return {"name": name, "shape": list(a.shape), "float32": base64.b64encode(a.tobytes()).decode()}


class Parameters:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.all = {}

    def new(self, name, *shape, scale=0.5):
        a = (scale * self.rng.standard_normal(shape)).astype(np.float32).astype(np.float64)
        self.all[name] = torch.tensor(a, requires_grad=True)
        return self.all[name]


def golden(p, x, y, log):
    grads = torch.autograd.grad(log.mean(), list(p.all.values()))
    return {
        "parameters": [encode(k, v) for k, v in p.all.items()],
        "gradients": [encode(k, g) for k, g in zip(p.all, grads)],
        "x": encode("x", x), "y": y.tolist(), "log": log.tolist(),
    }


def mask(inputs, outputs, sees):
    m = torch.zeros(len(inputs), len(outputs), dtype=torch.float64)
    for i, a in enumerate(inputs):
        for j, b in enumerate(outputs):
            if sees(a, b):
                m[i, j] = 1
    return m


def made():
    p = Parameters(1)
    places, h1, h2 = list(range(6)), [5 * k // 7 for k in range(7)], [5 * k // 5 for k in range(5)]
    w1, b1 = p.new("hidden.0.weight", 6, 7), p.new("hidden.0.bias", 7)
    w2, b2 = p.new("hidden.1.weight", 7, 5), p.new("hidden.1.bias", 5)
    g1, g2, g3 = p.new("given.0.table", 2, 7), p.new("given.1.table", 2, 5), p.new("given.2.table", 2, 6)
    w3, b3, direct = p.new("out.weight", 5, 6), p.new("out.bias", 6), p.new("direct.weight", 6, 6)
    x = torch.tensor(p.rng.integers(0, 2, (N, 6)), dtype=torch.float64)
    y = torch.tensor(p.rng.integers(0, 2, N))
    at_most, less = (lambda a, b: a <= b), (lambda a, b: a < b)
    h = torch.relu(x @ (w1 * mask(places, h1, at_most)) + b1 + g1[y])
    h = torch.relu(h @ (w2 * mask(h1, h2, at_most)) + b2 + g2[y])
    logit = h @ (w3 * mask(h2, places, less)) + b3 + g3[y] + x @ (direct * mask(places, places, less))
    return golden(p, x, y, -F.binary_cross_entropy_with_logits(logit, x, reduction="none").sum(1))


def masked_conv(x, w, rows, columns, last_row, last_column):
    """Convolves NHWC by a kernel of rows x columns around the current pixel, whose taps after the last row and column are masked.

    w holds the taps that are left: those of its bottom right corner are the last row and column.
    """
    full = torch.zeros(w.shape[3], w.shape[2], rows, columns, dtype=torch.float64)
    top, left = rows // 2 + last_row + 1 - w.shape[0], columns // 2 + last_column + 1 - w.shape[1]
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            full[:, :, top + i, left + j] = w[i, j].T
    y = F.conv2d(x.permute(0, 3, 1, 2), full, padding=(rows // 2, columns // 2))
    return y.permute(0, 2, 3, 1)


def gate(x):
    c = x.shape[-1] // 2
    return torch.tanh(x[..., :c]) * torch.sigmoid(x[..., c:])


def logistic_mixture(p, x, m, levels):
    """log p of each pixel, from logits, means of three channels, log scales of three channels, and slopes of green by red, blue by
    red, blue by green, m of each."""
    part = [p[..., i * m:(i + 1) * m] for i in range(10)]
    x = x[..., None]
    red, green, blue = x[..., 0, :], x[..., 1, :], x[..., 2, :]
    means = [part[1], part[2] + torch.tanh(part[7]) * (red - 0.5),
             part[3] + torch.tanh(part[8]) * (red - 0.5) + torch.tanh(part[9]) * (green - 0.5)]
    probability = torch.softmax(part[0], -1)
    for value, mean, raw in zip((red, green, blue), means, part[4:7]):
        scale = torch.exp(F.softplus(raw + 7, threshold=1e9) - 7)
        half = 0.5 / (levels - 1)
        above = torch.where(value > 1 - half, torch.ones_like(mean), torch.sigmoid((value + half - mean) / scale))
        below = torch.where(value < half, torch.zeros_like(mean), torch.sigmoid((value - half - mean) / scale))
        probability = probability * (above - below)
    return torch.log(probability.sum(-1))


def pixelcnn():
    p = Parameters(2)
    c, m, levels = 4, 2, 4
    down, right = p.new("down.weight", 3, 7, 3, c), p.new("right.weight", 1, 7, 3, c)
    down_place, right_place = p.new("down_place", 5, 6, c), p.new("right_place", 5, 6, c)
    layers = []
    for i in range(2):
        layers.append([
            p.new(f"layers.{i}.down.weight", 3, 3, c, 2 * c), p.new(f"layers.{i}.down.bias", 2 * c),
            p.new(f"layers.{i}.given.table", 2, 2 * c),
            p.new(f"layers.{i}.across.weight", 2 * c, 2 * c), p.new(f"layers.{i}.across.bias", 2 * c),
            p.new(f"layers.{i}.right.weight", 1, 3, c, 2 * c),
            p.new(f"layers.{i}.out.weight", c, c), p.new(f"layers.{i}.out.bias", c),
        ])
    deep, deep_bias = p.new("deep.weight", c, 2 * c), p.new("deep.bias", 2 * c)
    out, out_place = p.new("out.weight", 2 * c, 10 * m), p.new("out_place", 5, 6, 10 * m)
    x = torch.tensor((p.rng.integers(0, levels, (N, 5, 6, 3)) / (levels - 1)).astype(np.float32), dtype=torch.float64)
    y = torch.tensor(p.rng.integers(0, 2, N))
    v = masked_conv(x, down, 7, 7, -1, 3) + down_place
    h = masked_conv(x, right, 1, 15, 0, -1) + right_place
    for w, b, given, across, across_bias, wr, o, ob in layers:
        a = masked_conv(v, w, 5, 3, 0, 1) + b + given[y][:, None, None, :]
        h = h + gate(masked_conv(h, wr, 1, 5, 0, 0) + a @ across + across_bias) @ o + ob
        v = v + gate(a)
    parameters = torch.relu(torch.relu(h) @ deep + deep_bias) @ out + out_place
    return golden(p, x, y, logistic_mixture(parameters, x, m, levels).sum((1, 2)))


with open("autoregressive.json", "w", encoding="ascii") as f:
    json.dump({"program": f"PyTorch {torch.__version__}", "made": made(), "pixelcnn": pixelcnn()}, f, indent=1)
    f.write("\n")
