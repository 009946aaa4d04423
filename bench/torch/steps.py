"""PyTorch's side of `go run ./bench`: a contestant that times training steps, answers of networks, and matrix products.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE ATEN_CPU_CAPABILITY=avx512 \\
        MALLOC_TRIM_THRESHOLD_=2000000000 MALLOC_MMAP_THRESHOLD_=2000000000 \\
        /usr/bin/python3 steps.py --threads 1 --workload cnn <<< "5 cnn"

The environment makes PyTorch fast and is the caller's to set: OpenBLAS must choose its own kernels, ATen its AVX-512 ones
(where the machine has them), and malloc must keep large blocks instead of giving them back to the system at every step. The
script itself gives OpenBLAS its number of threads: OpenBLAS does not heed torch.set_num_threads, and would take every core.

It tries each form of the workload for a short while and keeps the fastest: pictures channels-first or channels-last; Adam with
foreach or without; networks that answer as they are, traced and frozen, or optimised for inference. Then it prints a greeting,
and for each line "SECONDS JOB" of its input a timing; at the end its memory. child.go of the bench has the fields. Denormals are
flushed to zero.

A training step takes a batch of random examples, prepared once: forward, loss, backward, Adam, gradients set to None. The batch
is 128 unless stated.

    softmax    784-10, cross-entropy
    mlp        784-512-256-10, ReLU, cross-entropy
    vae        784-400-(20)-400-784, ReLU, Bernoulli output, analytic KL; the noise is drawn in the step
    cnn        28x28x1, convolution 3x3x32, max pool 2, convolution 3x3x64, max pool 2, dense 128, dense 10; ReLU (after the
               pool, which gives the same numbers for less work), padding 1, cross-entropy
    dcgan      generator: dense 100-7x7x128, batch norm, ReLU, transposed convolution 4x4 stride 2 to 14x14x64, batch norm, ReLU,
               transposed convolution 4x4 stride 2 to 28x28x1, tanh; discriminator: convolution 4x4 stride 2 to 14x14x64, leaky
               ReLU, convolution 4x4 stride 2 to 7x7x128, batch norm, leaky ReLU, dense 1. One discriminator step (real and fake
               apart) and one generator step on the same fakes, without gradients for the discriminator's parameters; the
               noise is drawn in the step
    unet       batch 32, 28x28x1: the noise in a picture, mean squared error; residual blocks (group norm, SiLU, convolution
               3x3, twice, the time added between) of 32, 64, 128 channels at 28, 14, 7 pixels, self-attention at 7
    realnvp    batch 512, 64 features: 8 affine couplings 32-256-256-32 with tanh of the scale, exact log-likelihood

An answer needs no gradients; norms use their running statistics.

    latency mlp, latency cnn        logits of one picture
    predict mlp, predict cnn        logits of 128
    generate vae, generate dcgan    128 pictures, the noise drawn anew

    gemm       matrix products: jobs "torch 256x256x256nn" and "numpy 256x256x256nn", m x k x n and which operand is stored
               transposed
"""

import argparse
import gc
import itertools
import json
import math
import os
import re
import statistics
import sys
import time
from types import SimpleNamespace


def read_options():
    parser = argparse.ArgumentParser(description="Times PyTorch for `go run ./bench`.")
    parser.add_argument("--version", action="store_true", help="print PyTorch's version and end")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workload")
    parser.add_argument("--variant", help="only this form of the workload")
    parser.add_argument("--check", help="a file of parameters and inputs: say the losses of the first three steps from them")
    return parser.parse_args()


OPTIONS = read_options()
os.environ["OPENBLAS_NUM_THREADS"] = str(OPTIONS.threads)  # OpenBLAS reads it once, when torch loads it

import numpy  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

BATCH = 128
TRIAL = 0.12  # seconds for each form
CHECKED_STEPS = 3


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


class Step(SimpleNamespace):
    """Something to time: run(); that of a training step returns the loss. Beside it, for checks, its module and inputs by name."""


def training(module, inputs, loss, form):
    optimiser = adam(module, form)

    def step():
        value = loss(inputs)
        value.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return value

    return Step(module=module, inputs=inputs, run=step)


def adam(module, form, **settings):
    return torch.optim.Adam(module.parameters(), foreach=form.foreach, **settings)


def softmax_net(_):
    return nn.Linear(784, 10)


def mlp_net(_):
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(inplace=True), nn.Linear(512, 256), nn.ReLU(inplace=True), nn.Linear(256, 10),
    )


def cnn_net(form):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True),
        ToVectors(form.channels_last), nn.Linear(7 * 7 * 64, 128), nn.ReLU(inplace=True), nn.Linear(128, 10),
    ).to(memory_format=form.memory_format)


