"""Features of two pictures by Inception-v3 as pytorch-fid has it, in PyTorch, float64.

    /usr/bin/python3 make_inception.py      writes inception.json

The network is written out here in torch.nn.functional; where torchvision is installed, its own Inception3 with pytorch-fid's four
changes must agree to 1e-9, or the script fails. The weights are not the published ones but made by a formula (`numbers`) that the Go
test repeats bit for bit, so that they need no file: a kernel with fan-in n is uniform on ±sqrt(6/n), which keeps activations of
order 1, and the normalisation is near the identity.

Pictures are whole numbers from 0 to 255 by the same formula on a coarse grid. `resized` are some pixels of pictures after
interpolate(size=299, mode="bilinear") and 2x/255 - 1, as [row, column, channel, value].
"""

import json
import types

import numpy as np
import torch
from torch.nn import functional as F

torch.set_num_threads(1)


def numbers(name, n):
    """n numbers on [-1, 1): the 24 high bits of a hash (murmur3's finaliser) of FNV-1a(name) + i."""
    h = 2166136261
    for c in name.encode():
        h = (h ^ c) * 16777619 & 0xFFFFFFFF
    x = np.arange(n, dtype=np.uint64) + h & 0xFFFFFFFF
    x = (x ^ x >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    x = (x ^ x >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    x = x ^ x >> 16
    return (x >> 8).astype(np.float64) / 2**23 - 1


def weight(name, *dims):
    v = numbers(name, int(np.prod(dims)))
    if name.endswith("conv.weight"):
        v = v * np.sqrt(6 / np.prod(dims[1:]))
    elif name.endswith(("bn.weight", "running_var")):
        v = 1 + v / 4
    else:
        v = v / 8
    return torch.from_numpy(v.astype(np.float32).astype(np.float64).reshape(dims))


def picture(name, height, width, channels):
    """Blocks of 4x4 equal pixels, [height, width, channels]."""
    rows, columns = -(-height // 4), -(-width // 4)
    v = np.floor((numbers(name, rows * columns * channels) + 1) * 128).reshape(rows, columns, channels)
    return v.repeat(4, 0).repeat(4, 1)[:height, :width]


def prepare(p):
    x = torch.from_numpy(p).permute(2, 0, 1)[None]
    x = x.expand(-1, 3, -1, -1) / 255
    return 2 * F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False) - 1


def unit(x, name, out, kernel, stride=1, padding=0):
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    x = F.conv2d(x, weight(name + ".conv.weight", out, x.shape[1], *kernel), stride=stride, padding=padding)
    n = [weight(f"{name}.bn.{part}", out) for part in ("running_mean", "running_var", "weight", "bias")]
    return F.relu(F.batch_norm(x, *n, eps=0.001))


def average(x):
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def block_a(x, n, pooled):
    a = unit(x, n + "branch1x1", 64, 1)
    b = unit(unit(x, n + "branch5x5_1", 48, 1), n + "branch5x5_2", 64, 5, padding=2)
    c = unit(unit(x, n + "branch3x3dbl_1", 64, 1), n + "branch3x3dbl_2", 96, 3, padding=1)
    c = unit(c, n + "branch3x3dbl_3", 96, 3, padding=1)
    return torch.cat([a, b, c, unit(average(x), n + "branch_pool", pooled, 1)], 1)


def block_b(x, n):
    a = unit(x, n + "branch3x3", 384, 3, 2)
    b = unit(unit(x, n + "branch3x3dbl_1", 64, 1), n + "branch3x3dbl_2", 96, 3, padding=1)
    return torch.cat([a, unit(b, n + "branch3x3dbl_3", 96, 3, 2), F.max_pool2d(x, 3, 2)], 1)


def block_c(x, n, c7):
    a = unit(x, n + "branch1x1", 192, 1)
    b = unit(unit(x, n + "branch7x7_1", c7, 1), n + "branch7x7_2", c7, (1, 7), padding=(0, 3))
    b = unit(b, n + "branch7x7_3", 192, (7, 1), padding=(3, 0))
    c = unit(unit(x, n + "branch7x7dbl_1", c7, 1), n + "branch7x7dbl_2", c7, (7, 1), padding=(3, 0))
    c = unit(c, n + "branch7x7dbl_3", c7, (1, 7), padding=(0, 3))
    c = unit(c, n + "branch7x7dbl_4", c7, (7, 1), padding=(3, 0))
    c = unit(c, n + "branch7x7dbl_5", 192, (1, 7), padding=(0, 3))
    return torch.cat([a, b, c, unit(average(x), n + "branch_pool", 192, 1)], 1)


def block_d(x, n):
    a = unit(unit(x, n + "branch3x3_1", 192, 1), n + "branch3x3_2", 320, 3, 2)
    b = unit(unit(x, n + "branch7x7x3_1", 192, 1), n + "branch7x7x3_2", 192, (1, 7), padding=(0, 3))
    b = unit(unit(b, n + "branch7x7x3_3", 192, (7, 1), padding=(3, 0)), n + "branch7x7x3_4", 192, 3, 2)
    return torch.cat([a, b, F.max_pool2d(x, 3, 2)], 1)


def block_e(x, n, pooled):
    def fork(x, n):
        return [unit(x, n + "a", 384, (1, 3), padding=(0, 1)), unit(x, n + "b", 384, (3, 1), padding=(1, 0))]

    a = unit(x, n + "branch1x1", 320, 1)
    b = fork(unit(x, n + "branch3x3_1", 384, 1), n + "branch3x3_2")
    c = unit(unit(x, n + "branch3x3dbl_1", 448, 1), n + "branch3x3dbl_2", 384, 3, padding=1)
    c = fork(c, n + "branch3x3dbl_3")
    return torch.cat([a, *b, *c, unit(pooled, n + "branch_pool", 192, 1)], 1)


def features(x):
    x = unit(x, "Conv2d_1a_3x3", 32, 3, 2)
    x = unit(x, "Conv2d_2a_3x3", 32, 3)
    x = F.max_pool2d(unit(x, "Conv2d_2b_3x3", 64, 3, padding=1), 3, 2)
    x = unit(x, "Conv2d_3b_1x1", 80, 1)
    x = F.max_pool2d(unit(x, "Conv2d_4a_3x3", 192, 3), 3, 2)
    for n, pooled in ("Mixed_5b.", 32), ("Mixed_5c.", 64), ("Mixed_5d.", 64):
        x = block_a(x, n, pooled)
    x = block_b(x, "Mixed_6a.")
    for n, c7 in ("Mixed_6b.", 128), ("Mixed_6c.", 160), ("Mixed_6d.", 160), ("Mixed_6e.", 192):
        x = block_c(x, n, c7)
    x = block_d(x, "Mixed_7a.")
    x = block_e(x, "Mixed_7b.", average(x))
    x = block_e(x, "Mixed_7c.", F.max_pool2d(x, 3, 1, 1))
    return x.mean((2, 3))


def second_opinion(x):
    from torchvision.models import inception

    net = inception.Inception3(aux_logits=False, init_weights=False).double().eval()
    net.fc = torch.nn.Identity()
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if t.dim():  # not the counters
                t.copy_(weight(name, *t.shape))
    # Averages without the padding, in every block; a maximum in the last.
    own = types.SimpleNamespace(**vars(F))
    own.avg_pool2d = lambda x, **k: F.avg_pool2d(x, **k, count_include_pad=False)
    inception.F = own
    last = net.Mixed_7c.forward

    def with_max(x):
        own.avg_pool2d = F.max_pool2d
        return last(x)

    net.Mixed_7c.forward = with_max
    return net(x)


cases = []
with torch.no_grad():
    for name, height, width, channels in ("grey", 28, 28, 1), ("colour", 40, 33, 3):
        x = prepare(picture(name, height, width, channels))
        f = features(x)
        try:
            other = second_opinion(x)
            worst = ((f - other).abs().max() / f.abs().max()).item()
            print(f"{name}: mean {f.mean():.4f}, torchvision differs by {worst:.1e} of the greatest feature")
            assert worst < 1e-9
        except ModuleNotFoundError:
            print(f"{name}: mean {f.mean():.4f}; torchvision is not installed")
        cases.append({"name": name, "height": height, "width": width, "channels": channels,
                      "features": [float(f"{v:.8g}") for v in f[0].tolist()]})

    resized = []
    for name, height, width, channels in ("small", 5, 7, 3), ("large", 400, 350, 1):
        x = prepare(picture(name, height, width, channels))[0]
        at = [(0, 0), (298, 298), (0, 298)] + [(i * 37 % 299, i * 101 % 299) for i in range(1, 40)]
        resized.append({"name": name, "height": height, "width": width, "channels": channels,
                        "pixels": [[i, j, k, round(x[k, i, j].item(), 9)] for i, j in at for k in range(3)]})

with open("inception.json", "w") as out:
    json.dump({"made_by": f"make_inception.py, torch {torch.__version__}", "cases": cases, "resized": resized}, out, separators=(",", ":"))
    out.write("\n")
