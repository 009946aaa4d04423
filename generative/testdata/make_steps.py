"""Ten training steps of two generative models in PyTorch, float32, on one thread of a CPU.

    /usr/bin/python3 make_steps.py      writes steps_vae.json, steps_gan.json

Layouts, the encoding of arrays and the initial values are those of ../../discriminative/testdata/golden.py. Batches are of 8.
Losses are in nats, taken before the step that they cause. The optimiser is Adam with eps 1e-8 added after the square root of
the bias-corrected second moment.

steps_vae.json: a variational auto-encoder of 12 bits with 3 latent variables. Encoder: dense 10, ReLU, then two dense heads,
the mean m and the log-variance v. Decoder, from z = m + exp(v/2) epsilon: dense 10, ReLU, dense 12, the logits. The loss is
the mean over the batch of

    sum over bits of -log Bernoulli(x; logits)  +  sum over latents of (exp(v) + m^2 - 1 - v) / 2.

    encoder.dense1.weight [12,10]    encoder.dense1.bias [10]
    encoder.mean.weight [10,3]       encoder.mean.bias [3]
    encoder.logvariance.weight [10,3]    encoder.logvariance.bias [3]
    decoder.dense1.weight [3,10]     decoder.dense1.bias [10]
    decoder.dense2.weight [10,12]    decoder.dense2.bias [12]

    Fields: x [10,8,12], noise [10,8,3] (epsilon), losses.loss, and its two parts losses.reconstruction and losses.kl.

steps_gan.json: a DCGAN of 8x8x1 pictures with 4 latent variables. Generator: dense to 2x2x6 (in the order height, width,
channel), batch norm, ReLU, transposed convolution 4x4 stride 2 padding 1 to 4x4x4, batch norm, ReLU, transposed convolution 4x4
stride 2 padding 1 to 8x8x1, tanh. Discriminator: convolution 4x4 stride 2 padding 1 to 4x4x4, leaky ReLU (slope 0.2),
convolution 4x4 stride 2 padding 1 to 2x2x6, batch norm, leaky ReLU, flattened in the order height, width, channel, dense to 1
logit, D. Batch norms are over batch, height and width (eps 1e-5, momentum 0.1), as in steps_cnn_batchnorm.json; both networks
are in training mode throughout. With s(a) = log(1 + exp(a)), one step is

    1. fake = G(z)
    2. the discriminator's step on mean s(-D(real)) + mean s(D(fake)): real and fake pass through D apart, each with its own
       batch statistics; fake is a constant
    3. the generator's step on mean s(-D(fake)), with the discriminator that step 2 made and the same z, so the same fake.

    generator.dense1.weight [4,24]           generator.norm1.scale [6]      generator.norm1.shift [6]
    generator.transposed1.weight [4,4,4,6]   generator.norm2.scale [4]      generator.norm2.shift [4]
    generator.transposed2.weight [4,4,1,4]   generator.transposed2.bias [1]
    discriminator.conv1.weight [4,4,1,4]     discriminator.conv1.bias [4]
    discriminator.conv2.weight [4,4,4,6]     discriminator.norm1.scale [6]  discriminator.norm1.shift [6]
    discriminator.dense1.weight [24,1]       discriminator.dense1.bias [1]

    A layer before a batch norm has no bias: its gradient would be rounding error alone. Fields: real [10,8,8,8,1] in [-1,1],
    z [10,8,4], losses.discriminator, losses.generator. The generator's running statistics move once a step.

Both files: optimiser; parameters (a list, in the order above); losses_float64, the same run in float64; final, the sum and the
sum of squares of every parameter and of the generator's running statistics after the tenth step.
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

STEPS, BATCH = 10, 8


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({
            "dense1": nn.Linear(12, 10), "mean": nn.Linear(10, 3), "logvariance": nn.Linear(10, 3),
        })
        self.decoder = nn.ModuleDict({"dense1": nn.Linear(3, 10), "dense2": nn.Linear(10, 12)})

    def forward(self, x, epsilon):
        """Reconstruction loss and KL divergence, each the mean over the batch."""
        h = F.relu(self.encoder["dense1"](x))
        m, v = self.encoder["mean"](h), self.encoder["logvariance"](h)
        z = m + torch.exp(v / 2) * epsilon
        logits = self.decoder["dense2"](F.relu(self.decoder["dense1"](z)))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
        kl = ((v.exp() + m * m - 1 - v) / 2).sum(1).mean()
        return reconstruction, kl


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(4, 2 * 2 * 6, bias=False)
        self.norm1 = nn.BatchNorm2d(6)
        self.transposed1 = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(4)
        self.transposed2 = nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1)

    def forward(self, z):
        h = self.dense1(z).unflatten(1, (2, 2, 6)).permute(0, 3, 1, 2)
        h = F.relu(self.norm1(h))
        h = F.relu(self.norm2(self.transposed1(h)))
        return torch.tanh(self.transposed2(h)).permute(0, 2, 3, 1)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(4, 6, 4, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(6)
        self.dense1 = nn.Linear(2 * 2 * 6, 1)

    def forward(self, x):  # x is [n, height, width, channels]
        h = F.leaky_relu(self.conv1(x.permute(0, 3, 1, 2)), 0.2)
        h = F.leaky_relu(self.norm1(self.conv2(h)), 0.2)
        return self.dense1(h.permute(0, 2, 3, 1).flatten(1))[:, 0]


def train_vae(model, x, noise, dtype, adam):
    optimiser = torch.optim.Adam(model.parameters(), **adam)
    rows = []
    for x_step, noise_step in zip(x, noise):
        reconstruction, kl = model(torch.from_numpy(x_step).to(dtype), torch.from_numpy(noise_step).to(dtype))
        loss = reconstruction + kl
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rows.append({"loss": loss.item(), "reconstruction": reconstruction.item(), "kl": kl.item()})
    return golden.numbers(rows)


def train_gan(generator, discriminator, real, z, dtype, adam):
    generator_optimiser = torch.optim.Adam(generator.parameters(), **adam)
    discriminator_optimiser = torch.optim.Adam(discriminator.parameters(), **adam)
    rows = []
    for real_step, z_step in zip(real, z):
        fake = generator(torch.from_numpy(z_step).to(dtype))

        on_real = discriminator(torch.from_numpy(real_step).to(dtype))
        on_fake = discriminator(fake.detach())
        discriminator_loss = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        discriminator_optimiser.zero_grad()
        discriminator_loss.backward()
        discriminator_optimiser.step()

        generator_loss = F.softplus(-discriminator(fake)).mean()
        generator_optimiser.zero_grad()
        generator_loss.backward()
        generator_optimiser.step()
        rows.append({"discriminator": discriminator_loss.item(), "generator": generator_loss.item()})
    return golden.numbers(rows)


def make_vae(seed):
    rng = np.random.RandomState(seed)
    prototypes = rng.uniform(0.05, 0.95, (4, 12))  # a mixture of four products of Bernoullis
    p = prototypes[rng.randint(0, 4, (STEPS, BATCH))]
    x = (rng.uniform(0, 1, p.shape) < p).astype(np.float32)
    noise = rng.standard_normal((STEPS, BATCH, 3)).astype(np.float32)
    adam = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8}

    def run(dtype):
        model = VAE().to(dtype)
        golden.initialise(model, np.random.RandomState(seed + 1))
        parameters = [golden.encode(array, name=name) for name, array in golden.named_arrays(model)]
        losses = train_vae(model, x, noise, dtype, adam)
        return parameters, losses, [golden.checksum(name, array) for name, array in golden.named_arrays(model)]

    parameters, losses, final = run(torch.float32)
    _, losses_float64, _ = run(torch.float64)
    golden.require_stable("steps_vae", losses, losses_float64, tolerance=1e-5)
    golden.write("steps_vae.json", {
        "optimiser": {"name": "adam", **adam}, "parameters": parameters,
        "x": golden.encode(x), "noise": golden.encode(noise),
        "losses": losses, "losses_float64": losses_float64, "final": final,
    })


def make_gan(seed):
    rng = np.random.RandomState(seed)
    # Bright bars of two columns at a random place, over dark noise.
    place = rng.randint(0, 7, (STEPS, BATCH, 1, 1, 1))
    column = np.arange(8).reshape(8, 1)
    bar = (column == place) | (column == place + 1)
    real = (np.where(bar, 0.8, -0.8) + rng.uniform(-0.2, 0.2, (STEPS, BATCH, 8, 8, 1))).astype(np.float32)
    z = rng.standard_normal((STEPS, BATCH, 4)).astype(np.float32)
    adam = {"lr": 2e-3, "betas": (0.5, 0.999), "eps": 1e-8}

    def run(dtype):
        generator, discriminator = Generator().to(dtype), Discriminator().to(dtype)
        golden.initialise(generator, np.random.RandomState(seed + 1))
        golden.initialise(discriminator, np.random.RandomState(seed + 2))

        def arrays():
            yield from golden.named_arrays(generator, "generator.")
            yield from golden.named_arrays(discriminator, "discriminator.")

        parameters = [golden.encode(array, name=name) for name, array in arrays()]
        losses = train_gan(generator, discriminator, real, z, dtype, adam)
        final = list(arrays()) + list(golden.named_statistics(generator, "generator."))
        return parameters, losses, [golden.checksum(name, array) for name, array in final]

    parameters, losses, final = run(torch.float32)
    _, losses_float64, _ = run(torch.float64)
    golden.require_stable("steps_gan", losses, losses_float64, tolerance=1e-5)
    golden.write("steps_gan.json", {
        "optimiser": {"name": "adam", **adam}, "parameters": parameters,
        "real": golden.encode(real), "z": golden.encode(z),
        "losses": losses, "losses_float64": losses_float64, "final": final,
    })


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_vae(seed=11)
    make_gan(seed=21)
