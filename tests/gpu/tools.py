"""Finding and running the compilers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from model import Build, CompileFailure

TIMEOUT_SECONDS = 300
CLANG = "clang-19"


def root() -> Path:
    """The folder that install.sh fills."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("GPUCHECK_ROOT") or Path(cache) / "gpucheck")


def library_folder() -> Path:
    return root() / "usr/lib/x86_64-linux-gnu"


def find_tool(name: str, folders: list[Path]) -> Path | None:
    """A program from the PATH, else from the first of the folders that has it."""
    on_path = shutil.which(name)
    places = ([Path(on_path)] if on_path else []) + [folder / name for folder in folders]
    return next((place for place in places if os.access(place, os.X_OK)), None)


def first_missing(files: list[Path]) -> str | None:
    """A sentence about the first file that does not exist."""
    lost = next((file for file in files if not file.exists()), None)
    return f"no {lost.name} under {root()} (see install.sh)" if lost else None


def run(command: list[str], env: dict[str, str] | None = None) -> tuple[int, str]:
    """Runs a program; returns its exit status and all that it printed."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            env={**os.environ, **(env or {})},
        )
    except subprocess.TimeoutExpired:
        raise CompileFailure("build", f"{command[0]} still running", f"{TIMEOUT_SECONDS} s")
    except OSError as error:
        raise CompileFailure("build", str(error), "a compiler that starts")
    return done.returncode, done.stdout


def build_failure(log: str) -> CompileFailure:
    """The failure for a compiler that refused the source: its first line that tells of an error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return CompileFailure("build", (telling or lines or ["no output"])[0], "a build without errors")


def options_of(build: Build) -> list[str]:
    """The build's own options; OpenCL C 1.2 where they name no version, as drivers do."""
    named = any(option.startswith("-cl-std=") for option in build.options)
    return ([] if named else ["-cl-std=CL1.2"]) + list(build.options)


def clang(build: Build, arch: list[str], bitcode: list[Path], output: Path) -> str:
    """Compiles a build to assembly with the given bitcode libraries; returns what clang printed."""
    linked = [
        word
        for library in bitcode
        for word in ("-Xclang", "-mlink-builtin-bitcode", "-Xclang", str(library))
    ]
    frontend = ["-x", "cl", "-Xclang", "-finclude-default-header", "-nogpulib", "-O3", "-w"]
    command = [CLANG, *arch, *frontend, *linked, *options_of(build)]
    status, log = run([*command, "-S", str(build.source), "-o", str(output)])
    if status != 0:
        raise build_failure(log)
    return log
