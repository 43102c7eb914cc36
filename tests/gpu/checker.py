"""Compiles builds for targets, two at a time, and holds what comes out against the gates."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Iterator

import amd
import gates
import intel
import nvidia
from model import Build, CompileFailure, Compiled, Finding, Limits, Target

VENDORS = {"nvidia": nvidia, "amd": amd, "intel": intel}
PROCESSES = 2


@dataclass
class Outcome:
    """What became of one build on all targets."""

    build: Build
    compiled: dict[Target, Compiled] = field(default_factory=dict)
    left_out: list[Target] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0


def compile_one(build: Build, target: Target) -> tuple[Compiled | CompileFailure, float]:
    """One build on one target, with the seconds it took."""
    start = time.monotonic()
    try:
        result = VENDORS[target.vendor].compile_build(build, target)
    except CompileFailure as failure:
        result = failure
    return result, time.monotonic() - start


def check(builds: list[Build], targets: list[Target], limits: Limits) -> Iterator[Outcome]:
    """Compiles every build for every target, two at a time; yields each build when it is done."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        jobs = [
            (b, {t: pool.submit(compile_one, b, t) for t in targets if suits(b, t)}) for b in builds
        ]
        for build, futures in jobs:
            outcome = Outcome(build, left_out=[t for t in targets if not suits(build, t)])
            for target, future in futures.items():
                result, seconds = future.result()
                outcome.seconds += seconds
                if isinstance(result, CompileFailure):
                    failure = (result.gate, result.found, result.allowed)
                    outcome.findings.append(Finding(build.name, str(target), "-", *failure))
                else:
                    outcome.compiled[target] = result
                    outcome.findings += gates.check_build(build, target, result, limits)
            outcome.findings += gates.check_same_kernels(build, outcome.compiled)
            yield outcome


def suits(build: Build, target: Target) -> bool:
    return target.has_fp64 or not build.needs_fp64
