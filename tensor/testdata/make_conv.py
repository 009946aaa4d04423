"""Convolutions of 24 geometries in PyTorch, with gradients and gradients of gradients, float64.

    /usr/bin/python3 make_conv.py      writes conv.json

With x [n, I0, I1, g*ci], w [K0, K1, ci, g*co] and y, r [n, O0, O1, g*co], all row-major, each case holds

    y           = the convolution of x with w (a correlation: the kernel is not turned round)
    dx, dw      = the gradients of L = sum(y * r) by x and by w
    penalty_dw, penalty_dr = the gradients of P = sum(dx^2) by w and by r (dx is linear in w and in r, and free of x)
    square_dx, square_dr   = the gradients of Q = sum(dw^2) by x and by r

so the second group asks for the derivatives of the input gradient (the transposed convolution), the third for those of the
kernel gradient. Along each axis, output o reads input s*o + d*k - p for k in [0,K), where s is the stride, d the dilation, p the
low padding; places outside [0,I) count as zero. `high` is the high padding s*(O-1) + d*(K-1) + 1 - I - p. Either padding may
be negative: it cuts the input off.

x, w and r are whole numbers from -3 to 3, so every figure is a whole number and every sum exact, in float64 and, being
below 2^24, in float32 too: a test can ask for equality. Arrays are {"shape": [...], "values": [...]}.
"""

import json
import platform

import numpy as np
import torch
from torch.nn import functional as F

# For each case n, groups, ci, co (channels per group), then for each axis (I, K, O, s, d, p).
GEOMETRIES = [
    # The ordinary ones.
    (2, 1, 1, 2, (4, 3, 4, 1, 1, 1), (5, 3, 5, 1, 1, 1)),
    (1, 1, 2, 3, (4, 3, 2, 1, 1, 0), (5, 3, 3, 1, 1, 0)),
    (2, 1, 3, 2, (3, 1, 3, 1, 1, 0), (3, 1, 3, 1, 1, 0)),
    (1, 1, 1, 1, (1, 1, 1, 1, 1, 0), (1, 1, 1, 1, 1, 0)),
    # Even kernels.
    (1, 1, 2, 2, (4, 2, 3, 1, 1, 0), (5, 2, 4, 1, 1, 0)),
    (2, 1, 1, 2, (4, 4, 4, 1, 1, 1), (5, 2, 5, 1, 1, 1)),
    (1, 1, 2, 1, (4, 4, 3, 1, 1, 1), (6, 4, 5, 1, 1, 1)),
    # Strides, the high edge used and not used.
    (2, 1, 1, 2, (6, 4, 3, 2, 1, 1), (6, 4, 3, 2, 1, 1)),
    (1, 1, 2, 2, (5, 3, 3, 2, 1, 1), (6, 3, 3, 2, 1, 1)),
    (1, 1, 1, 2, (6, 2, 3, 2, 1, 0), (7, 2, 3, 2, 1, 0)),
    (1, 1, 2, 2, (7, 3, 3, 3, 1, 1), (6, 2, 2, 3, 1, 0)),
    (1, 1, 1, 2, (7, 1, 3, 3, 1, 0), (5, 1, 3, 2, 1, 0)),
    # Each axis another stride and kernel.
    (1, 1, 2, 2, (5, 2, 4, 1, 1, 0), (7, 3, 4, 2, 1, 1)),
    # Dilation.
    (1, 1, 2, 1, (6, 3, 2, 1, 2, 0), (6, 2, 4, 1, 2, 0)),
    (2, 1, 1, 2, (5, 3, 5, 1, 2, 2), (4, 2, 4, 1, 2, 1)),
    (1, 1, 2, 2, (6, 3, 3, 2, 2, 2), (7, 2, 3, 3, 2, 1)),
    # High padding unlike the low.
    (1, 1, 1, 2, (4, 3, 4, 1, 1, 0), (4, 3, 4, 1, 1, 2)),
    (1, 1, 2, 1, (4, 2, 6, 1, 1, 0), (5, 4, 4, 2, 1, 2)),
    # Negative padding, low, high and both.
    (1, 1, 2, 2, (5, 2, 3, 1, 1, -1), (5, 3, 3, 1, 1, 1)),
    (1, 1, 1, 2, (6, 3, 3, 1, 1, 0), (7, 2, 3, 2, 1, -1)),
    (1, 1, 1, 1, (6, 2, 3, 1, 2, -1), (6, 3, 2, 1, 1, -1)),
    # Groups.
    (2, 2, 1, 1, (4, 3, 4, 1, 1, 1), (3, 3, 3, 1, 1, 1)),
    (1, 2, 2, 1, (5, 4, 3, 2, 1, 1), (4, 2, 3, 1, 1, 0)),
    (1, 2, 1, 2, (5, 2, 4, 1, 2, 1), (6, 3, 3, 2, 1, 0)),
]


