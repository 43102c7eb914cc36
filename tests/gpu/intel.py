"""Intel: ocloc with the graphics compiler IGC, which dumps its assembly.

SIMD width, local memory, scratch and stack memory and undefined functions come from the program
binary (its .ze_info and symbol table); spills, the hot loop and its loads from the assembly.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import elf
import tools
from model import Build, Compiled, Kernel, Listing, Load, Step, Target, not_understood

TARGETS = [
    Target("intel", "skl"),
    Target("intel", "tgllp", has_fp64=False),
    Target("intel", "dg2-g10", has_fp64=False),
    Target("intel", "pvc"),
]
NOT_A_KERNEL = "Intel_Symbol_Table_Void_Program"
SLM_SURFACE = 0xFE  # the binding-table index that means local memory in a send's descriptor
INSTRUCTION = re.compile(r"\s*(?:\([^)]*\)\s*)?([a-z][\w.]*)\s*(?:\((\d+)\|M\d+\))?\s+(.*)")
JUMPS = ("jmpi", "while", "goto", "brd", "brc", "cont", "break")


def ocloc() -> Path | None:
    unpacked = tools.root() / "usr/bin/ocloc"
    return unpacked if unpacked.exists() else tools.find_tool("ocloc", [])


def missing() -> str | None:
    """What stands in the way of compiling for Intel, or None."""
    return None if ocloc() else f"no ocloc under {tools.root()} or on PATH (see install.sh)"


def compile_build(build: Build, target: Target) -> Compiled:
    """Compiles one build for one target and reads the binary and the assembly."""
    with tempfile.TemporaryDirectory(prefix="gpucheck-") as folder:
        run_ocloc(build, target, Path(folder))
        binaries = list(Path(folder).glob("*.bin"))
        if len(binaries) != 1:
            raise not_understood(f"{len(binaries)} binaries from ocloc")
        sections = elf.sections(binaries[0].read_bytes())
        dumps = read_dumps(Path(folder, "dump"))
    facts = parse_info(sections.get(".ze_info", b"").decode(errors="replace"))
    kernels = [parse_kernel(name, text, dumps) for name, text in facts.items()]
    return Compiled(kernels, elf.undefined_symbols(sections))


def run_ocloc(build: Build, target: Target, folder: Path) -> None:
    command = [str(ocloc()), "compile", "-file", str(build.source), "-device", target.name]
    command += ["-options", " ".join(tools.options_of(build))]
    command += ["--format", "zebin", "-out_dir", str(folder), "-output", "k"]
    env = {
        "LD_LIBRARY_PATH": str(tools.library_folder()),
        "IGC_ShaderDumpEnable": "1",
        "IGC_DumpToCustomDir": str(folder / "dump"),
    }
    status, log = tools.run(command, env)
    if status != 0 or "Build succeeded" not in log:
        raise tools.build_failure(log)


def read_dumps(folder: Path) -> dict[str, str]:
    """The dumped assembly by file name, oldest first."""
    files = sorted(folder.glob("*_entry_*.asm"), key=lambda file: file.stat().st_mtime_ns)
    return {file.name: file.read_text() for file in files}


def parse_info(text: str) -> dict[str, str]:
    """Cuts .ze_info, which is YAML, into the part of each kernel."""
    kernels = re.search(r"^kernels:\s*\n(.*?)(?=^\w|\Z)", text, re.S | re.M)
    parts = re.split(r"^  - name:\s+(\S+)\s*\n", kernels[1], flags=re.M) if kernels else [""]
    named = dict(zip(parts[1::2], parts[2::2]))
    named.pop(NOT_A_KERNEL, None)
    return named


def parse_kernel(name: str, info: str, dumps: dict[str, str]) -> Kernel:
    """Reads a kernel's part of .ze_info, and the dumped assembly of the SIMD width chosen there."""
    simd, grf, local = (
        re.search(rf"^      {key}:\s+(\d+)", info, re.M)
        for key in ("simd_size", "grf_count", "slm_size")
    )
    if not (simd and grf):
        raise not_understood(f"no SIMD width or registers of {name} in .ze_info")
    assembly = assembly_of(name, int(simd[1]), dumps)
    spill = re.search(r"^//\.spill size (\d+)", assembly, re.M)
    return Kernel(
        name=name,
        registers=int(grf[1]),
        spill_bytes=int(spill[1]) if spill else 0,
        stack_bytes=memory_buffers(info),
        local_bytes=int(local[1]) if local else 0,
        simd=int(simd[1]),
        listing=parse_machine_code(assembly),
    )


