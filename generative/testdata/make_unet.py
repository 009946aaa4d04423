"""The loss of a small diffusion U-Net and its gradients in PyTorch, float32, on one thread of a CPU.

    /usr/bin/python3 make_unet.py       writes unet.json

Layouts and the encoding of arrays are those of ../../discriminative/testdata/golden.py. The network F(x; c, y) is written from
its description in unet.go: 8 features of widths below, pictures of 5x6x2, patches of 2x2 (so they are padded to 8x8, and sizes
are 4x4 and 2x2), channels 4 and 8, a condition of width 128, 3 classes and "no class". The loss is the mean square of

    F(in x_noisy; log(sigma)/4, y) - (clean x + noise epsilon),     x_noisy = x + sigma epsilon,

with Karras et al.'s coefficients (2022, table 1) for sigma_data = 0.7:

    in = 1/sqrt(sigma^2 + sigma_data^2),  clean = sigma in/sigma_data,  noise = -sigma_data in.

Group norms of c channels have gcd(c, 8) groups and eps 1e-5. All parameters are drawn by golden.initialise, those that begin
as 0 in training too; names and order are those of the network's own fields.

Fields: parameters; x, epsilon [4,5,6,2], log_sigma, y [4]; loss; gradients: sum and sum of squares of each parameter's.
"""

import math
import os
import pathlib
import sys

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "discriminative" / "testdata"))
import golden  # noqa: E402

WIDTH, WAVES, CLASSES, SIGMA_DATA = 128, 16, 3, 0.7
HEIGHT, BREADTH, COLOURS, PATCH = 5, 6, 2, 2


def norm(channels):
    return nn.GroupNorm(math.gcd(channels, 8), channels, eps=1e-5)