def high_padding(axis):
    I, K, O, s, d, p = axis
    return s * (O - 1) + d * (K - 1) + 1 - I - p


def convolve(x, w, groups, axes):
    """The convolution by PyTorch, on arrays in this project's layouts."""
    (_, _, _, s0, d0, p0), (_, _, _, s1, d1, p1) = axes
    padded = F.pad(x.permute(0, 3, 1, 2), (p1, high_padding(axes[1]), p0, high_padding(axes[0])))
    kernel = w.permute(3, 2, 0, 1).contiguous()  # slow_conv2d has no gradient otherwise
    y = F.conv2d(padded, kernel, stride=(s0, s1), dilation=(d0, d1), groups=groups)
    return y.permute(0, 2, 3, 1)


def encode(tensor):
    values = tensor.detach().contiguous().numpy()
    whole = np.rint(values)
    assert (values == whole).all() and np.abs(whole).max(initial=0) < 2**24
    return {"shape": list(values.shape), "values": whole.astype(int).ravel().tolist()}


def case(geometry, rng):
    n, groups, ci, co, *axes = geometry
    (I0, K0, O0, *_), (I1, K1, O1, *_) = axes

    def whole_numbers(*shape):
        return torch.from_numpy(rng.randint(-3, 4, shape).astype(np.float64)).requires_grad_()

    x, w, r = whole_numbers(n, I0, I1, groups * ci), whole_numbers(K0, K1, ci, groups * co), whole_numbers(n, O0, O1, groups * co)
    y = convolve(x, w, groups, axes)
    assert y.shape == r.shape, (geometry, y.shape)
    dx, dw = torch.autograd.grad((y * r).sum(), (x, w), create_graph=True)
    penalty_dw, penalty_dr = torch.autograd.grad((dx * dx).sum(), (w, r), retain_graph=True)
    square_dx, square_dr = torch.autograd.grad((dw * dw).sum(), (x, r))

    names = ("in", "kernel", "out", "stride", "dilation", "pad")
    arrays = {"x": x, "w": w, "r": r, "y": y, "dx": dx, "dw": dw, "penalty_dw": penalty_dw, "penalty_dr": penalty_dr,
              "square_dx": square_dx, "square_dr": square_dr}
    return {
        "n": n, "groups": groups, "ci": ci, "co": co,
        "axes": [{**dict(zip(names, axis)), "high": high_padding(axis)} for axis in axes],
        **{name: encode(tensor) for name, tensor in arrays.items()},
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    rng = np.random.RandomState(31)
    cases = [json.dumps(case(geometry, rng), separators=(",", ":")) for geometry in GEOMETRIES]
    made_by = f"PyTorch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}"
    with open("conv.json", "w", encoding="ascii") as file:
        file.write(f'{{\n"made_by": {json.dumps(made_by)},\n"cases": [\n' + ",\n".join(cases) + "\n]\n}\n")
    print(f"conv.json: {len(cases)} cases")
