#!/usr/bin/env python3
"""autograd.py LIBCLKL DATA [device]: gradients of the reference against those of PyTorch, in double
precision, on random numbers and on the latents of DATA; or, with the word `device`, those of training
recipes alone, computed by the engine on an OpenCL device. Exit status 77: no PyTorch.

Losses are written as PyTorch users write them, with torch.distributions and with the formulas of the
papers that they are from.
"""
import itertools
import pathlib
import sys

try:
    import numpy as np
    import torch
    from torch.distributions import Normal, kl_divergence
except ImportError:
    sys.exit(77)

import clkl_reference as clkl
from clkl_reference import Library, Side

on_device = sys.argv[3:] == ["device"]
library = Library(sys.argv[1], "" if on_device else None)
data = pathlib.Path(sys.argv[2])
torch.set_num_threads(1)
checked = 0

STD_OF = {
    clkl.MEAN_LOGVAR: lambda scale: torch.exp(0.5 * scale),
    clkl.MEAN_LOGSTD: torch.exp,
    clkl.MEAN_VAR: torch.sqrt,
    clkl.MEAN_STD: lambda scale: scale,
}


# ---- PyTorch's side ----

class Leaf:
    """One of the two Gaussians, as tensors that gather gradients."""

    def __init__(self, side, clamp=None):
        self.form, self.arrays = side.form, {}
        if side.mean is not None:
            self.arrays["mean"] = self.tensor(side.mean)
        if side.scale is not None:
            self.arrays["scale"] = self.tensor(side.scale)
        self.clamp = clamp

    @staticmethod
    def tensor(array):
        if array.dtype == np.uint16:  # bf16
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return torch.tensor(array.astype(np.float64), requires_grad=True)

    def normal(self, detach=False):
        if self.form == clkl.STANDARD_NORMAL:
            return Normal(torch.zeros((), dtype=torch.float64), 1.0)
        arrays = [a.detach() if detach else a for a in self.arrays.values()]
        if self.form == clkl.MOMENTS:
            mean, scale = torch.chunk(arrays[0], 2, dim=1)
        else:
            mean, scale = arrays
        form = clkl.MEAN_LOGVAR if self.form == clkl.MOMENTS else self.form
        if self.clamp is not None and form == clkl.MEAN_LOGVAR:
            scale = torch.clamp(scale, *self.clamp)
        return Normal(mean, STD_OF[form](scale), validate_args=False)


def elements(p, q, weights=None):
    kl = kl_divergence(p, q)
    if weights is None:
        return kl
    weights = torch.tensor(weights)
    return torch.where(weights != 0, kl, torch.zeros_like(kl)) * weights


def reduced(kl, keep, batch_sum=False):
    """The values of a result."""
    axes = [axis for axis in range(kl.dim()) if not keep >> axis & 1]
    total = kl.sum(axes) if axes else kl
    return total if keep & 1 or batch_sum else total / kl.shape[0]


# ---- Comparison ----

def expect_close(what, found, expected):
    global checked
    expected = np.asarray(expected)
    bound = 1e-11 * np.abs(expected) + 1e-12 * max(1.0, np.abs(expected).max())
    worst = np.abs(found - expected) - bound
    if found.shape != expected.shape or not (worst <= 0).all():
        at = np.unravel_index(np.nanargmax(worst), worst.shape) if worst.ndim else ()
        sys.exit(f"{what}: {found[at]!r}, not {expected[at]!r} at {at}")
    checked += found.size


def empty_gradients(p, q):
    sides = (("p", p), ("q", q))
    return {f"{name}_{array}": np.full(getattr(side, array).shape, np.nan)
            for name, side in sides for array in ("mean", "scale")
            if getattr(side, array) is not None}


def expect_gradients(what, gradients, leaves):
    for name, found in gradients.items():
        tensor = leaves[name[0]].arrays[name[2:]]
        grad = tensor.grad if tensor.grad is not None else torch.zeros_like(tensor)
        expect_close(f"{what}: {name}", found, grad.numpy())


def compare(what, p, q=Side(), seed=1, **options):
    """Values and gradients, for a random upstream gradient."""
    shape = np.broadcast_shapes(*(shape_of(side) for side in (p, q)))
    keep, batch_sum = options.get("keep", 1), options.get("batch_sum", False)
    leaves = {"p": Leaf(p, options.get("clamp")), "q": Leaf(q, options.get("clamp"))}
    weights = broadcast_weights(options, shape)
    kl = elements(leaves["p"].normal(), leaves["q"].normal(), weights).broadcast_to(shape)
    values = reduced(kl, keep, batch_sum)
    upstream = np.random.default_rng(seed).normal(size=values.shape)
    (values * torch.tensor(upstream)).sum().backward()
    expect_close(what, library.call(shape, p, q, **options), values.detach().numpy())
    gradients = empty_gradients(p, q)
    library.call(shape, p, q, gradients=gradients, upstream=upstream, **options)
    expect_gradients(what, gradients, leaves)


