"""Log-densities of small normalising flows in PyTorch, float64, with random parameters.

    /usr/bin/python3 make_flow.py      writes flow.json

Tables: p columns, y one of 3 classes, layers of couplings. Layer i keeps the columns `stay` and moves the others, `moved`, by what a
network of one hidden layer (ReLU) says of the kept ones, each limited to [-10, 10], and of the class, one-hot:
  affine: outputs s then t, m each; b * exp(2 tanh(s/2)) + t
  spline: for each column the logits of 5 widths, of 5 heights, 4 inner slopes; monotone rational-quadratic on [-3, 3], as in Durkan et
    al., Neural spline flows, 2019, with the least bin width, bin height and slope 1e-3 of their program
log p(x) is that of a standard normal base. PyTorch's autograd gives the log-determinant of the whole map, from its Jacobian, so no
formula for a log-determinant is used here.

Pictures: 4x4 with 1 channel of 17 levels, 3 classes, two levels of one Glow step each (Kingma and Dhariwal, 2018): with noise u in
[0, 1), v = 0.05 + 0.9 (x+u)/17, h = logit v; 2x2 squares become channels (row, column, channel); actnorm (h + shift) exp(logscale);
h W with W = P L (U + diag exp s), P turning the rows around; coupling of the second half of the channels by convolutions 3x3, 1x1, 3x3
of the first, a class adding to the first hidden channels, outputs s then t as above; at the first level the second half goes out
after one more such coupling, as the first part of z; what is left at the second level is the second.

flow.json: `tables` and `pictures`: params, in the order of the fields of the Go networks; x, u, y; log_prob, in nats. Arrays are
{"shape": [...], "values": [...]}. Parameters, x and u are float32 numbers.
"""

import json
import platform

import numpy as np
import torch
from torch.nn import functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
N = 6


def param(*shape, sd=0.3):
    return (sd * torch.randn(*shape)).float().double()


def affine(b, out):
    m = b.shape[-1]
    return b * torch.exp(2 * torch.tanh(out[..., :m] / 2)) + out[..., m:]


def spline(b, out, bins=5, tail=3.0, least=1e-3):
    y = []
    for v, raw in zip(b, out.reshape(len(b), -1)):
        width = least + (1 - least * bins) * torch.softmax(raw[:bins], 0)
        height = least + (1 - least * bins) * torch.softmax(raw[bins:2 * bins], 0)
        inner = least + F.softplus(raw[2 * bins:] + np.log(np.expm1(1 - least)))
        slope = torch.cat([torch.ones(1), inner, torch.ones(1)])
        left = torch.cat([torch.zeros(1), torch.cumsum(width, 0)]) * 2 * tail - tail
        low = torch.cat([torch.zeros(1), torch.cumsum(height, 0)]) * 2 * tail - tail
        if abs(v) >= tail:
            y.append(v)
            continue
        k = int((left <= v).sum()) - 1
        w, h = left[k + 1] - left[k], low[k + 1] - low[k]
        xi, delta = (v - left[k]) / w, h / w
        top = h * (delta * xi**2 + slope[k] * xi * (1 - xi))
        y.append(low[k] + top / (delta + (slope[k + 1] + slope[k] - 2 * delta) * xi * (1 - xi)))
    return torch.stack(y)


def log_prob(f, x):
    z, jacobian = f(x), torch.autograd.functional.jacobian(f, x)
    normal = -0.5 * (z**2).sum() - z.numel() / 2 * np.log(2 * np.pi)
    return float(normal + torch.linalg.slogdet(jacobian.reshape(z.numel(), x.numel()))[1])