def vectors(n, _):
    return torch.rand(n, 784)


def pictures(n, form):
    return torch.rand(n, 1, 28, 28).to(memory_format=form.memory_format)


def classifier(network, examples):
    def build(form):
        net = network(form)
        inputs = {"x": examples(BATCH, form), "y": torch.randint(0, 10, (BATCH,))}
        return training(net, inputs, lambda given: F.cross_entropy(net(given["x"]), given["y"]), form)

    return build


def vae_decoder():
    return nn.Sequential(nn.Linear(20, 400), nn.ReLU(inplace=True), nn.Linear(400, 784))


def vae(form):
    body = nn.Sequential(nn.Linear(784, 400), nn.ReLU(inplace=True))
    heads = nn.Linear(400, 2 * 20)  # mean and log-variance in one product
    decoder = vae_decoder()

    def loss(given):
        x = given["x"]
        mean, log_variance = heads(body(x)).chunk(2, dim=1)
        z = mean + torch.exp(log_variance / 2) * torch.randn(BATCH, 20)
        reconstruction = F.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum")
        kl = (log_variance.exp() + mean.square() - 1 - log_variance).sum() / 2
        return (reconstruction + kl) / BATCH

    return training(nn.ModuleList([body, heads, decoder]), {"x": torch.rand(BATCH, 784).round()}, loss, form)


def dcgan_generator(form):
    return nn.Sequential(
        nn.Linear(100, 7 * 7 * 128, bias=False), ToPictures(form.channels_last, 7, 7, 128),
        nn.BatchNorm2d(128), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1), nn.Tanh(),
    ).to(memory_format=form.memory_format)


def dcgan(form):
    generator = dcgan_generator(form)
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(64, 128, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, inplace=True),
        ToVectors(form.channels_last), nn.Linear(7 * 7 * 128, 1),
    ).to(memory_format=form.memory_format)
    generator_optimiser = adam(generator, form, lr=2e-4, betas=(0.5, 0.999))
    discriminator_optimiser = adam(discriminator, form, lr=2e-4, betas=(0.5, 0.999))
    real = (2 * torch.rand(BATCH, 1, 28, 28) - 1).to(memory_format=form.memory_format)

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

    return Step(run=step)


UNET_BATCH, TIME_INPUT, TIME_WIDTH, GROUPS = 32, 32, 128, 8


