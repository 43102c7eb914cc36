#!/usr/bin/env python3
"""The sizes of bench_covariance with PyTorch (Debian: python3-torch) and with OpenBLAS.

    peers_covariance.py [ROUNDS]

Per size, from covariances and from Cholesky factors, in milliseconds (medians):

- torch: torch.distributions.kl_divergence of two MultivariateNormal, validate_args=False
- blas: what of the same work LAPACK's potrf and BLAS's trsm do, called by SciPy one matrix after
  the other: two factorisations, one triangular solution for the matrices and one for the means;
  from factors the solutions alone. Which library that is, NumPy's configuration tells.

Both with two threads. A peer that is not installed is left out.
"""
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")

import numpy as np

try:
    import torch
    from torch.distributions import MultivariateNormal, kl_divergence
except ImportError:
    torch = None
try:
    from scipy.linalg.blas import strsm
    from scipy.linalg.lapack import spotrf
except ImportError:
    strsm = None

SIZES = [(4, 100000), (8, 40000), (16, 10000), (32, 10000), (64, 256), (128, 64), (256, 16),
         (512, 1), (1024, 1), (2048, 1)]


def draw(rng, batch, d):
    """Covariances as bench_covariance draws them, and means."""
    drawn = 16 if d > 64 and batch > 16 else batch
    a = rng.standard_normal((drawn, d, d + 8), dtype=np.float32)
    s = a @ a.transpose(0, 2, 1) / (d + 8) + 0.1 * np.eye(d, dtype=np.float32)
    s = np.ascontiguousarray(s[np.arange(batch) % drawn])
    return rng.standard_normal((batch, d), dtype=np.float32), s


def median(rounds, function):
    times = []
    function()
    for _ in range(rounds):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return 1e3 * sorted(times)[len(times) // 2]


def by_torch(p, q, name):
    """`name` is covariance_matrix or scale_tril."""
    arrays = [torch.from_numpy(x) for x in (*p, *q)]

    def compute():
        sides = [MultivariateNormal(m, validate_args=False, **{name: s})
                 for m, s in (arrays[:2], arrays[2:])]
        return kl_divergence(*sides)

    return compute


def by_blas(p, q, factored):
    """Matrices are symmetric or triangular, so a row-major one is the other triangle of LAPACK's."""

    def compute():
        for mp, sp, mq, sq in zip(*p, *q):
            if factored:
                lp, lq = sp.T, sq.T
            else:
                lp, lq = spotrf(sp.T, lower=0)[0], spotrf(sq.T, lower=0)[0]
            strsm(1.0, lq, lp, side=1)
            strsm(1.0, lq, (mp - mq)[None, :], side=1)

    return compute


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rng = np.random.default_rng(1)
    if torch is not None:
        torch.set_num_threads(2)
    for d, batch in SIZES:
        p, q = draw(rng, batch, d), draw(rng, batch, d)
        factors = [(m, np.linalg.cholesky(s)) for m, s in (p, q)]
        for kind, sides in (("covariances", (p, q)), ("factors", factors)):
            factored = kind == "factors"
            line = f"D = {d:4}, batch {batch:6}, from {kind:11}:"
            if torch is not None:
                name = "scale_tril" if factored else "covariance_matrix"
                line += f"  torch {median(rounds, by_torch(*sides, name)):10.3f} ms"
            if strsm is not None:
                line += f"  blas {median(rounds, by_blas(*sides, factored)):10.3f} ms"
            print(line, flush=True)


if __name__ == "__main__":
    main()
