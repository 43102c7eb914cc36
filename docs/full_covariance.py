#!/usr/bin/python3
"""The figures of full_covariance.md: what single precision leaves of the divergence of two close
Gaussians in D dimensions, by the textbook formula and by those of clkl. Needs NumPy and mpmath.

    full_covariance.py [D [DRAWS]]
"""
import sys

import mpmath
import numpy as np

mpmath.mp.prec = 300
real = np.float32


def exact(lower_p, lower_q):
    """The textbook formula in 300 bits."""
    p, q = mpmath.matrix(lower_p.tolist()), mpmath.matrix(lower_q.tolist())
    n = p.rows
    x = mpmath.zeros(n)
    for j in range(n):
        for i in range(j, n):
            x[i, j] = (p[i, j] - mpmath.fdot((q[i, k], x[k, j]) for k in range(j, i))) / q[i, i]
    trace = mpmath.fsum(x[i, j] ** 2 for i in range(n) for j in range(i + 1))
    logs = mpmath.fsum(mpmath.log(q[i, i] / p[i, i]) for i in range(n))
    return (trace - n) / 2 + logs


def factor_of(matrix):
    """The Cholesky factor in 300 bits."""
    return np.array(mpmath.cholesky(mpmath.matrix(matrix.tolist())).tolist())


# ---- In single precision ----


def cholesky(matrix):
    lower = np.zeros_like(matrix)
    for i in range(len(matrix)):
        for j in range(i):
            lower[i, j] = (matrix[i, j] - lower[i, :j] @ lower[j, :j]) / lower[j, j]
        lower[i, i] = np.sqrt(matrix[i, i] - lower[i, :i] @ lower[i, :i])
    return lower


def solve(lower, right):
    x = np.zeros_like(right)
    for i in range(len(lower)):
        x[i] = (right[i] - lower[i, :i] @ x[:i]) / lower[i, i]
    return x


def psi(e):
    """e - log1p(e)"""
    z = e / (real(2) + e)
    series = z * (e - real(2) * z * z * (real(1 / 3) + z * z * (real(1 / 5) + z * z / real(7))))
    return np.where(abs(e) < real(0.2), series, e - np.log1p(e))


def textbook(lower_p, lower_q):
    """As the usual libraries do: from both factors, tr, D and the logarithms one by one."""
    x = solve(lower_q, lower_p)
    logs = np.log(np.diag(lower_q)).sum(dtype=real) - np.log(np.diag(lower_p)).sum(dtype=real)
    return real(0.5) * ((x * x).sum(dtype=real) - real(len(x))) + logs


def sum_of(e):
    return psi(np.diag(e)).sum(dtype=real) + real(0.5) * (e * e).sum(dtype=real)


def from_factors(lower_p, lower_q):
    return sum_of(solve(lower_q, lower_p - lower_q))


def from_covariances(p, q):
    lower = cholesky(q)
    m = solve(lower, solve(lower, p - q).T)
    f = np.zeros_like(m)
    for i in range(len(m)):
        for j in range(i):
            f[i, j] = (m[i, j] - f[i, :j] @ f[j, :j]) / (real(1) + f[j, j])
        s = m[i, i] - f[i, :i] @ f[i, :i]
        f[i, i] = s / (real(1) + np.sqrt(real(1) + s))
    return sum_of(f)


# ---- The table ----


def draw(rng, n, level):
    """Two close factors of a condition below 100, in single precision."""
    q = np.tril(rng.uniform(-1, 1, (n, n)), -1) / np.sqrt(n) + np.diag(rng.uniform(0.5, 2, n))
    change = np.tril(rng.uniform(-1, 1, (n, n))) / np.sqrt(n)
    return (q + level * q @ change).astype(real), q.astype(real)


def measure(n, level, draws):
    found = {}
    rng = np.random.default_rng(1)
    values = []
    for _ in range(draws):
        p, q = draw(rng, n, level)
        kl = exact(p, q)
        values.append(float(kl))
        s_p, s_q = (p @ p.T), (q @ q.T)
        kl_s = exact(factor_of(s_p), factor_of(s_q))
        for name, value, truth in (
            ("factors, textbook", textbook(p, q), kl),
            ("factors, E", from_factors(p, q), kl),
            ("covariances, textbook", textbook(cholesky(s_p), cholesky(s_q)), kl_s),
            ("covariances, E", from_factors(cholesky(s_p), cholesky(s_q)), kl_s),
            ("covariances, F", from_covariances(s_p, s_q), kl_s),
        ):
            found.setdefault(name, []).append((float(value), float(abs(value - truth) / truth)))
    print(f"D = {n}, KL around {np.median(values):.1e}, {draws} draws")
    for name, pairs in found.items():
        errors = [error for _, error in pairs]
        below = sum(value < 0 for value, _ in pairs)
        print(f"  {name:22} median error {np.median(errors):.1e}, worst {max(errors):.1e}, "
              f"{below} of {draws} negative")


def measure_far(n, left, draws):
    """Covariances that are close in every element, though in one direction P has but `left` of Q's
    variance: what F loses there, and where two factors do better."""
    rng = np.random.default_rng(1)
    beside, apart = [], []
    for _ in range(draws):
        q = draw(rng, n, 0.0)[1].astype(np.float64)
        direction = rng.choice([-1.0, 1.0], n) / np.sqrt(n)
        p = q @ (np.eye(n) - (1 - left) * np.outer(direction, direction)) @ q.T
        s_p, s_q = p.astype(real), (q @ q.T).astype(real)
        kl = exact(factor_of(s_p), factor_of(s_q))
        beside.append(float(abs(from_covariances(s_p, s_q) - kl) / kl))
        apart.append(float(abs(from_factors(cholesky(s_p), cholesky(s_q)) - kl) / kl))
    print(f"D = {n}, {left:g} of the variance left in one direction, {draws} draws")
    print(f"  covariances, F         median error {np.median(beside):.1e}, worst {max(beside):.1e}")
    print(f"  covariances, E         median error {np.median(apart):.1e}, worst {max(apart):.1e}")


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    for level in (1.35e-4, 1.35e-3, 1.35e-2, 1.35e-1):
        measure(n, level, draws)
    for left in (1e-1, 1e-2, 1e-3):
        measure_far(n, left, draws)
