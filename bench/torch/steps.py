"""Training steps of PyTorch, timed: the peer of this project's own step benchmark.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE ATEN_CPU_CAPABILITY=avx512 \\
        MALLOC_TRIM_THRESHOLD_=2000000000 MALLOC_MMAP_THRESHOLD_=2000000000 \\
        /usr/bin/python3 steps.py --threads 1 --workload cnn --seconds 5 --layout channels_last

The environment makes PyTorch fast and is the caller's to set: OpenBLAS must choose its own kernels, ATen its AVX-512 ones
(where the machine has them), and malloc must keep large blocks instead of giving them back to the system at every step. The
script itself gives OpenBLAS its number of threads: OpenBLAS does not heed torch.set_num_threads, and would take every core.

Each workload takes a batch of 128 random examples, prepared once, and runs whole training steps on it: forward, loss, backward,
Adam, gradients set to None. Adam runs with foreach or without, whichever is faster in a short trial. Denormals are flushed to
zero.

    softmax    784-10, cross-entropy
    mlp        784-512-256-10, ReLU, cross-entropy
    vae        784-400-(20)-400-784, ReLU, Bernoulli output, analytic KL; the noise is drawn in the step
    cnn        28x28x1, convolution 3x3x32, max pool 2, convolution 3x3x64, max pool 2, dense 128, dense 10; ReLU (after the
               pool, which gives the same numbers for less work), padding 1, cross-entropy
    dcgan      generator: dense 100-7x7x128, batch norm, ReLU, transposed convolution 4x4 stride 2 to 14x14x64, batch norm, ReLU,
               transposed convolution 4x4 stride 2 to 28x28x1, tanh; discriminator: convolution 4x4 stride 2 to 14x14x64, leaky
               ReLU, convolution 4x4 stride 2 to 7x7x128, batch norm, leaky ReLU, dense 1. One discriminator step (real and fake
               apart) and one generator step on the same fakes, without gradients for the discriminator's parameters; the
               noise is drawn in the step. --no-batch-norm leaves the batch norms out.

Prints one JSON line for each workload: workload, threads, layout, batch_norm (dcgan only), adam (loop or foreach), median_ms,
min_ms, n (steps timed).
"""

import argparse
import gc
import json
import os
import statistics
import time


def read_options():
    parser = argparse.ArgumentParser(description="Times training steps of PyTorch; one JSON line for each workload.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workload", choices=["all", "softmax", "mlp", "vae", "cnn", "dcgan"], default="all")
    parser.add_argument("--seconds", type=float, default=5, help="for each workload (default %(default)s)")
    parser.add_argument("--layout", choices=["contiguous", "channels_last"], default="contiguous")
    parser.add_argument("--no-batch-norm", dest="batch_norm", action="store_false", help="dcgan without batch norms")
    return parser.parse_args()


OPTIONS = read_options()
os.environ["OPENBLAS_NUM_THREADS"] = str(OPTIONS.threads)  # OpenBLAS reads it once, when torch loads it

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

BATCH = 128
WARM_UP = 5  # steps before any timing


class ToVectors(nn.Module):
    """Flattens pictures in the order that they have in memory, which costs nothing."""

    def __init__(self, channels_last):
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x):
        return (x.permute(0, 2, 3, 1) if self.channels_last else x).flatten(1)


class ToPictures(nn.Module):
    """The reverse of ToVectors."""

    def __init__(self, channels_last, height, width, channels):
        super().__init__()
        self.channels_last, self.shape = channels_last, (height, width, channels)

    def forward(self, x):
        height, width, channels = self.shape
        if self.channels_last:
            return x.view(-1, height, width, channels).permute(0, 3, 1, 2)
        return x.view(-1, channels, height, width)


def softmax(options):
    return classifier(nn.Linear(784, 10), torch.rand(BATCH, 784), options)


def mlp(options):
    net = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(inplace=True), nn.Linear(512, 256), nn.ReLU(inplace=True), nn.Linear(256, 10),
    )
    return classifier(net, torch.rand(BATCH, 784), options)


