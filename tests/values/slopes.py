#!/usr/bin/env python3
"""Makes slopes.txt: the exact gradient of the divergence of one element.

    slopes.py                writes the file to standard output
    slopes.py --check FILE   computes everything again; exits with 1 if FILE differs

Needs mpmath; exits with 77 where it is missing. The formulas are those of
src/reference/slopes.h, from numbers of 3000 bits, so that nothing cancels that matters.
"""

import sys

try:
    from mpmath import exp, mp, mpf, nstr, sqrt
except ImportError:
    print("slopes.py: no mpmath (Debian: python3-mpmath)", file=sys.stderr)
    sys.exit(77)

mp.prec = 3000

KINDS = ("unit", "logvar", "logstd", "var", "std")
LOGS = ("logvar", "logstd")

HEADER = """\
# The exact gradient of KL(P||Q) of one element, by the numbers that are given.
# Made by tests/values/slopes.py from the doubles on each line; read by
# tests/reference/test_slopes.c. To make it again: slopes.py > slopes.txt.
# Each line: P's kind, mean, scale; Q's kind, mean, scale; the slopes by P's mean and scale and by
# Q's mean and scale, to 40 digits; the sums of the absolute values of the terms of the slopes by
# P's scale and by Q's."""

# Log-variances of P and Q and the distance of the means in standard deviations of Q.
ELEMENTS = (
    (-1.25, 0.375, 0.75), (2.5, -1.5, -3.0), (0.3, 0.31, 0.01), (40.0, 0.5, 1.0),
    (-60.0, -1.0, 1e-3), (0.5, 35.0, 20.0), (-70.0, -71.5, 1e5), (80.0, 81.0, -1e-6),
    (1e-3, 0.0, 1e-3), (0.0, 1e-6, 1e-5), (1e-9, 1.00001e-9, 1e-9), (7.0, 7.0 + 1e-12, 1e-10),
    (-20.0, -20.0 - 1e-14, 0.0), (0.0, 0.0, 0.5), (600.0, 1.0, 1e3), (-600.0, -1.0, 1.0),
    (3.0, 500.0, 2.0), (-2.0, -500.0, 0.5), (600.3, -50.7, 1.0), (641.9, -0.7, 1e2),
    (690.0, 10.0, 1e-3), (-1.0, 1.0, 0.92988), (-30.0, 0.0, 1.0), (-30.0, 20.0, 1 + 1e-7),
)


def scale_of(kind, log_variance):
    """The double that is given for a log-variance."""
    if kind == "unit":
        return 1.0
    x = mpf(log_variance)
    return float({"logvar": x, "logstd": x / 2, "var": exp(x), "std": exp(x / 2)}[kind])


def variance_of(kind, scale):
    s = mpf(scale)
    return {"unit": mpf(1), "logvar": exp(s), "logstd": exp(2 * s), "var": s, "std": s * s}[kind]


def chain(kind, scale):
    """Half the derivative of the log-variance by the number that is given."""
    if kind in ("var", "std"):
        return (mpf(1) / 2 if kind == "var" else 1) / mpf(scale)
    return {"unit": mpf(0), "logvar": mpf(1) / 2, "logstd": mpf(1)}[kind]


def line_of(p, q, element):
    log_p, log_q, z = element
    p_scale, q_scale = scale_of(p, log_p), scale_of(q, log_q)
    vp, vq = variance_of(p, p_scale), variance_of(q, q_scale)
    p_mean = 0.0 if p == "unit" else 0.25 if q != "unit" else float(z)
    q_mean = 0.0 if q == "unit" else float(mpf(p_mean) - mpf(z) * sqrt(vq))
    d = mpf(p_mean) - mpf(q_mean)
    excess, square = vp / vq - 1, d * d / vq
    mixed = (p in LOGS and q in ("var", "std")) or (q in LOGS and p in ("var", "std"))
    terms = vp / vq + 1 if mixed else abs(excess)
    by_mean = d / vq
    slopes = (by_mean if p != "unit" else mpf(0), excess * chain(p, p_scale),
              -by_mean if q != "unit" else mpf(0), -(excess + square) * chain(q, q_scale))
    sums = (terms * chain(p, p_scale), (terms + square) * chain(q, q_scale))
    if any(x != 0 and not 1e-307 < abs(x) < 1e308 for x in slopes + sums):
        return None
    inputs = (p, p_mean.hex(), p_scale.hex(), q, q_mean.hex(), q_scale.hex())
    return " ".join(inputs + tuple(nstr(x, 40) for x in slopes) + tuple(nstr(x, 5) for x in sums))


def lines():
    yield from HEADER.split("\n")
    for p in KINDS:
        for q in KINDS:
            if (p, q) != ("unit", "unit"):
                found = (line_of(p, q, element) for element in ELEMENTS)
                yield from (line for line in found if line)


def main(arguments):
    if not arguments:
        print("\n".join(lines()))
        return 0
    if len(arguments) != 2 or arguments[0] != "--check":
        print("usage: slopes.py [--check FILE]", file=sys.stderr)
        return 2
    with open(arguments[1], encoding="ascii") as file:
        found = file.read().splitlines()
    if found == list(lines()):
        return 0
    print(f"slopes.py: {arguments[1]} is not what this program makes", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
