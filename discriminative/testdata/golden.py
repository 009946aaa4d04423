"""What the scripts that make golden files share: layouts, array encoding, one way to write a file.

Layouts. The files hold arrays in the layouts of this project, row-major:

    pictures                          [n, height, width, channels]
    convolution kernels               [kh, kw, c_in, c_out]
    transposed convolution kernels    [kh, kw, c_out, c_in]: the kernel of the convolution whose input gradient it is
    dense weights                     [in, out]

PyTorch holds them as [n, c, h, w], [c_out, c_in, kh, kw], [c_in, c_out, kh, kw] and [out, in].

Encoding. A float32 array is {"shape": [...], "float32": "..."}: its little-endian bytes in base64. Losses and other single
figures are JSON numbers with all their digits. The last of them may be others on another kind of CPU.
"""

import base64
import json
import platform

import numpy as np
import torch
from torch import nn


def encode(array, **fields):
    """A float32 array as JSON, after the given fields (such as name=...)."""
    array = np.ascontiguousarray(array, dtype="<f4")
    return {**fields, "shape": list(array.shape), "float32": base64.b64encode(array.tobytes()).decode("ascii")}


def named_arrays(module, prefix=""):
    """The parameters of a torch module as (name, array) pairs, in this project's names and layouts, layer by layer.

    A batch norm's weight and bias are called scale and shift.
    """
    for layer_name, layer in module.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            yield f"{prefix}{layer_name}.weight", layer.weight.detach().permute(2, 3, 1, 0).numpy()
        elif isinstance(layer, nn.Linear):
            yield f"{prefix}{layer_name}.weight", layer.weight.detach().t().numpy()
        elif isinstance(layer, nn.BatchNorm2d):
            yield f"{prefix}{layer_name}.scale", layer.weight.detach().numpy()
            yield f"{prefix}{layer_name}.shift", layer.bias.detach().numpy()
            continue
        else:
            continue
        if layer.bias is not None:
            yield f"{prefix}{layer_name}.bias", layer.bias.detach().numpy()


def named_statistics(module, prefix=""):
    """The running mean and variance of every batch norm, as (name, array) pairs."""
    for layer_name, layer in module.named_modules():
        if isinstance(layer, nn.BatchNorm2d):
            yield f"{prefix}{layer_name}.mean", layer.running_mean.numpy()
            yield f"{prefix}{layer_name}.variance", layer.running_var.numpy()


def checksum(name, array):
    """Sum and sum of squares of an array, taken in float64."""
    array = np.asarray(array, dtype=np.float64)
    return {"name": name, "sum": float(array.sum()), "sum_of_squares": float((array * array).sum())}


def initialise(module, rng):
    """Fill a module from a numpy RandomState: the same float32 values whatever the module's own type.

    Weights are uniform in +-sqrt(3/fan_in); biases, scales and shifts are away from 0 and 1, so that none of them can be
    forgotten without changing the loss.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            layer = module.get_submodule(name.rpartition(".")[0])
            is_weight = name.endswith("weight")
            if isinstance(layer, nn.BatchNorm2d):
                values = rng.uniform(0.8, 1.2, parameter.shape) if is_weight else rng.uniform(-0.2, 0.2, parameter.shape)
            elif is_weight:
                # Every output of a transposed convolution of stride 2 sees a quarter of its kernel's taps.
                fan_in = parameter[:, 0].numel() / 4 if isinstance(layer, nn.ConvTranspose2d) else parameter[0].numel()
                values = rng.uniform(-1, 1, parameter.shape) * np.sqrt(3 / fan_in)
            else:
                values = rng.uniform(-0.1, 0.1, parameter.shape)
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))


def numbers(rows):
    """[{"loss": 1.0, ...}, ...] as {"loss": [1.0, ...], ...}."""
    return {key: [row[key] for row in rows] for key in rows[0]}


def require_stable(name, single, double, tolerance):
    """Stop if float32 and float64 give losses that differ by more than the tolerance, relatively.

    A golden whose losses hang on rounding (a near tie in a maximum, a gradient that is all rounding error, which Adam makes
    as large as any other) would test luck. The largest difference is printed: it says what tolerance a test may ask for.
    """
    difference = max(
        abs(a - b) / abs(b) for key in double for a, b in zip(single[key], double[key])
    )
    print(f"{name}: float32 and float64 losses differ by at most {difference:.1e} relative")
    if not difference <= tolerance:
        raise SystemExit(f"{name}: more than {tolerance:.0e}: choose another seed")


def write(path, fields):
    """Write a golden file, one top-level field a line, with the programs that made it first."""
    made_by = f"PyTorch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}"
    fields = {"made_by": made_by, **fields}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items()]
    with open(path, "w", encoding="ascii") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
