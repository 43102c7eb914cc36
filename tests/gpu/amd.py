"""AMD: clang with AMD's device libraries.

Registers, spills, scratch, local memory and occupancy come from clang's kernel-resource-usage
remarks; the hot loop, its loads and undefined functions from the assembly.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import tools
from model import Build, Compiled, Kernel, Listing, Load, Step, Target, not_understood

TARGETS = [Target("amd", name) for name in ("gfx906", "gfx90a", "gfx1030", "gfx1100")]

# The device libraries' file for each target's instruction set. Those of Debian 12 are older than
# gfx1100 and get gfx1036's, the nearest; it concerns hardly more than fences and clocks.
ISA = {"gfx906": "906", "gfx90a": "90a", "gfx1030": "1030", "gfx1100": "1036"}
REMARK = r"{}[^:\n]*: (\d+)"
FLOAT_OP = re.compile(r"v_(?:pk_|dual_)?(?:fma|mad|mac|add|sub|mul)\w*_f(?:32|64)")
SPECIAL = re.compile(r"v_(?:exp|log|rcp|rsq|sqrt|sin|cos)_f(?:32|64)")
LOAD = re.compile(r"(?:global|flat)_load_(\w+)")  # buffer_load and scratch_load: the stack


def libraries(target: Target) -> list[Path]:
    """The bitcode that AMD's driver would link: IEEE arithmetic, nothing relaxed."""
    wave64 = "off" if target.name.startswith("gfx1") else "on"
    names = [
        *("opencl", "ocml", "ockl"),
        f"oclc_isa_version_{ISA[target.name]}",
        f"oclc_wavefrontsize64_{wave64}",
        *("oclc_abi_version_500", "oclc_daz_opt_off", "oclc_finite_only_off"),
        *("oclc_unsafe_math_off", "oclc_correctly_rounded_sqrt_on"),
    ]
    return [tools.library_folder() / "amdgcn/bitcode" / f"{name}.bc" for name in names]


def missing() -> str | None:
    """What stands in the way of compiling for AMD, or None."""
    if not tools.find_tool(tools.CLANG, []):
        return f"no {tools.CLANG} on PATH (see install.sh)"
    return tools.first_missing([file for target in TARGETS for file in libraries(target)])


def compile_build(build: Build, target: Target) -> Compiled:
    """Compiles one build for one target and reads what clang says."""
    with tempfile.TemporaryDirectory(prefix="gpucheck-") as folder:
        output = Path(folder, "k.s")
        arch = ["--target=amdgcn-amd-amdhsa", f"-mcpu={target.name}"]
        remarks = ["-Rpass-analysis=kernel-resource-usage"]
        log = tools.clang(build, arch + remarks, libraries(target), output)
        assembly = output.read_text()
    names = re.findall(r"^\s*\.amdhsa_kernel (\w+)", assembly, re.M)
    kernels = [parse_kernel(name, log, assembly) for name in names]
    return Compiled(kernels, undefined_symbols(assembly))


def undefined_symbols(assembly: str) -> list[str]:
    """Symbols that are used, and defined nowhere in the file."""
    used = set(re.findall(r"([\w.$]+)@(?:rel32|gotpcrel32|abs32)@lo", assembly))
    defined = set(re.findall(r"^([\w.$]+):", assembly, re.M))
    allocated = set(re.findall(r"^\s*\.(?:comm|lcomm|amdgpu_lds) ([\w.$]+)", assembly, re.M))
    return sorted(used - defined - allocated)


def parse_kernel(name: str, log: str, assembly: str) -> Kernel:
    """Reads a kernel's remarks; one that is not there is an error."""
    part = re.search(rf"Function Name: {name}\b(.*?LDS Size[^:\n]*: \d+)", log, re.S)
    body = re.search(rf"^{name}:(.*?)^\.Lfunc_end\d+:", assembly, re.S | re.M)
    if not (part and body):
        raise not_understood(f"no remarks or no machine code of {name}")

    def number(what: str) -> int:
        found = re.search(REMARK.format(what), part[1])
        if not found:
            raise not_understood(f"no remark '{what}' for {name}")
        return int(found[1])

    return Kernel(
        name=name,
        registers=number(r"\bVGPRs"),
        # registers, not bytes; a spilled SGPR goes to a lane of a VGPR, 4 bytes like the others
        spill_bytes=4 * (number("VGPRs Spill") + number("SGPRs Spill")),
        stack_bytes=number("ScratchSize"),
        local_bytes=number("LDS Size"),
        waves=number("Occupancy"),
        listing=parse_machine_code(body[1]),
    )


def parse_machine_code(text: str) -> Listing:
    """Reads the assembly of one kernel."""
    listing = Listing()
    for line in text.splitlines():
        code = line.split(";")[0].rstrip()
        label = re.match(r"([\w.$]+):", code)
        instruction = re.match(r"\t([a-z]\w*)\s*(.*)", code)
        if label:
            listing.add_label(label[1])
        elif instruction:
            listing.steps.append(parse_step(instruction[1], code))
    return listing


def parse_step(name: str, code: str) -> Step:
    """One line of assembly; a gfx11 one may hold two operations (`v_dual_... :: v_dual_...`)."""
    load = LOAD.match(name)
    is_jump = name.startswith(("s_branch", "s_cbranch"))
    return Step(
        name=name,
        jumps_to=tuple(re.findall(r"\.LBB\w+", code)) if is_jump else (),
        float_ops=len(FLOAT_OP.findall(code)),
        special=bool(SPECIAL.match(name)),
        call=name.startswith("s_swappc"),
        load=Load(name, load_bits(load[1])) if load else None,
    )


def load_bits(suffix: str) -> int:
    """The width of a load: dwordx4 or b128, ubyte or u8, short_d16 and so on."""
    dwords = re.match(r"dword(?:x(\d))?$", suffix)
    if dwords:
        return 32 * int(dwords[1] or 1)
    bits = re.match(r"[bui](\d+)$", suffix)
    if bits:
        return int(bits[1])
    return 8 if "byte" in suffix or "8" in suffix else 16
