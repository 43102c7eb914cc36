"""NVIDIA: clang and NVIDIA's libdevice to PTX, ptxas to machine code, nvdisasm to read it.

Registers, spills, stack and local memory come from `ptxas -v`; the hot loop and its loads from
the machine code.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import tools
from model import Build, CompileFailure, Compiled, Kernel, Listing, Load, Step, Target
from model import not_understood

TARGETS = [Target("nvidia", name) for name in ("sm_75", "sm_80", "sm_90")]
BUILTINS = Path(__file__).with_name("nvidia_builtins.h")
FLOAT_OP = re.compile(r"[FD](FMA|ADD|MUL)\b")
INSTRUCTION = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?\w+\s+)?([A-Z][\w.]*)\s*([^;]*);")


def cuda_folders() -> list[Path]:
    """Where a CUDA toolkit, or the part of it that install.sh fetches, may lie."""
    named = [Path(os.environ["CUDA_HOME"])] if os.environ.get("CUDA_HOME") else []
    return [*named, Path("/usr/local/cuda"), *sorted(tools.root().glob("cuda/*/nvidia/*"))]


def tool(name: str) -> Path | None:
    return tools.find_tool(name, [folder / "bin" for folder in cuda_folders()])


def libdevice() -> Path:
    """NVIDIA's mathematics as bitcode, which lies beside ptxas; it need not exist."""
    ptxas = tool("ptxas")
    beside = [ptxas.resolve().parents[1]] if ptxas else []
    folders = [*beside, *cuda_folders(), Path("/usr/lib/cuda")]
    files = [folder / "nvvm/libdevice/libdevice.10.bc" for folder in folders]
    return next((file for file in files if file.exists()), files[0])


def libclc() -> Path:
    return tools.root() / "usr/lib/clc/nvptx64--nvidiacl.bc"


def missing() -> str | None:
    """What stands in the way of compiling for NVIDIA, or None."""
    if not tools.find_tool(tools.CLANG, []):
        return f"no {tools.CLANG} on PATH (see install.sh)"
    for name in ("ptxas", "nvdisasm"):
        if not tool(name):
            return f"no {name} on PATH (part of the CUDA toolkit; see install.sh)"
    if not libdevice().exists():
        return "no libdevice.10.bc beside ptxas (part of the CUDA toolkit; see install.sh)"
    return tools.first_missing([libclc()])


def compile_build(build: Build, target: Target) -> Compiled:
    """Compiles one build for one target and reads what the tools say."""
    with tempfile.TemporaryDirectory(prefix="gpucheck-") as folder:
        ptx, cubin = Path(folder, "k.ptx"), Path(folder, "k.cubin")
        arch = ["--target=nvptx64-nvidia-cuda", f"-march={target.name}", "-include", str(BUILTINS)]
        tools.clang(build, arch, [libdevice(), libclc()], ptx)
        log = assemble(ptx, cubin, target)
        listings = parse_machine_code(disassemble(cubin))
        entries = re.findall(r"\.entry (\w+)", ptx.read_text())
    return Compiled([parse_kernel(name, log, listings) for name in entries])


def assemble(ptx: Path, cubin: Path, target: Target) -> str:
    """Runs ptxas; returns its report."""
    command = [str(tool("ptxas")), "-v", f"-arch={target.name}", str(ptx), "-o", str(cubin)]
    status, log = tools.run(command)
    unresolved = re.search(r"Unresolved extern function '(\w+)'", log)
    if unresolved:
        raise CompileFailure("builtin", f"undefined {unresolved[1]}", "defined functions only")
    if status != 0:
        raise tools.build_failure(log)
    return log


def disassemble(cubin: Path) -> str:
    status, text = tools.run([str(tool("nvdisasm")), "-c", str(cubin)])
    if status != 0:
        raise not_understood(f"nvdisasm: {text.strip()[:100]}")
    return text


def parse_kernel(name: str, log: str, listings: dict[str, Listing]) -> Kernel:
    """Reads a kernel's part of the ptxas report; a line that is not there is an error."""
    found = re.search(rf"Compiling entry function '{name}'(.*?Used .*?)(?:\n|$)", log, re.S)
    part = found[1] if found else ""
    stack = re.search(
        rf"Function properties for {name}\s+(\d+) bytes stack frame, "
        r"(\d+) bytes spill stores, (\d+) bytes spill loads",
        part,
    )
    registers = re.search(r"Used (\d+) registers", part)
    if not (stack and registers and name in listings):
        raise not_understood(f"no registers, stack or machine code of {name}")
    local = re.search(r"(\d+) bytes smem", part)
    return Kernel(
        name=name,
        registers=int(registers[1]),
        spill_bytes=int(stack[2]) + int(stack[3]),
        stack_bytes=int(stack[1]),
        local_bytes=int(local[1]) if local else 0,
        listing=listings[name],
    )


def parse_machine_code(text: str) -> dict[str, Listing]:
    """Reads the disassembly: one listing per kernel."""
    listings: dict[str, Listing] = {}
    listing = Listing()
    for line in text.splitlines():
        section = re.match(r"\s*\.section\s+\.text\.(\w+),", line)
        label = re.match(r"([.$\w]+):", line)
        instruction = INSTRUCTION.search(line)
        if section:
            listing = listings.setdefault(section[1], Listing())
        elif label:
            listing.add_label(label[1])
        elif instruction and instruction[1] != "NOP":
            listing.steps.append(parse_step(instruction[1], instruction[2]))
    return listings


def parse_step(name: str, operands: str) -> Step:
    return Step(
        name=name,
        jumps_to=tuple(re.findall(r"`\(([^)]+)\)", operands)) if name.startswith("BRA") else (),
        float_ops=int(bool(FLOAT_OP.match(name))),
        special=name.startswith("MUFU"),
        call=name.startswith("CALL"),
        load=Load(name, load_bits(name)) if re.match(r"LDG?\b", name) else None,
    )


def load_bits(name: str) -> int:
    """The width of LDG: .128, .64, .U16 and so on, 32 where the name does not say."""
    width = re.search(r"\.[US]?(128|64|16|8)\b", name)
    return int(width[1]) if width else 32
