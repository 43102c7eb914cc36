"""Reads the lists of builds: `name<TAB>file.cl<TAB>options<TAB>marks`, one per line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from model import Build, Limits, Mark

FLAGS = ("vector-loads", "fp64")
KERNEL_FREE = ("fp64",)  # flags that concern the whole build


class BadBuild(ValueError):
    """A line that is no build."""


def parse_mark(word: str) -> Mark:
    """`vector-loads`, `fp64` or a limit like `waves=4`, with `kernel:` before it for one kernel."""
    match = re.fullmatch(r"(?:(\w+):)?([a-z0-9-]+)(?:=(\d+))?", word)
    if not match:
        raise BadBuild(f"not a mark: '{word}'")
    kernel, key, value = match.groups()
    if (value is None) != (key in FLAGS) or key not in (*FLAGS, *Limits.names()):
        allowed = ", ".join([*FLAGS, *(f"{name}=N" for name in Limits.names())])
        raise BadBuild(f"not a mark: '{word}' (there are {allowed})")
    if kernel and key in KERNEL_FREE:
        raise BadBuild(f"'{key}' concerns a whole build, not the kernel '{kernel}'")
    return Mark(key, int(value) if value else None, kernel)


def parse_marks(text: str) -> tuple[Mark, ...]:
    """Marks separated by blanks or commas."""
    return tuple(parse_mark(word) for word in re.split(r"[\s,]+", text.strip()) if word)


def parse_line(line: str, folder: Path) -> Build:
    """One line; a relative path is taken from `folder`."""
    columns = line.split("\t")
    if not 2 <= len(columns) <= 4 or not columns[0].strip() or not columns[1].strip():
        raise BadBuild("expected name<TAB>file.cl[<TAB>options[<TAB>marks]]")
    name, path, options, marks = (columns + ["", ""])[:4]
    source = folder / path.strip()
    if not source.is_file():
        raise BadBuild(f"no file {source}")
    return Build(name.strip(), source.resolve(), tuple(shlex.split(options)), parse_marks(marks))


def parse_builds(text: str, folder: Path) -> list[Build]:
    """All builds of a list; empty lines and those that begin with # are skipped."""
    builds = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            builds.append(parse_line(line.rstrip("\n"), folder))
        except ValueError as error:
            raise BadBuild(f"line {number}: {error}") from error
    if not builds:
        raise BadBuild("no builds in the list")
    names = [build.name for build in builds]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadBuild(f"more than one build is called {', '.join(twice)}")
    return builds