def cnn(options):
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True),
        ToVectors(options.channels_last), nn.Linear(7 * 7 * 64, 128), nn.ReLU(inplace=True), nn.Linear(128, 10),
    )
    net = net.to(memory_format=options.memory_format)
    return classifier(net, torch.rand(BATCH, 1, 28, 28).to(memory_format=options.memory_format), options)


def classifier(net, x, options):
    labels = torch.randint(0, 10, (BATCH,))
    optimiser = adam(net, options)

    def step():
        F.cross_entropy(net(x), labels).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def vae(options):
    body = nn.Sequential(nn.Linear(784, 400), nn.ReLU(inplace=True))
    heads = nn.Linear(400, 2 * 20)  # mean and log-variance in one product
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(inplace=True), nn.Linear(400, 784))
    optimiser = adam(nn.ModuleList([body, heads, decoder]), options)
    x = torch.rand(BATCH, 784).round()

    def step():
        mean, log_variance = heads(body(x)).chunk(2, dim=1)
        z = mean + torch.exp(log_variance / 2) * torch.randn(BATCH, 20)
        reconstruction = F.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum")
        kl = (log_variance.exp() + mean.square() - 1 - log_variance).sum() / 2
        ((reconstruction + kl) / BATCH).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def dcgan(options):
    def norm(channels):
        return [nn.BatchNorm2d(channels)] if options.batch_norm else []

    bias = not options.batch_norm
    generator = nn.Sequential(
        nn.Linear(100, 7 * 7 * 128, bias=bias), ToPictures(options.channels_last, 7, 7, 128), *norm(128), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1, bias=bias), *norm(64), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1), nn.Tanh(),
    ).to(memory_format=options.memory_format)
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(64, 128, 4, stride=2, padding=1, bias=bias), *norm(128), nn.LeakyReLU(0.2, inplace=True),
        ToVectors(options.channels_last), nn.Linear(7 * 7 * 128, 1),
    ).to(memory_format=options.memory_format)
    generator_optimiser = adam(generator, options, lr=2e-4, betas=(0.5, 0.999))
    discriminator_optimiser = adam(discriminator, options, lr=2e-4, betas=(0.5, 0.999))
    real = (2 * torch.rand(BATCH, 1, 28, 28) - 1).to(memory_format=options.memory_format)

    def step():
        fake = generator(torch.randn(BATCH, 100))
        discriminator.requires_grad_(True)
        (F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()).backward()
        discriminator_optimiser.step()
        discriminator_optimiser.zero_grad(set_to_none=True)

        discriminator.requires_grad_(False)
        F.softplus(-discriminator(fake)).mean().backward()
        generator_optimiser.step()
        generator_optimiser.zero_grad(set_to_none=True)

    return step


def adam(module, options, **settings):
    return torch.optim.Adam(module.parameters(), foreach=options.foreach, **settings)


WORKLOADS = {"softmax": softmax, "mlp": mlp, "vae": vae, "cnn": cnn, "dcgan": dcgan}


def time_steps(step, seconds):
    """Milliseconds of single steps, for about the given time and at least 3 steps."""
    for _ in range(WARM_UP):
        step()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def measure(name, options):
    """The figures of one workload; a fifth of the time goes to choosing the form of Adam."""
    steps, trials = {}, {}
    for foreach in (False, True):
        options.foreach = foreach
        steps[foreach] = WORKLOADS[name](options)
        trials[foreach] = statistics.median(time_steps(steps[foreach], options.seconds / 10))
    foreach = min(trials, key=trials.get)
    times = time_steps(steps[foreach], options.seconds * 0.8)
    return {
        "workload": name, "threads": options.threads, "layout": options.layout,
        **({"batch_norm": options.batch_norm} if name == "dcgan" else {}),
        "adam": "foreach" if foreach else "loop",
        "median_ms": round(statistics.median(times), 4), "min_ms": round(min(times), 4), "n": len(times),
    }


def main(options):
    options.channels_last = options.layout == "channels_last"
    options.memory_format = torch.channels_last if options.channels_last else torch.contiguous_format
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    gc.disable()
    for name in WORKLOADS if options.workload == "all" else [options.workload]:
        print(json.dumps(measure(name, options)), flush=True)


if __name__ == "__main__":
    main(OPTIONS)
