"""What the other modules hand to each other: targets, builds, what a compiler made of a kernel."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """One GPU that is compiled for."""

    vendor: str
    name: str
    has_fp64: bool = True

    def __str__(self) -> str:
        return f"{self.vendor}/{self.name}"


@dataclass(frozen=True)
class Limits:
    """The thresholds of the gates; every field is an option and a mark of a build."""

    registers: int = 64  # at most; NVIDIA
    waves: int = 8  # at least, per SIMD; AMD
    waves_gfx906: int = 4  # the same for gfx906, unless `waves` is lower
    simd: int = 16  # at least; Intel
    local_bytes: int = 16384  # at most

    @staticmethod
    def names() -> list[str]:
        """The names as a user writes them, with hyphens."""
        return [f.name.replace("_", "-") for f in fields(Limits)]

    def with_value(self, name: str, value: int) -> Limits:
        """A copy with the limit `name`, written with hyphens, set to `value`."""
        return replace(self, **{name.replace("-", "_"): value})

    def waves_on(self, target: Target) -> int:
        """The fewest waves per SIMD that pass on this AMD target."""
        return min(self.waves, self.waves_gfx906) if target.name == "gfx906" else self.waves


@dataclass(frozen=True)
class Mark:
    """A word of a build line: `vector-loads`, `fp64` or a limit, for one kernel or for all."""

    key: str
    value: int | None = None
    kernel: str | None = None

    def applies_to(self, kernel: str) -> bool:
        return self.kernel in (None, kernel)


@dataclass(frozen=True)
class Build:
    """A self-contained OpenCL C file with the options that a GPU's driver would get."""

    name: str
    source: Path
    options: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def needs_fp64(self) -> bool:
        return any(mark.key == "fp64" for mark in self.marks)

    def wants_vector_loads(self, kernel: str) -> bool:
        return any(m.key == "vector-loads" and m.applies_to(kernel) for m in self.marks)

    def limits(self, kernel: str, default: Limits) -> Limits:
        """The limits of one kernel: the default ones, changed by the marks from left to right."""
        for mark in self.marks:
            if mark.value is not None and mark.applies_to(kernel):
                default = default.with_value(mark.key, mark.value)
        return default


@dataclass(frozen=True)
class Load:
    """A load from global memory whose address differs between lanes; bits are per lane."""

    name: str
    bits: int


@dataclass(frozen=True)
class Step:
    """One machine instruction, as far as the check looks at it."""

    name: str
    jumps_to: tuple[str, ...] = ()
    float_ops: int = 0
    special: bool = False  # exp, log, reciprocal, square root units
    call: bool = False
    load: Load | None = None


@dataclass
class Listing:
    """The machine code of one kernel; a label stands for the index of the step that follows it."""

    steps: list[Step] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    def add_label(self, name: str) -> None:
        self.labels[name] = len(self.steps)


@dataclass
class Kernel:
    """What one compiler made of one kernel. None: that vendor does not say, or it has no meaning."""

    name: str
    registers: int
    spill_bytes: int
    stack_bytes: int
    local_bytes: int
    listing: Listing
    waves: int | None = None
    simd: int | None = None


@dataclass
class Compiled:
    """All kernels of one build on one target, and the functions that nobody defined."""

    kernels: list[Kernel]
    undefined: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """A gate that failed."""

    build: str
    target: str
    kernel: str
    gate: str
    found: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.build}: {self.target}: {self.kernel}"
        return f"{where}: {self.gate}: found {self.found}; allowed: {self.allowed}"


class CompileFailure(Exception):
    """A build that gave nothing to look at, or a report that was not understood."""

    def __init__(self, gate: str, found: str, allowed: str) -> None:
        super().__init__(f"{gate}: {found}")
        self.gate = gate
        self.found = found
        self.allowed = allowed


def not_understood(what: str) -> CompileFailure:
    """The failure for a compiler's report that the parsers here do not know."""
    return CompileFailure("report", what, "a report that can be read in full")