class Residual(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm1, self.conv1 = norm(c_in), nn.Conv2d(c_in, c_out, 3, padding=1)
        self.told = nn.Linear(WIDTH, 2 * c_out)
        self.norm2, self.conv2 = norm(c_out), nn.Conv2d(c_out, c_out, 3, padding=1)
        if c_in != c_out:
            self.skip = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x, told):
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.told(told)[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return h + (self.skip(x) if hasattr(self, "skip") else x)


class Look(nn.Module):
    def __init__(self, channels):
        super().__init__()
        for name in ("query", "key", "value", "out"):
            setattr(self, name, nn.Linear(channels, channels))

    def forward(self, x):
        weights = torch.softmax(self.query(x) @ self.key(x).transpose(1, 2) / math.sqrt(x.shape[2]), dim=2)
        return self.out(weights @ self.value(x))


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm, self.look = norm(channels), Look(channels)

    def forward(self, x):
        y = self.look(self.norm(x).flatten(2).transpose(1, 2))
        return x + y.transpose(1, 2).reshape(x.shape)


class UNet(nn.Module):
    def __init__(self, fine=4, coarse=8):
        super().__init__()
        area = PATCH * PATCH * COLOURS
        self.conv_in = nn.Conv2d(area, fine, 3, padding=1)
        self.down = nn.ModuleList([Residual(fine, fine), Residual(fine, coarse)])
        self.halve = nn.ModuleList([nn.Conv2d(fine, fine, 3, stride=2, padding=1)])
        self.look = Attention(coarse)
        self.coarse = Residual(coarse, coarse)
        self.up = nn.ModuleList([Residual(coarse + fine, fine)])
        self.out_norm, self.out = norm(fine), nn.Conv2d(fine, area, 3, padding=1)

    def forward(self, x, told):
        # Channels of a patch are in the order row, column, colour.
        n = x.shape[0]
        x = F.pad(x, (0, 8 - BREADTH, 0, 8 - HEIGHT))
        x = x.reshape(n, COLOURS, 4, PATCH, 4, PATCH).permute(0, 3, 5, 1, 2, 4).reshape(n, -1, 4, 4)
        fine = self.down[0](self.conv_in(x), told)
        h = self.down[1](self.halve[0](fine), told)
        h = self.coarse(self.look(h), told)
        h = self.up[0](torch.cat([F.interpolate(h, scale_factor=2), fine], dim=1), told)
        h = self.out(F.silu(self.out_norm(h)))
        h = h.reshape(n, PATCH, PATCH, COLOURS, 4, 4).permute(0, 3, 4, 1, 5, 2).reshape(n, COLOURS, 8, 8)
        return h[:, :, :HEIGHT, :BREADTH]


class Conditional(nn.Module):
    def __init__(self):
        super().__init__()
        self.noise1, self.noise2 = nn.Linear(2 * WAVES, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.table = nn.Parameter(torch.zeros(CLASSES + 1, WIDTH))
        self.picture = UNet()

    def forward(self, x, c, y):
        omega = 0.5 * (50 / 0.5) ** (torch.arange(WAVES, dtype=torch.float64) / (WAVES - 1))
        angle = c[:, None] * omega.to(c.dtype)
        told = self.noise2(F.silu(self.noise1(torch.cat([angle.sin(), angle.cos()], dim=1)))) + self.table[y]
        return self.picture(x, F.silu(told))


def arrays(model, of):
    """(name, array) of what `of` takes from each parameter, in this project's layouts."""
    for name, parameter in model.named_parameters():
        array = of(parameter).detach()
        if array.ndim == 4:
            array = array.permute(2, 3, 1, 0)
        elif array.ndim == 2 and name != "table":
            array = array.t()
        yield name, array.numpy()


def order(name):
    """The place of a parameter in the network's own order: the class table follows the two dense layers of the noise."""
    return {"noise1": 0, "noise2": 1, "table": 2, "picture": 3}[name.split(".")[0]]


def main(seed):
    rng = np.random.RandomState(seed)
    shape = (4, HEIGHT, BREADTH, COLOURS)
    x, epsilon = rng.uniform(-1, 1, shape).astype(np.float32), rng.standard_normal(shape).astype(np.float32)
    log_sigma, y = np.array([-3, -1, 0.5, 3], np.float32), np.array([0, 2, 3, 1])

    def run(dtype):
        model = Conditional().to(dtype)
        rng = np.random.RandomState(seed + 1)
        golden.initialise(model, rng)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "norm" in name and name.endswith("weight"):
                    parameter.copy_(torch.from_numpy(rng.uniform(0.8, 1.2, parameter.shape).astype(np.float32)))
            model.table.copy_(torch.from_numpy(rng.standard_normal(model.table.shape).astype(np.float32)))
        to = lambda a: torch.from_numpy(a).to(dtype)
        clean, noise, log = to(x).permute(0, 3, 1, 2), to(epsilon).permute(0, 3, 1, 2), to(log_sigma)
        sigma = log.exp()[:, None, None, None]
        scale = (sigma**2 + SIGMA_DATA**2) ** -0.5
        out = model(scale * (clean + sigma * noise), log / 4, torch.from_numpy(y))
        loss = ((out - (sigma * scale / SIGMA_DATA * clean - SIGMA_DATA * scale * noise)) ** 2).mean()
        loss.backward()
        parameters = sorted(arrays(model, lambda p: p), key=lambda p: order(p[0]))
        gradients = sorted(arrays(model, lambda p: p.grad), key=lambda p: order(p[0]))
        return parameters, loss.item(), [golden.checksum(name, array) for name, array in gradients]

    parameters, loss, _ = run(torch.float32)
    _, loss_float64, gradients = run(torch.float64)
    golden.require_stable("unet", {"loss": [loss]}, {"loss": [loss_float64]}, tolerance=1e-6)
    golden.write("unet.json", {
        "parameters": [golden.encode(array, name=name) for name, array in parameters],
        "x": golden.encode(x), "noise": golden.encode(epsilon), "log_sigma": log_sigma.tolist(), "y": y.tolist(),
        "loss": loss_float64, "final": gradients,
    })


main(seed=7)
