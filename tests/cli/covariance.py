#!/usr/bin/env python3
"""covariance.py CLKL: full covariances and FID statistics, written by NumPy, through the tool, against
the textbook's formula in NumPy. Exit status 77: no numpy."""
import itertools
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    sys.exit(77)

BATCH, DIMENSION = 5, 6


def run(tool, *words):
    done = subprocess.run([tool, "kl", *words, "--device", "reference", "--json"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{words}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def textbook(p_mean, p_cov, q_mean, q_cov):
    d = p_mean - q_mean
    inverse = np.linalg.inv(q_cov)
    covariances = 0.5 * (np.trace(inverse @ p_cov) - len(d) + np.linalg.slogdet(q_cov)[1]
                         - np.linalg.slogdet(p_cov)[1])
    return covariances, 0.5 * d @ inverse @ d


def make_side(generator, form, batch):
    """Arrays of a side, and its means and covariances."""
    mean = generator.normal(size=(batch, DIMENSION))
    if form in ("var", "std", "logvar"):
        variance = np.exp(generator.normal(size=(batch, DIMENSION)))
        scale = {"var": variance, "std": np.sqrt(variance), "logvar": np.log(variance)}[form]
        return mean, scale, np.stack([np.diag(v) for v in variance])
    factor = generator.normal(size=(batch, DIMENSION, 2 * DIMENSION))
    covariance = factor @ factor.swapaxes(-1, -2) / (2 * DIMENSION)
    scale = {"cov": covariance, "tril": np.linalg.cholesky(covariance),
             "precision-matrix": np.linalg.inv(covariance)}[form]
    return mean, scale, covariance


def expect(what, found, p_mean, p_cov, q_mean, q_cov, tolerance):
    for i in range(len(p_mean)):
        covariances, means = textbook(p_mean[i], p_cov[i], q_mean[i], q_cov[i])
        parts = found["full_covariance"]
        for name, a, b in (("value", found["values"][i], covariances + means),
                           ("covariances", parts["covariances"][i], covariances),
                           ("means", parts["means"][i], means)):
            if not abs(a - b) <= tolerance * abs(covariances + means):
                sys.exit(f"{what}, sample {i}: {name} is {a}, expected {b}")


def pairings(tool):
    forms = ["cov", "tril", "precision-matrix", "var", "std", "logvar"]
    count = 0
    for p, q, batch in itertools.product(forms, forms + [None], (1, BATCH)):
        if not {p, q} & set(forms[:3]):
            continue
        generator = np.random.default_rng(count)
        p_mean, p_scale, p_cov = make_side(generator, p, BATCH)
        q_mean, q_cov = np.zeros((BATCH, DIMENSION)), np.stack([np.eye(DIMENSION)] * BATCH)
        np.save("p_mean", p_mean)
        np.save("p_scale", np.asfortranarray(p_scale) if count % 2 else p_scale)
        words = ["--mean", "p_mean.npy", f"--{p}", "p_scale.npy"]
        if q is not None:
            q_mean, q_scale, q_cov = make_side(generator, q, batch)
            np.save("q_mean", q_mean[0] if batch == 1 else q_mean)
            np.save("q_scale", q_scale[0] if batch == 1 else q_scale)
            words += ["--q-mean", "q_mean.npy", f"--q-{q}", "q_scale.npy"]
            q_mean, q_cov = (np.broadcast_to(x, (BATCH, *x.shape[1:])) for x in (q_mean, q_cov))
        found = run(tool, *words)
        assert found["compute"] == "f64" and found["q"]["shared"] == (batch == 1 and q is not None)
        expect(words, found, p_mean, p_cov, q_mean, q_cov, 1e-11)
        count += 1
    return count


def statistics(tool):
    """As pytorch-fid writes them, and compressed; with the other types."""
    count = 0
    for save, p_type, q_type in itertools.product((np.savez, np.savez_compressed), ("f8", "f4"),
                                                  ("f8", "f4")):
        generator = np.random.default_rng(count)
        sides = []
        for name, kind in (("a", p_type), ("b", q_type)):
            features = generator.normal(size=(300, 32)) @ generator.normal(size=(32, 32))
            mu, sigma = features.mean(0).astype(kind), np.cov(features, rowvar=False)
            save(name, mu=mu, sigma=sigma, extra=features)
            sides += [mu.astype("f8")[None], sigma[None]]
        expect((save, p_type, q_type), run(tool, "--stats", "a.npz", "--q-stats", "b.npz"), *sides,
               1e-9)
        count += 1
    return count


def main(tool):
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        print(pairings(tool), "pairings,", statistics(tool), "pairs of archives")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