def table(kind, p, splits):
    move, width = (affine, 2) if kind == "affine" else (spline, 14)
    layers, params = [], []
    for stay, moved in splits:
        layer = [param(len(stay) + 3, 6), param(6), param(6, len(moved) * width, sd=0.6), param(len(moved) * width, sd=0.6)]
        layers.append((stay, moved, layer))
        params += layer
    xs, ys = 1.5 * torch.randn(N, p), torch.randint(0, 3, (N,))
    xs = xs.float().double()

    def flow(y):
        def f(x):
            for stay, moved, (w1, b1, w2, b2) in layers:
                h = torch.cat([torch.clamp(x[stay], -10, 10), F.one_hot(y, 3).double()])
                out = torch.relu(h @ w1 + b1) @ w2 + b2
                parts = [None] * p
                for j in stay:
                    parts[j] = x[j]
                for j, v in zip(moved, move(x[moved], out)):
                    parts[j] = v
                x = torch.stack(parts)
            return x
        return f

    return {"kind": kind, "p": p, "params": params, "x": xs, "y": ys, "log_prob": [log_prob(flow(y), x) for x, y in zip(xs, ys)]}


def new_net(c_in, c_out, width=5):
    return [param(3, 3, c_in, width), param(width), param(1, 1, width, width), param(width), param(3, 3, width, c_out), param(c_out),
            param(3, width)]


def apply_net(params, a, y):
    k1, b1, k2, b2, k3, b3, own = params

    def conv(h, k, b):
        return F.conv2d(h[None], k.permute(3, 2, 0, 1), b, padding=k.shape[0] // 2)[0]

    h = torch.relu(conv(a.permute(2, 0, 1), k1, b1) + own[y][:, None, None])
    return conv(torch.relu(conv(h, k2, b2)), k3, b3).permute(1, 2, 0)


def coupling(params, h, y):
    c = h.shape[-1] // 2
    a, b = h[..., :c], h[..., c:]
    return torch.cat([a, affine(b, apply_net(params, a, y))], -1)


def new_step(c):
    return [param(c), param(c), param(c, c), param(c, c), param(c)] + new_net(c // 2, c)


def step(params, h, y):
    log_scale, shift, lower, upper, log_diagonal = params[:5]
    h = (h + shift) * torch.exp(log_scale)
    c = h.shape[-1]
    w = (torch.tril(lower, -1) + torch.eye(c)) @ (torch.triu(upper, 1) + torch.diag(torch.exp(log_diagonal)))
    return coupling(params[5:], h @ torch.flip(w, [0]), y)


def squeeze(h):
    rows, columns, c = h.shape
    h = h.reshape(rows // 2, 2, columns // 2, 2, c)
    return h.permute(0, 2, 1, 3, 4).reshape(rows // 2, columns // 2, 4 * c)


def pictures():
    step1, split, step2 = new_step(4), new_net(2, 4), new_step(8)
    xs, us = torch.randint(0, 17, (N, 4, 4, 1)).double(), torch.rand(N, 4, 4, 1).float().double()
    ys = torch.randint(0, 3, (N,))

    def flow(y):
        def f(v):
            v = 0.05 + 0.9 * v / 17
            h = coupling(split, step(step1, squeeze(torch.log(v) - torch.log(1 - v)), y), y)
            rest = step(step2, squeeze(h[..., :2]), y)
            return torch.cat([h[..., 2:].reshape(-1), rest.reshape(-1)])
        return f

    return {"params": step1 + split + step2, "x": xs, "u": us, "y": ys,
            "log_prob": [log_prob(flow(y), x + u) for x, u, y in zip(xs, us, ys)]}


def plain(v):
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, torch.Tensor):
        return {"shape": list(v.shape), "values": v.reshape(-1).tolist()}
    return v


FOUR = [([0, 1], [2, 3]), ([2, 3], [0, 1]), ([0, 2], [1, 3]), ([1, 3], [0, 2])]
THREE = [([0, 1], [2]), ([2], [0, 1]), ([0, 2], [1]), ([1], [0, 2])]
result = {
    "made_by": f"make_flow.py, PyTorch {torch.__version__}, Python {platform.python_version()}, float64",
    "tables": [table("affine", 4, FOUR), table("affine", 3, THREE), table("spline", 4, FOUR), table("spline", 3, THREE)],
    "pictures": pictures(),
}
with open("flow.json", "w", encoding="ascii") as file:
    json.dump(plain(result), file)
    file.write("\n")