def memory_buffers(info: str) -> int:
    """Bytes of scratch and private memory that each hardware thread is given."""
    part = re.search(r"^    per_thread_memory_buffers:\s*\n((?:^      .*\n?)+)", info, re.M)
    return sum(map(int, re.findall(r"\bsize:\s+(\d+)", part[1]))) if part else 0


def assembly_of(name: str, simd: int, dumps: dict[str, str]) -> str:
    """The last dump of a kernel in the given width; after a spill the compiler tries again."""
    found = [
        text
        for file, text in dumps.items()
        if f"_simd{simd}_" in file and re.search(rf"^//\.kernel {name}$", text, re.M)
    ]
    if not found:
        raise not_understood(f"no assembly of {name} in SIMD{simd}")
    return found[-1]


def parse_machine_code(text: str) -> Listing:
    """Reads the assembly of one kernel."""
    listing = Listing()
    for line in text.splitlines():
        label = re.match(r"(\w+):", line)
        instruction = None if line.startswith("//") else INSTRUCTION.match(line)
        if label:
            listing.add_label(label[1])
        elif instruction:
            name, lanes, rest = instruction.groups()
            listing.steps.append(parse_step(name, int(lanes or 1), rest))
    return listing


def parse_step(name: str, lanes: int, rest: str) -> Step:
    operands = rest.split("//")[0]
    is_jump = name.split(".")[0] in JUMPS
    is_float = re.match(r"(mad|add|mul|mac)", name) and re.search(r":d?f\b", operands)
    return Step(
        name=name,
        jumps_to=tuple(re.findall(r"\b[A-Za-z_]\w*", operands)) if is_jump else (),
        float_ops=int(bool(is_float)),
        special=name.startswith("math."),
        call=name.startswith("call"),
        load=parse_load(name, lanes, rest),
    )


def parse_load(name: str, lanes: int, rest: str) -> Load | None:
    """A load by every lane from global memory.

    Loads by one lane for all, and block loads, are not counted: no lane's width can be told.
    """
    if lanes == 1:
        return None
    return parse_lsc_load(name) if name.startswith("load") else parse_send_load(name, lanes, rest)


def parse_lsc_load(name: str) -> Load | None:
    """DG2 and PVC: `load.ugm.d32x4.a64`; a `t` after the count marks a block load."""
    match = re.match(r"load\.ugm\.d(\d+)(?:u\d+)?(?:x(\d+))?(t?)\b", name)
    if match:
        bits = int(match[1]) * int(match[2] or 1)
        return None if match[3] else Load(match[0], bits)
    quad = re.match(r"load_quad\.ugm\.d(\d+)\w*\.([xyzw]+)", name)
    return Load(quad[0], int(quad[1]) * len(quad[2])) if quad else None


def parse_send_load(name: str, lanes: int, rest: str) -> Load | None:
    """Skylake and Tiger Lake: a send whose comment tells the message and how much it returns."""
    message = re.search(r"// wr:\S+ rd:([1-9]\d*); (?:hdc\.\w+; )?([^/]*\bread\b[^/]*)", rest)
    if not name.startswith("send") or not message or "block" in message[2]:
        return None
    descriptor = re.findall(r"\b0x([0-9A-Fa-f]+)\b", rest.split("//")[0])
    if not descriptor or int(descriptor[-1], 16) & 0xFF == SLM_SURFACE:
        return None
    bits = int(message[1]) * 256 // lanes  # 32-byte registers returned, shared by the lanes
    return Load(f"{message[2].strip()} ({bits} bits)", bits)
