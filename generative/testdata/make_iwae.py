"""Ten training steps of an importance-weighted auto-encoder (Burda et al., 2016) in PyTorch, float32, on one thread of a CPU.

    /usr/bin/python3 make_iwae.py      writes steps_iwae.json

Network, data, layouts, optimiser and fields are those of steps_vae.json (see make_steps.py), but the loss is the mean over the
batch of -log 1/5 sum over 5 draws of p(x, z)/q(z|x), with p(z), p(x|z) and q(z|x) taken from torch.distributions. Noise is
[10,5,8,3], draw by draw.
"""

import math

import numpy as np
import torch
from torch.distributions import Bernoulli, Normal
from torch.nn import functional as F

from make_steps import BATCH, STEPS, VAE, golden

DRAWS = 5


def loss_of(model, x, epsilon):
    h = F.relu(model.encoder["dense1"](x))
    m, sd = model.encoder["mean"](h), torch.exp(model.encoder["logvariance"](h) / 2)
    z = m + sd * epsilon  # [draws, batch, 3]
    logits = model.decoder["dense2"](F.relu(model.decoder["dense1"](z)))
    log_weight = (Bernoulli(logits=logits).log_prob(x.expand_as(logits)).sum(-1)
                  + Normal(0.0, 1.0).log_prob(z).sum(-1) - Normal(m, sd).log_prob(z).sum(-1))
    return -(torch.logsumexp(log_weight, 0) - math.log(DRAWS)).mean()


def main(seed):
    rng = np.random.RandomState(seed)
    prototypes = rng.uniform(0.05, 0.95, (4, 12))
    p = prototypes[rng.randint(0, 4, (STEPS, BATCH))]
    x = (rng.uniform(0, 1, p.shape) < p).astype(np.float32)
    noise = rng.standard_normal((STEPS, DRAWS, BATCH, 3)).astype(np.float32)
    adam = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8}

    def run(dtype):
        model = VAE().to(dtype)
        golden.initialise(model, np.random.RandomState(seed + 1))
        parameters = [golden.encode(array, name=name) for name, array in golden.named_arrays(model)]
        optimiser = torch.optim.Adam(model.parameters(), **adam)
        rows = []
        for x_step, noise_step in zip(x, noise):
            loss = loss_of(model, torch.from_numpy(x_step).to(dtype), torch.from_numpy(noise_step).to(dtype))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rows.append({"loss": loss.item()})
        return parameters, golden.numbers(rows), [golden.checksum(name, array) for name, array in golden.named_arrays(model)]

    parameters, losses, final = run(torch.float32)
    _, losses_float64, _ = run(torch.float64)
    golden.require_stable("steps_iwae", losses, losses_float64, tolerance=1e-5)
    golden.write("steps_iwae.json", {
        "optimiser": {"name": "adam", **adam}, "parameters": parameters,
        "x": golden.encode(x), "noise": golden.encode(noise),
        "losses": losses, "losses_float64": losses_float64, "final": final,
    })


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(seed=31)
