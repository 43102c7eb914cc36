#!/usr/bin/env python3
"""numpy_files.py NPY_COPY: numpy writes files in every way it can, npy_copy copies them, and the
copies have to be what numpy itself writes for the same array in C order. Exit status 77: no numpy."""
import io
import itertools
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    sys.exit(77)

CODES = ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "V2"]
SHAPES = [(), (0,), (7,), (3, 4), (2, 0, 5), (1, 6, 1), (67, 45), (2, 3, 4, 5), (3, 1, 700, 2)]
# Since 1.24, numpy leaves room for the first dimension to grow, which shows in long headers alone.
PADS_ALIKE = tuple(map(int, np.__version__.split(".")[:2])) >= (1, 24)
LONG_SHAPES = [(1,) * 16, (0,) + (10**12,) + (1,) * 13, (12345, 0, 2**40)] + [
    (0, 10**digits) + (1,) * 9 for digits in range(18)
]


def saved(array, version):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    return file.getvalue()


def values(code, shape):
    count = int(np.prod(shape)) * int(code[-1])
    noise = np.random.default_rng(1).integers(0, 2 if code == "b1" else 256, count, np.uint8)
    return noise.view("<" + code).reshape(shape)


def cases():
    versions = [(1, 0), (2, 0), (3, 0)]
    for code, shape, mark, version in itertools.product(CODES, SHAPES, "<>", versions):
        array = values(code, shape).view(mark + code)
        yield array, version
        if len(shape) > 1:
            yield np.asfortranarray(array), version
    for shape in LONG_SHAPES if PADS_ALIKE else []:
        yield np.lib.stride_tricks.as_strided(np.zeros(1, "<f4"), shape, (0,) * len(shape)), (1, 0)


def main(npy_copy):
    checked = 0
    with tempfile.TemporaryDirectory() as folder:
        source, copy = os.path.join(folder, "in.npy"), os.path.join(folder, "out.npy")
        for array, version in cases():
            with open(source, "wb") as file:
                file.write(saved(array, version))
            subprocess.run([npy_copy, source, copy], check=True)
            expected = np.array(array, array.dtype.newbyteorder("="), order="C")
            if array.dtype.kind == "V":  # numpy gives void no byte order, and drops its mark
                expected = array.copy(order="C")
            with open(copy, "rb") as file:
                found = file.read()
            if array.dtype.kind == "V":
                found = found.replace(b"'<V2'", b"'|V2'").replace(b"'>V2'", b"'|V2'")
            if found != saved(expected, (1, 0)):
                sys.exit(f"differs: {array.dtype.str} {array.shape} {array.flags} {version}")
            checked += 1
    print(f"{checked} files")


if __name__ == "__main__":
    main(sys.argv[1])
