"""Finds the part of a kernel where its time goes, the same way for every vendor's machine code."""

from __future__ import annotations

from dataclasses import dataclass

from model import Listing, Load, Step

WIDE_BITS = 128
WIDE_SHARE = 0.75  # of the bytes loaded in the hot part


@dataclass(frozen=True)
class HotPart:
    """The hot loop, or the whole kernel where no loop loads from global memory."""

    steps: list[Step]
    is_loop: bool

    @property
    def loads(self) -> list[Load]:
        return [step.load for step in self.steps if step.load]

    @property
    def branches(self) -> int:
        """Jumps besides the one that closes the loop."""
        return sum(bool(step.jumps_to) for step in self.steps) - self.is_loop

    def describe_loads(self) -> str:
        """Such as `LDG.E.128 x2, LDG.E x1`, in order of appearance."""
        names = [load.name for load in self.loads]
        return ", ".join(f"{name} x{names.count(name)}" for name in dict.fromkeys(names))

    def loads_are_wide(self) -> bool:
        """Whether 128-bit loads bring most of the bytes; a few narrow ones may serve the rest."""
        total = sum(load.bits for load in self.loads)
        wide = sum(load.bits for load in self.loads if load.bits >= WIDE_BITS)
        return wide > 0 and wide >= WIDE_SHARE * total


def loops(listing: Listing) -> list[tuple[int, int]]:
    """The first and last step of every loop: a jump back, and all between it and its target."""
    last: dict[int, int] = {}
    for index, step in enumerate(listing.steps):
        for label in step.jumps_to:
            first = listing.labels.get(label)
            if first is not None and first <= index:
                last[first] = index
    return sorted(last.items())


def hot_part(listing: Listing) -> HotPart:
    """The innermost loop with loads from global memory that has most floating-point work."""

    def body(span: tuple[int, int]) -> list[Step]:
        return listing.steps[span[0] : span[1] + 1]

    def weight(steps: list[Step]) -> tuple[int, int]:
        bits = sum(step.load.bits for step in steps if step.load)
        return sum(step.float_ops for step in steps), bits

    loading = [span for span in loops(listing) if any(step.load for step in body(span))]
    inner = [
        a for a in loading if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loading)
    ]
    if not inner:
        return HotPart(listing.steps, False)
    return HotPart(max(map(body, inner), key=weight), True)