def shape_of(side):
    if side.mean is None:
        return ()
    shape = list(side.mean.shape)
    if side.form == clkl.MOMENTS:
        shape[1] //= 2
    return tuple(shape)


def broadcast_weights(options, shape):
    """Lengths as the mask that they stand for."""
    weights = options.get("weights")
    if weights is None or weights.dtype != np.uint32:
        return None if weights is None else weights.astype(np.float64)
    axis = options.get("length_axis") or 1
    index = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return (index < weights.reshape([-1] + [1] * (len(shape) - 1))).astype(np.float64)


# ---- Random numbers ----

rng = np.random.default_rng(7)


def drawn(form, shape):
    """A side whose scale is as the form has it."""
    if form == clkl.STANDARD_NORMAL:
        return Side()
    mean, logvar = rng.normal(size=shape), rng.normal(size=shape)
    if form == clkl.MOMENTS:
        return Side(form, np.concatenate([mean, logvar], axis=1))
    scale = {clkl.MEAN_LOGVAR: logvar, clkl.MEAN_LOGSTD: 0.5 * logvar,
             clkl.MEAN_VAR: np.exp(logvar), clkl.MEAN_STD: np.exp(0.5 * logvar)}[form]
    return Side(form, mean, scale)


def check_forms():
    forms = range(clkl.DETERMINISTIC)
    for p, q in itertools.product(forms, forms):
        if (p, q) != (clkl.STANDARD_NORMAL, clkl.STANDARD_NORMAL):
            compare(f"forms {p} and {q}", drawn(p, (3, 4, 5)), drawn(q, (3, 4, 5)))
            compare(f"forms {p} and {q}, shared", drawn(p, (3, 4, 5)), drawn(q, (1, 4, 5)))


# ---- Real latents ----

photo = np.load(data / "photo_vae_moments.npy")[:64]
digits = np.load(data / "digits_vae_moments.npy")[:256]
latents = {"photo": photo, "digits": digits}


def split(moments):
    mean, logvar = np.split(moments, 2, axis=1)
    return np.ascontiguousarray(mean), np.ascontiguousarray(logvar)


def check_latents():
    for (name, moments), keep in itertools.product(latents.items(), (1, 2, 3, clkl.KEEP_NONE)):
        packed = Side(clkl.MOMENTS, moments)
        for clamp in (None, (-30.0, 20.0), (-3.0, -0.5)):
            compare(f"{name}, keep {keep:#x}, clamp {clamp}", packed, keep=keep, clamp=clamp)
        compare(f"{name}, summed", packed, keep=keep, batch_sum=True)
        compare(f"{name}, one of them as prior", packed, Side(clkl.MOMENTS, moments[5:6].copy()),
                keep=keep)
        compare(f"{name}, as prior", Side(clkl.MOMENTS, np.roll(moments, 1, axis=0)), packed,
                keep=keep)


def check_priors():
    """A prior for each channel, and one for all."""
    mean, logvar = split(photo)
    for shape in ((1, 4, 1, 1), (1, 1, 1, 1), (1, 1, 4, 4), (64, 1, 1, 1)):
        for form in (clkl.MEAN_LOGVAR, clkl.MEAN_LOGSTD, clkl.MEAN_VAR, clkl.MEAN_STD):
            compare(f"a prior of shape {shape}", Side(clkl.MEAN_LOGVAR, mean, logvar),
                    drawn(form, shape), keep=rng.choice([1, 2, 3, 12]))
    packed = np.concatenate([np.zeros((1, 4, 1, 1)), np.ones((1, 4, 1, 1))], axis=1)
    compare("a packed prior for each channel", Side(clkl.MOMENTS, photo),
            Side(clkl.MOMENTS, packed))


def check_weights():
    packed = Side(clkl.MOMENTS, photo)
    prior = drawn(clkl.MEAN_STD, (1, 4, 4, 4))
    for shape in ((64, 4, 4, 4), (64, 1, 1, 1), (1, 4, 1, 1), (1, 1, 4, 4)):
        mask = rng.integers(0, 2, shape, np.uint8)
        for weights in (mask, mask * rng.uniform(0.1, 2.0, shape),
                        (mask * rng.uniform(0.1, 2.0, shape)).astype(np.float16)):
            compare(f"weights of {weights.dtype} and shape {shape}", packed, prior,
                    weights=weights, keep=rng.choice([1, 2, 12, clkl.KEEP_NONE]))
    for axis in (1, 2, 3):
        lengths = rng.integers(0, 6, 64, np.uint32)
        compare(f"lengths of axis {axis}", packed, prior, weights=lengths, length_axis=axis)


