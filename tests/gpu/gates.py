"""The gates: what a kernel has to be, whatever the GPU."""

from __future__ import annotations

from typing import Iterator

from hotpart import WIDE_BITS, WIDE_SHARE, hot_part
from model import Build, Compiled, Finding, Kernel, Limits, Target

Failure = tuple[str, str, str]  # gate, what was found, what is allowed


def check_build(build: Build, target: Target, compiled: Compiled, default: Limits) -> list[Finding]:
    """Everything that one target's compile of a build fails."""
    where = (build.name, str(target))
    findings = [
        Finding(*where, "-", "builtin", f"undefined {name}", "defined functions only")
        for name in compiled.undefined
    ]
    if not compiled.kernels:
        findings.append(Finding(*where, "-", "kernels", "none", "at least one"))
    for kernel in compiled.kernels:
        limits = build.limits(kernel.name, default)
        failures = list(check_kernel(kernel, target, limits))
        if build.wants_vector_loads(kernel.name):
            failures += check_vector_loads(kernel)
        findings += [Finding(*where, kernel.name, *failure) for failure in failures]
    return findings + check_marks(build, target, compiled)


def check_kernel(kernel: Kernel, target: Target, limits: Limits) -> Iterator[Failure]:
    """The gates that hold for every kernel."""
    if kernel.registers <= 0 or not kernel.listing.steps:
        yield "report", "no registers or no instructions", "a kernel that has both"
    if kernel.spill_bytes:
        yield "spill", f"{kernel.spill_bytes} bytes", "none"
    if kernel.stack_bytes:
        yield "stack", f"{kernel.stack_bytes} bytes of stack, scratch or private memory", "none"
    if kernel.local_bytes > limits.local_bytes:
        yield "local-bytes", f"{kernel.local_bytes} bytes", f"at most {limits.local_bytes}"
    yield from check_vendor(kernel, target, limits)


def check_vendor(kernel: Kernel, target: Target, limits: Limits) -> Iterator[Failure]:
    """Registers, waves or SIMD width, whichever bounds the threads in flight on that vendor."""
    if target.vendor == "nvidia" and kernel.registers > limits.registers:
        yield "registers", str(kernel.registers), f"at most {limits.registers}"
    if target.vendor == "amd" and (kernel.waves or 0) < limits.waves_on(target):
        found = f"{kernel.waves} per SIMD ({kernel.registers} VGPRs, {kernel.local_bytes} B local)"
        yield "waves", found, f"at least {limits.waves_on(target)}"
    if target.vendor == "intel" and (kernel.simd or 0) < limits.simd:
        yield "simd", f"SIMD{kernel.simd}", f"at least SIMD{limits.simd}"


def check_vector_loads(kernel: Kernel) -> Iterator[Failure]:
    """The gate of kernels that are marked `vector-loads`."""
    hot = hot_part(kernel.listing)
    if not hot.loads_are_wide():
        allowed = f"{WIDE_SHARE:.0%} of the bytes by loads of {WIDE_BITS} bits per lane"
        yield "vector-loads", hot.describe_loads() or "no load from global memory", allowed


def check_marks(build: Build, target: Target, compiled: Compiled) -> list[Finding]:
    """A mark for a kernel that does not exist would check nothing."""
    there = {kernel.name for kernel in compiled.kernels}
    named = {mark.kernel for mark in build.marks if mark.kernel}
    return [
        Finding(build.name, str(target), name, "kernels", "marked but not compiled", "its removal")
        for name in sorted(named - there)
    ]


def check_same_kernels(build: Build, compiled: dict[Target, Compiled]) -> list[Finding]:
    """All targets with fp64 have to show the same kernels, and all those without."""
    findings = []
    for has_fp64 in (True, False):
        names = {
            target: {kernel.name for kernel in found.kernels}
            for target, found in compiled.items()
            if target.has_fp64 == has_fp64
        }
        for target, there in names.items():
            for name in sorted(set().union(*names.values()) - there):
                what = ("kernels", "not on this target", "the same kernels as on the others")
                findings.append(Finding(build.name, str(target), name, *what))
    return findings
