"""Prints what was found: a table per build, the gates that failed, one line at the end."""

from __future__ import annotations

from checker import Outcome
from hotpart import hot_part
from model import Build, Compiled, Kernel, Target

COLUMNS = (
    *("target", "kernel", "regs", "spill", "stack", "local", "waves", "simd"),
    *("insns", "hot", "branch", "special", "call", "loads"),
)
LEFT = ("target", "kernel", "loads")


def row(target: Target, kernel: Kernel) -> list[str]:
    """The cells of one kernel on one target, in the order of COLUMNS."""
    hot = hot_part(kernel.listing)
    cells = [
        *(target, kernel.name, kernel.registers, kernel.spill_bytes, kernel.stack_bytes),
        *(kernel.local_bytes, kernel.waves, kernel.simd, len(kernel.listing.steps)),
        *(len(hot.steps) if hot.is_loop else None, hot.branches),
        *(sum(step.special for step in hot.steps), sum(step.call for step in hot.steps)),
        hot.describe_loads(),
    ]
    return ["-" if cell is None else str(cell) for cell in cells]


def table(compiled: dict[Target, Compiled]) -> str:
    """One row per target and kernel, in columns."""
    rows = [list(COLUMNS)]
    rows += [row(target, kernel) for target, found in compiled.items() for kernel in found.kernels]
    widths = [max(map(len, column)) for column in zip(*rows)]

    def aligned(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if name in LEFT else cell.rjust(width)
            for name, cell, width in zip(COLUMNS, cells, widths)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join(map(aligned, rows))


def marks_of(build: Build) -> str:
    """The marks as they stood in the build's line."""
    words = [
        (f"{m.kernel}:" if m.kernel else "") + m.key + ("" if m.value is None else f"={m.value}")
        for m in build.marks
    ]
    return f"  [{' '.join(words)}]" if words else ""


def print_outcome(outcome: Outcome) -> None:
    """A build's table and its failures; the seconds are those of its compiles, added up."""
    build = outcome.build
    print(f"== {build.name}: {build.source.name} {' '.join(build.options)}{marks_of(build)}")
    if outcome.compiled:
        print(table(outcome.compiled))
    for target in outcome.left_out:
        print(f"{target}: left out, it has no fp64")
    for finding in outcome.findings:
        print(f"FAIL {finding}")
    print(f"{outcome.seconds:.1f} s\n", flush=True)