class Residual(nn.Module):
    """x + conv(SiLU(norm(conv(SiLU(norm(x))) + time))); the convolution skip makes the channels of x fit."""

    def __init__(self, channels, out):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(GROUPS, channels), nn.Conv2d(channels, out, 3, padding=1)
        self.time = nn.Linear(TIME_WIDTH, out)
        self.norm2, self.conv2 = nn.GroupNorm(GROUPS, out), nn.Conv2d(out, out, 3, padding=1)
        self.skip = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(t)[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class PixelAttention(nn.Module):
    """x + attention(norm(x)) over the pixels, one head."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.query, self.key, self.value, self.out = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x):
        n, channels, height, width = x.shape
        pixels = self.norm(x).flatten(2).transpose(1, 2)
        scores = torch.bmm(self.query(pixels) / math.sqrt(channels), self.key(pixels).transpose(1, 2))
        y = self.out(torch.bmm(torch.softmax(scores, -1), self.value(pixels)))
        return x + y.transpose(1, 2).reshape(n, channels, height, width)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.time1, self.time2 = nn.Linear(TIME_INPUT, TIME_WIDTH), nn.Linear(TIME_WIDTH, TIME_WIDTH)
        self.first = nn.Conv2d(1, 32, 3, padding=1)
        self.fine, self.down1 = Residual(32, 32), nn.Conv2d(32, 32, 3, stride=2, padding=1)
        self.middle, self.down2 = Residual(32, 64), nn.Conv2d(64, 64, 3, stride=2, padding=1)
        self.coarse, self.look, self.coarse2 = Residual(64, 128), PixelAttention(128), Residual(128, 128)
        self.middle_up, self.fine_up = Residual(128 + 64, 64), Residual(64 + 32, 32)
        self.norm, self.last = nn.GroupNorm(GROUPS, 32), nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, x, t):
        t = F.silu(self.time2(F.silu(self.time1(t))))
        fine = self.fine(self.first(x), t)
        middle = self.middle(self.down1(fine), t)
        h = self.coarse(self.down2(middle), t)
        h = self.coarse2(self.look(h), t)
        h = self.middle_up(torch.cat([F.interpolate(h, scale_factor=2), middle], 1), t)
        h = self.fine_up(torch.cat([F.interpolate(h, scale_factor=2), fine], 1), t)
        return self.last(F.silu(self.norm(h)))


def unet(form):
    net = UNet().to(memory_format=form.memory_format)
    inputs = {
        "x": pictures(UNET_BATCH, form), "noise": pictures(UNET_BATCH, form), "time": torch.rand(UNET_BATCH, TIME_INPUT),
    }
    return training(net, inputs, lambda given: F.mse_loss(net(given["x"], given["time"]), given["noise"]), form)


FLOW_BATCH, FLOW_FEATURES, FLOW_LAYERS, FLOW_WIDTH = 512, 64, 8, 256


class Coupling(nn.Module):
    def __init__(self):
        super().__init__()
        half = FLOW_FEATURES // 2
        self.h1, self.h2 = nn.Linear(half, FLOW_WIDTH), nn.Linear(FLOW_WIDTH, FLOW_WIDTH)
        self.scale, self.shift = nn.Linear(FLOW_WIDTH, half), nn.Linear(FLOW_WIDTH, half)

    def forward(self, a, b):
        h = F.relu(self.h2(F.relu(self.h1(a), inplace=True)), inplace=True)
        s = torch.tanh(self.scale(h))
        return torch.addcmul(self.shift(h), b, torch.exp(s)), s.sum(1)


def realnvp(form):
    layers = nn.ModuleList(Coupling() for _ in range(FLOW_LAYERS))

    def loss(given):
        a, b = given["x"].chunk(2, dim=1)
        total = -FLOW_FEATURES / 2 * math.log(2 * math.pi)
        for layer in layers:
            moved, log_determinant = layer(a, b)
            a, b = moved, a
            total = total + log_determinant
        return -(total - (a.square().sum(1) + b.square().sum(1)) / 2).mean()

    return training(layers, {"x": torch.rand(FLOW_BATCH, FLOW_FEATURES)}, loss, form)


def answer(network, example, noise=False):
    """Runs a network on a fixed input or, with noise, on a new one like it each time. Wants inference mode around it."""

    def build(form):
        net, x = network(form).eval(), example(form)
        if form.compiled != "plain":
            net = torch.jit.freeze(torch.jit.trace(net, x))
        if form.compiled == "optimised":
            net = torch.jit.optimize_for_inference(net)

        if noise:
            return Step(run=lambda: net(torch.randn(x.shape)))
        return Step(run=lambda: net(x))

    return build


def predict(network, examples, n):
    return answer(network, lambda form: examples(n, form))


LAYOUTS = ["contiguous", "channels_last"]
TRAINED = {
    "softmax": (classifier(softmax_net, vectors), LAYOUTS[:1]),
    "mlp": (classifier(mlp_net, vectors), LAYOUTS[:1]),
    "vae": (vae, LAYOUTS[:1]),
    "cnn": (classifier(cnn_net, pictures), LAYOUTS),
    "dcgan": (dcgan, LAYOUTS),
    "unet": (unet, LAYOUTS),
    "realnvp": (realnvp, LAYOUTS[:1]),
}
ANSWERS = {
    "latency mlp": (predict(mlp_net, vectors, 1), LAYOUTS[:1]),
    "latency cnn": (predict(cnn_net, pictures, 1), LAYOUTS),
    "predict mlp": (predict(mlp_net, vectors, BATCH), LAYOUTS[:1]),
    "predict cnn": (predict(cnn_net, pictures, BATCH), LAYOUTS),
    "generate vae": (
        answer(lambda _: nn.Sequential(vae_decoder(), nn.Sigmoid()), lambda _: torch.randn(BATCH, 20), noise=True), LAYOUTS[:1]),
    "generate dcgan": (answer(dcgan_generator, lambda _: torch.randn(BATCH, 100), noise=True), LAYOUTS),
}


def make_form(layout, foreach=False, compiled="plain"):
    last = layout == "channels_last"
    return SimpleNamespace(
        channels_last=last, memory_format=torch.channels_last if last else torch.contiguous_format,
        foreach=foreach, compiled=compiled,
    )


def variants(workload):
    """The forms of a workload by name, each a function that builds it."""
    build, layouts = TRAINED[workload] if workload in TRAINED else ANSWERS[workload]
    forms = {}
    for layout in layouts:
        words = [layout.replace("_", "-")] if len(layouts) > 1 else []
        if workload in TRAINED:
            for foreach in (False, True):
                name = ", ".join([*words, "foreach Adam" if foreach else "plain Adam"])
                forms[name] = (build, make_form(layout, foreach=foreach))
        else:
            for compiled in ("plain", "frozen", "optimised"):
                forms[", ".join([*words, compiled])] = (build, make_form(layout, compiled=compiled))
    return {name: lambda build=build, form=form: build(form) for name, (build, form) in forms.items()}


def time_steps(step, seconds):
    """Milliseconds of single steps, for about the given time and at least one, after a short warm-up."""

    def timed():
        start = time.perf_counter()
        step()
        return 1e3 * (time.perf_counter() - start)

    spent = 0
    for n in itertools.count():
        if n > 0 and (n >= 5 or spent >= 200 * seconds):
            break
        spent += timed()
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        times.append(timed())
    return times


def fastest(forms):
    """The name of the form that is fastest in a short trial, and its step."""
    best = None
    for name, build in forms.items():
        step = build().run
        if name.endswith(("frozen", "optimised")):
            for _ in range(3):  # slow: they show what the network is compiled for
                step()
        median = statistics.median(time_steps(step, TRIAL)) if len(forms) > 1 else 0
        if best is None or median < best[0]:
            best = median, name, step
    return best[1:]


def checked_losses(workload, path):
    """The losses of the first steps from the parameters and on the inputs of a file that the bench wrote."""
    with open(path, "rb") as file:
        header = json.loads(file.readline())
        data = file.read()
    offset = 0

    def read(entry):
        nonlocal offset
        count = math.prod(entry["dims"])
        array = numpy.frombuffer(data, entry["dtype"], count, offset).reshape(entry["dims"])
        offset += 4 * count
        return torch.from_numpy(array.copy())

    job = TRAINED[workload][0](make_form("channels_last"))
    own = list(job.module.parameters())
    assert len(own) == len(header["parameters"]), "the networks differ"
    with torch.no_grad():
        for parameter, entry in zip(own, header["parameters"]):
            value = read(entry)
            # The bench has dense weights as [in, out] and convolutions as [height, width, in, out].
            value = {1: lambda v: v, 2: lambda v: v.t(), 4: lambda v: v.permute(3, 2, 0, 1)}[value.dim()](value)
            assert parameter.shape == value.shape, f"{entry['name']}: {tuple(parameter.shape)}, expected {tuple(value.shape)}"
            parameter.copy_(value)
    for entry in header["inputs"]:
        value = read(entry)
        if value.dim() == 4:
            value = value.permute(0, 3, 1, 2)
        job.inputs[entry["name"]] = value.long() if entry["dtype"] == "int32" else value
    return [job.run().item() for _ in range(CHECKED_STEPS)]


def product(job):
    """A matrix product in torch or numpy; the job says "torch 256x256x256nt"."""
    library, shape = job.split(" ")
    m, k, n, a, b = re.fullmatch(r"(\d+)x(\d+)x(\d+)([nt])([nt])", shape).groups()
    m, k, n = int(m), int(k), int(n)
    x = torch.rand(m, k) if a == "n" else torch.rand(k, m).t()
    y = torch.rand(k, n) if b == "n" else torch.rand(n, k).t()
    out = torch.empty(m, n)
    if library == "torch":
        return lambda: torch.mm(x, y, out=out)
    x, y, out = x.numpy(), y.numpy(), out.numpy()
    return lambda: numpy.matmul(x, y, out=out)


def resident_kb(what):
    """A figure of this process's memory. getrusage is no substitute: across exec, Linux hands on the parent's peak."""
    with open("/proc/self/status") as status:
        return int(re.search(rf"{what}:\s*(\d+) kB", status.read())[1])


def main(options):
    start = resident_kb("VmRSS")
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    gc.disable()
    with torch.inference_mode(options.workload in ANSWERS):
        serve(options)
    print(json.dumps({"start_kb": start, "peak_kb": resident_kb("VmHWM")}), flush=True)


def serve(options):
    greeting, job_named = {}, product
    if options.workload != "gemm":
        if options.check:
            greeting["losses"] = checked_losses(options.workload, options.check)
        forms = variants(options.workload)
        if options.variant:
            forms = {options.variant: forms[options.variant]}
        greeting["variant"], step = fastest(forms)
        job_named = lambda _: step  # noqa: E731
    print(json.dumps(greeting), flush=True)
    for line in sys.stdin:
        seconds, job = line.rstrip("\n").split(" ", 1)
        times = time_steps(job_named(job), float(seconds))
        print(json.dumps({"median_ms": statistics.median(times)}), flush=True)


if __name__ == "__main__":
    if OPTIONS.version:
        print(torch.__version__)
    else:
        main(OPTIONS)
