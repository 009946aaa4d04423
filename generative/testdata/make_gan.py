"""The losses of two adversaries and their gradients in PyTorch, float64, on one thread of a CPU.

    /usr/bin/python3 make_gan.py      writes gan.json

Layouts and the encoding of arrays are those of ../../discriminative/testdata/golden.py; results are rounded to float32. Pictures
are 8x8x1, in batches of 6, of 3 classes, with 4 latent variables; feature maps have 4 and 6 channels. a is the leaky ReLU of slope
0.2, and every convolution pads to keep its size or to halve it exactly.

Generators take z beside the class as zeros and a one.

    dcgan    dense to 2x2x6, batch norm, ReLU, transposed convolution 4x4 stride 2 to 4x4x4, batch norm, ReLU, transposed
             convolution 4x4 stride 2 to 8x8x1, tanh
    resnet   dense to 2x2x6, block, convolution 1x1 to 4 channels, each pixel twice along both axes, block, a, transposed
             convolution 4x4 stride 2 to 8x8x1, tanh. A block is x + conv(a(conv(a(x)))), both 3x3

Discriminators:

    dcgan    convolution 4x4 stride 2 to 4x4x4, a, convolution 4x4 stride 2 to 2x2x6, (batch norm,) a, flattened
    resnet   convolution 4x4 stride 2 to 4x4x4, block, mean of each 2x2, convolution 1x1 to 6 channels, block, a, and the sum over
             places of a weight for each place and channel times the feature

then w.f + b of the features f, and with projection + e_y.f; without it, the class is a map of ones among maps of zeros beside the
picture's channel. With a batch norm real and generated pictures are judged apart. Spectral norm is torch.nn.utils's, one power
iteration from the given u, in both losses. Losses are those that ../gan_loss.go cites; wasserstein has weight 10 and mixes pictures
by share, relativistic has weight 1.

Fields: real, z, y, share; cases: for each, parameters (learned, the generator's first), left (the u's), the losses discriminator and
generator, and gradients: of the first by the discriminator's parameters, of the second by the generator's, in the order of
parameters.
"""

import os
import pathlib
import sys

os.environ.update(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")  # the same sums wherever this runs; read at import

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "discriminative" / "testdata"))
import golden  # noqa: E402: found by the line above

BATCH, CLASSES, LATENT, WIDE, DEEP = 6, 3, 4, 4, 6


def leaky(x):
    return F.leaky_relu(x, 0.2)


def rows(h):
    """Pictures [n, c, h, w] as rows in the order height, width, channel."""
    return h.permute(0, 2, 3, 1).flatten(1)


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(leaky(self.conv1(leaky(x))))


class DCGANGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(LATENT + CLASSES, 2 * 2 * DEEP, bias=False)
        self.norm1 = nn.BatchNorm2d(DEEP)
        self.up1 = nn.ConvTranspose2d(DEEP, WIDE, 4, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(WIDE)
        self.up2 = nn.ConvTranspose2d(WIDE, 1, 4, stride=2, padding=1)

    def forward(self, z):
        h = self.dense(z).unflatten(1, (2, 2, DEEP)).permute(0, 3, 1, 2)
        return torch.tanh(self.up2(F.relu(self.norm2(self.up1(F.relu(self.norm1(h)))))))


class ResNetGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(LATENT + CLASSES, 2 * 2 * DEEP)
        self.block1 = Block(DEEP)
        self.narrow = nn.Conv2d(DEEP, WIDE, 1, bias=False)
        self.block2 = Block(WIDE)
        self.up = nn.ConvTranspose2d(WIDE, 1, 4, stride=2, padding=1)

    def forward(self, z):
        h = self.dense(z).unflatten(1, (2, 2, DEEP)).permute(0, 3, 1, 2)
        h = F.interpolate(self.narrow(self.block1(h)), scale_factor=2, mode="nearest")
        return torch.tanh(self.up(leaky(self.block2(h))))


class Discriminator(nn.Module):
    """What both have in common: the class, and the logit of the features."""

    def __init__(self, case, features):
        super().__init__()
        self.project = case["project"]
        self.channels = 1 if self.project else 1 + CLASSES
        self.layers(case)
        self.verdict = nn.Linear(features, 1)
        if self.project:
            self.table = nn.Embedding(CLASSES, features)

    def forward(self, x, y):
        if not self.project:
            maps = F.one_hot(y, CLASSES).to(x.dtype)[:, :, None, None].expand(-1, -1, 8, 8)
            x = torch.cat([x, maps], 1)
        f = self.features(x)
        logit = self.verdict(f)[:, 0]
        return logit + (self.table(y) * f).sum(1) if self.project else logit


class DCGANDiscriminator(Discriminator):
    def __init__(self, case):
        super().__init__(case, 2 * 2 * DEEP)

    def layers(self, case):
        self.down1 = nn.Conv2d(self.channels, WIDE, 4, stride=2, padding=1)
        self.down2 = nn.Conv2d(WIDE, DEEP, 4, stride=2, padding=1, bias=not case["batch_norm"])
        self.norm = nn.BatchNorm2d(DEEP) if case["batch_norm"] else nn.Identity()

    def features(self, x):
        return rows(leaky(self.norm(self.down2(leaky(self.down1(x))))))


class ResNetDiscriminator(Discriminator):
    def __init__(self, case):
        super().__init__(case, DEEP)

    def layers(self, case):
        self.down = nn.Conv2d(self.channels, WIDE, 4, stride=2, padding=1)
        self.block1 = Block(WIDE)
        self.widen = nn.Conv2d(WIDE, DEEP, 1, bias=False)
        self.block2 = Block(DEEP)
        self.place = nn.Parameter(torch.zeros(2, 2, DEEP))

    def features(self, x):
        h = self.block2(self.widen(F.avg_pool2d(self.block1(self.down(x)), 2)))
        return (leaky(h).permute(0, 2, 3, 1) * self.place).sum((1, 2))


def learned(module, prefix):
    """The parameters as (name, parameter, permutation to this project's layout), in its order: layer by layer, weight before
    bias, the weights of places before the verdict."""
    for name, layer in module.named_modules():
        if name == "verdict" and hasattr(module, "place"):
            yield f"{prefix}place", module.place, (0, 1, 2)
        weight = getattr(layer, "weight_orig", getattr(layer, "weight", None))
        if weight is not None:
            permutation = (0, 1) if isinstance(layer, nn.Embedding) else {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[weight.dim()]
            yield f"{prefix}{name}.weight", weight, permutation
        if getattr(layer, "bias", None) is not None:
            yield f"{prefix}{name}.bias", layer.bias, (0,)


def slopes(discriminator, x, y):
    x = x.detach().requires_grad_(True)
    gradient, = torch.autograd.grad(discriminator(x, y).sum(), x, create_graph=True)
    return gradient.square().sum((1, 2, 3))


def discriminator_loss(loss, discriminator, real, fake, y, share):
    a, b = discriminator(real, y), discriminator(fake, y)
    if loss == "nonsaturating":
        return F.binary_cross_entropy_with_logits(a, torch.ones_like(a)) + F.binary_cross_entropy_with_logits(b, torch.zeros_like(b))
    if loss == "hinge":
        return torch.clamp(1 - a, min=0).mean() + torch.clamp(1 + b, min=0).mean()
    if loss == "leastsquares":
        return (F.mse_loss(a, torch.ones_like(a)) + F.mse_loss(b, -torch.ones_like(b))) / 2
    if loss == "wasserstein":
        mixed = share * real + (1 - share) * fake
        return b.mean() - a.mean() + 10 * (slopes(discriminator, mixed, y).sqrt() - 1).square().mean()
    penalty = slopes(discriminator, real, y).mean() + slopes(discriminator, fake, y).mean()
    return F.softplus(b - a).mean() + penalty / 2


def generator_loss(loss, discriminator, real, fake, y):
    b = discriminator(fake, y)
    if loss == "nonsaturating":
        return F.binary_cross_entropy_with_logits(b, torch.ones_like(b))
    if loss == "leastsquares":
        return F.mse_loss(b, torch.zeros_like(b)) / 2
    if loss == "relativistic":
        return F.softplus(discriminator(real, y) - b).mean()
    return -b.mean()


def keep_left(discriminator, left):
    """Set the u's of the spectral norms."""
    with torch.no_grad():
        for layer, u in left:
            layer.weight_u.copy_(torch.from_numpy(u))


def make_case(case, real, z, y, share, seed):
    rng = np.random.RandomState(seed)
    generator, discriminator = {
        "dcgan": (DCGANGenerator, DCGANDiscriminator), "resnet": (ResNetGenerator, ResNetDiscriminator),
    }[case["network"]]
    generator, discriminator = generator().double(), discriminator(case).double()
    for module in (generator, discriminator):
        with torch.no_grad():
            for name, p in module.named_parameters():
                fan_in = p[0].numel() if p.dim() > 1 else 4
                limit = np.sqrt(3 / fan_in) * (0.5 if p.dim() == 1 else 1.2)
                around = 1 if "norm" in name and name.endswith("weight") else 0
                p.copy_(torch.from_numpy((around + rng.uniform(-limit, limit, p.shape)).astype(np.float32)))
    left = []
    if case["spectral"]:
        for layer in list(discriminator.modules()):
            if isinstance(layer, (nn.Conv2d, nn.Linear, nn.Embedding)):
                nn.utils.spectral_norm(layer, dim=1 if isinstance(layer, nn.Embedding) else 0)
                u = rng.standard_normal(layer.weight_u.shape).astype(np.float32)
                left.append((layer, u))
    torch_real, torch_z, torch_y = torch.from_numpy(real).double().permute(0, 3, 1, 2), torch.from_numpy(z).double(), torch.from_numpy(y)
    torch_share = torch.from_numpy(share).double()
    joined = torch.cat([torch_z, F.one_hot(torch_y, CLASSES).double()], 1)
    fake = generator(joined)

    def judge(x, y):  # each judgement begins with the same u
        keep_left(discriminator, left)
        return discriminator(x, y)

    judge_loss = discriminator_loss(case["loss"], judge, torch_real, fake.detach(), torch_y, torch_share)
    make_loss = generator_loss(case["loss"], judge, torch_real, fake, torch_y)
    parameters = list(learned(generator, "generator.")) + list(learned(discriminator, "discriminator."))
    gradients = []
    for name, p, permutation in parameters:
        loss = make_loss if name.startswith("generator.") else judge_loss
        gradient, = torch.autograd.grad(loss, p, retain_graph=True)
        gradients.append(golden.encode(gradient.permute(permutation).numpy(), name=name))
    return {
        **case,
        "parameters": [golden.encode(p.detach().permute(permutation).numpy(), name=name) for name, p, permutation in parameters],
        "left": [golden.encode(u) for _, u in left],
        "discriminator": judge_loss.item(), "generator": make_loss.item(), "gradients": gradients,
    }


def make(seed):
    rng = np.random.RandomState(seed)
    real = rng.uniform(-1, 1, (BATCH, 8, 8, 1)).astype(np.float32)
    z = rng.standard_normal((BATCH, LATENT)).astype(np.float32)
    y = rng.randint(0, CLASSES, BATCH).astype(np.int64)
    share = rng.uniform(0, 1, (BATCH, 1, 1, 1)).astype(np.float32)
    cases = [
        {"loss": loss, "network": network, "batch_norm": batch_norm, "project": project, "spectral": spectral}
        for loss, network, batch_norm, project, spectral in [
            ("nonsaturating", "dcgan", True, True, False),
            ("hinge", "dcgan", False, True, True),
            ("leastsquares", "dcgan", True, False, False),
            ("wasserstein", "dcgan", False, False, False),
            ("relativistic", "dcgan", False, True, False),
            ("relativistic", "resnet", False, True, False),
            ("wasserstein", "resnet", False, True, False),
            ("hinge", "resnet", False, False, True),
        ]
    ]
    golden.write("gan.json", {
        "real": golden.encode(real), "z": golden.encode(z), "y": y.tolist(), "share": golden.encode(share),
        "cases": [make_case(case, real, z, y, share, seed + 1 + i) for i, case in enumerate(cases)],
    })


if __name__ == "__main__":
    torch.set_num_threads(1)
    make(seed=31)
