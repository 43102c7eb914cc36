"""The self-test: controls that must fail, one that must pass, and answers that are known.

A parser that no longer understands a compiler's report must not pass for a kernel without fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from builds import BadBuild, parse_builds, parse_marks
from checker import Outcome, check
from gates import check_marks, check_same_kernels
from hotpart import hot_part
from model import Build, Compiled, Kernel, Limits, Listing, Target

FOLDER = Path(__file__).with_name("controls")


@dataclass(frozen=True)
class Control:
    """A build that has to fail one of the named gates on every target, or none if none is named."""

    file: str
    gates: tuple[str, ...] = ()
    marks: str = ""
    options: tuple[str, ...] = ()

    def build(self) -> Build:
        name = f"{Path(self.file).stem} {self.marks}".strip()
        return Build(name, FOLDER / self.file, self.options, parse_marks(self.marks))


STRICT = "registers=8 waves=32 waves-gfx906=32 simd=64"
CONTROLS = [
    Control("negative_syntax.cl", ("build",)),
    Control("negative_empty.cl", ("kernels", "report")),
    Control("negative_builtin.cl", ("builtin",)),
    Control("negative_spill.cl", ("spill",)),
    Control("negative_stack.cl", ("stack",)),
    Control("negative_registers.cl", ("registers", "waves", "spill")),
    Control("negative_local.cl", ("local-bytes",)),
    Control("negative_narrow.cl", ("vector-loads",), "vector-loads"),
    Control("negative_half_narrow.cl", ("vector-loads",), "half_narrow:vector-loads"),
    Control("positive.cl", ("registers", "waves", "simd"), STRICT),
    Control("positive.cl", (), "sum_rows:vector-loads"),
    Control("positive.cl", (), "sum_rows:vector-loads fp64", ("-DREAL=double",)),
]
WORK_GROUP = 256  # of positive.cl


def run(targets: list[Target]) -> bool:
    """Runs everything on the targets, prints a line for each, returns whether all were right."""
    faults = builds_faults() + kernels_faults()
    controls = {control.build().name: control for control in CONTROLS}
    for outcome in check([c.build() for c in controls.values()], targets, Limits()):
        control = controls[outcome.build.name]
        judge = negative_faults if control.gates else positive_faults
        found = judge(control, outcome, [t for t in targets if t not in outcome.left_out])
        print(f"{'FAIL' if found else 'ok'} {outcome.build.name} ({outcome.seconds:.1f} s)")
        faults += found
    for fault in faults:
        print(f"FAIL {fault}")
    print(f"self-test on {len(targets)} targets: {len(faults)} faults")
    return not faults


def negative_faults(control: Control, outcome: Outcome, targets: list[Target]) -> list[str]:
    """The targets that did not fail the gates they had to fail; prints what the others said."""
    faults = []
    for target in targets:
        mine = [f for f in outcome.findings if f.target == str(target) and f.gate in control.gates]
        if mine:
            print(f"   as it must: {mine[0]}")
        else:
            faults.append(f"{control.file} on {target}: failed none of {', '.join(control.gates)}")
    return faults


def positive_faults(control: Control, outcome: Outcome, targets: list[Target]) -> list[str]:
    """Gates that failed, and facts about positive.cl that were not read as they are."""
    faults = list(map(str, outcome.findings))
    real_bytes = 8 if outcome.build.needs_fp64 else 4
    for target in targets:
        found = outcome.compiled.get(target, Compiled([]))
        wrong = known_answers(target, found, real_bytes)
        faults += [f"{control.file} on {target}: read wrongly: {fault}" for fault in wrong]
    return faults


def known_answers(target: Target, compiled: Compiled, real_bytes: int) -> list[str]:
    """What was read wrongly from the reports on positive.cl, whose numbers have `real_bytes`."""
    load_bits = {"sum_rows": 128, "sum_words": 8 * real_bytes}
    kernels = {kernel.name: kernel for kernel in compiled.kernels}
    if set(kernels) != set(load_bits):
        return [f"kernels {sorted(kernels)}"]
    return [
        f"{name}: {fault}"
        for name, kernel in kernels.items()
        for fault in kernel_faults(target, kernel, load_bits[name], WORK_GROUP * real_bytes)
    ]


def kernel_faults(target: Target, kernel: Kernel, load_bits: int, local_bytes: int) -> list[str]:
    """The same for one kernel, whose hot loop loads `load_bits` at a time."""
    hot = hot_part(kernel.listing)
    right = {
        f"{kernel.registers} registers": 0 < kernel.registers <= 128,
        f"{kernel.local_bytes} bytes of local memory": kernel.local_bytes == local_bytes,
        f"{len(kernel.listing.steps)} instructions": len(kernel.listing.steps) > 20,
        "no hot loop": hot.is_loop,
        "no floating-point work in the hot loop": any(step.float_ops for step in hot.steps),
        f"loads '{hot.describe_loads()}'": {load.bits for load in hot.loads} == {load_bits},
        f"{kernel.waves} waves": target.vendor != "amd" or 1 <= (kernel.waves or 0) <= 20,
        f"SIMD{kernel.simd}": target.vendor != "intel" or kernel.simd in (8, 16, 32),
    }
    return [fault for fault, holds in right.items() if not holds]


def builds_faults() -> list[str]:
    """Lines of build lists that are read wrongly."""
    good = "# comment\n\na\tpositive.cl\t-DX=1 -DY\tvector-loads, sum_rows:waves=4\nb\tpositive.cl"
    first, second = parse_builds(good, FOLDER)
    limits = Limits(waves=6)
    right = {
        "options": first.options == ("-DX=1", "-DY") and second.options == (),
        "vector-loads": first.wants_vector_loads("k") and not second.wants_vector_loads("k"),
        "waves of the kernel named": first.limits("sum_rows", limits).waves == 4,
        "waves of another kernel": first.limits("sum_words", limits).waves == 6,
    }
    faults = [f"build line: {what}" for what, holds in right.items() if not holds]
    for bad in ("", "a", "a\tno.cl", "a\tpositive.cl\t\twaves", "a\tpositive.cl\t\tfast"):
        try:
            parse_builds(bad, FOLDER)
            faults.append(f"build line {bad!r} was accepted")
        except BadBuild:
            pass
    return faults


def kernels_faults() -> list[str]:
    """Kernels that are missing somewhere and are not missed."""
    target, other = Target("nvidia", "sm_80"), Target("amd", "gfx906")
    build = Build("b", FOLDER / "positive.cl", (), parse_marks("absent:waves=4"))
    kernel = Kernel("there", 8, 0, 0, 0, Listing())
    right = {
        "a mark for a kernel that is absent": check_marks(build, target, Compiled([kernel])),
        "a kernel on one target only": check_same_kernels(
            build, {target: Compiled([kernel]), other: Compiled([])}
        ),
    }
    return [f"not found: {what}" for what, findings in right.items() if not findings]