def check_types():
    """Storage of 16 bits, which PyTorch reads into doubles."""
    mean, logvar = split(photo)
    to_bf16 = lambda array: (array.view(np.uint32) >> 16).astype(np.uint16)
    for p in (Side(clkl.MOMENTS, photo.astype(np.float16)), Side(clkl.MOMENTS, to_bf16(photo)),
              Side(clkl.MEAN_LOGVAR, mean.astype(np.float16), logvar.astype(np.float16))):
        compare(f"P of {p.mean.dtype}", p, clamp=(-2.0, 0.5))
        compare(f"P of {p.mean.dtype}, Q of float32", p, Side(clkl.MOMENTS, photo[:1].copy()))
        compare(f"Q of {p.mean.dtype}", Side(clkl.MEAN_LOGVAR, mean, logvar), p)


# ---- Recipes ----

def recipe(what, loss, p, q=Side(), **options):
    """The gradients of `loss`, which is given two functions that make Normals of P and Q, against
    those of one call; with free_nats the values of another come first."""
    shape = np.broadcast_shapes(shape_of(p), shape_of(q))
    leaves = {"p": Leaf(p), "q": Leaf(q)}
    loss(leaves["p"].normal, leaves["q"].normal).backward()
    if "free_nats" in options:
        plain = {name: options[name] for name in ("keep", "free_nats") if name in options}
        options["values"] = library.call(shape, p, q, **plain)
        free = np.mean(options["values"] <= options["free_nats"])
        if not 0 < free < 1:
            sys.exit(f"{what}: a part of {free} is free, so that nothing is tried")
    gradients = empty_gradients(p, q)
    library.call(shape, p, q, gradients=gradients, **options)
    expect_gradients(what, gradients, leaves)


def check_recipes():
    posterior = Side(clkl.MOMENTS, photo)
    prior = drawn(clkl.MEAN_LOGVAR, (1, 4, 4, 4))
    samples = len(photo)

    # Higgins et al. 2017: beta times the divergence, averaged over the batch.
    recipe("beta", lambda p, q: 4.0 * kl_divergence(p(), q()).sum((1, 2, 3)).mean(), posterior,
           keep=clkl.KEEP_NONE, factors=(4.0, 4.0))

    # The same with a beta for each channel.
    beta = np.array([0.5, 1.0, 2.0, 8.0])
    recipe("beta of channels",
           lambda p, q: (torch.tensor(beta) * kl_divergence(p(), q()).sum((2, 3)).mean(0)).sum(),
           posterior, keep=2, upstream=beta)

    # Hafner et al. 2020: KL balancing.
    alpha = 0.8

    def balanced(p, q):
        return (alpha * kl_divergence(p(detach=True), q()) +
                (1 - alpha) * kl_divergence(p(), q(detach=True))).sum((1, 2, 3)).mean()

    recipe("KL balancing", balanced, posterior, prior, keep=clkl.KEEP_NONE,
           factors=(1 - alpha, alpha))

    # Kingma et al. 2016: at least lambda nats for each group, over the minibatch.
    def free_groups(p, q):
        return torch.clamp(kl_divergence(p(), q()).sum((2, 3)).mean(0), min=free).sum()

    channels = library.call(shape_of(posterior), posterior, keep=2)
    free = float(np.sort(channels)[1:3].mean())
    recipe("free bits of groups", free_groups, posterior, keep=2, free_nats=free)

    # Hafner et al. 2023: at least free nats for each sample, and two losses.
    def dreamer(p, q):
        dynamics = kl_divergence(p(detach=True), q()).sum((1, 2, 3))
        representation = kl_divergence(p(), q(detach=True)).sum((1, 2, 3))
        return (0.5 * torch.clamp(dynamics, min=free) +
                0.1 * torch.clamp(representation, min=free)).mean()

    per_sample = library.call(shape_of(posterior), posterior, prior)
    free = float(np.sort(per_sample)[20:22].mean())
    recipe("free bits of samples", dreamer, posterior, prior, free_nats=free,
           upstream=np.full(samples, 1.0 / samples), factors=(0.1, 0.5))


everything = (check_forms, check_latents, check_priors, check_weights, check_types, check_recipes)
for check in (check_recipes,) if on_device else everything:
    before = checked
    check()
    print(f"{check.__name__}: {checked - before} numbers agree")
