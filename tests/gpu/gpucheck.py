#!/usr/bin/env python3
"""Compiles OpenCL C for GPUs without having any, and fails where the machine code is poor.

Exit status: 0 every gate passed on at least one vendor, 1 a gate failed, 2 bad usage,
77 no vendor's compilers are installed. README.md beside this file says what is checked.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Callable

import controls
import report
from builds import BadBuild, parse_builds, parse_mark
from checker import VENDORS, check
from model import Build, Limits, Target

EXIT_PASSED, EXIT_FAILED, EXIT_USAGE, EXIT_SKIPPED = 0, 1, 2, 77


def available_targets(
    wanted: Callable[[Target], bool], required: list[str]
) -> tuple[list[Target], bool]:
    """The targets whose compilers are there, and whether all required vendors are among them.

    Prints a line per vendor that is not.
    """
    targets: list[Target] = []
    complete = True
    for name, vendor in VENDORS.items():
        chosen = [target for target in vendor.TARGETS if wanted(target)]
        reason = vendor.missing() if chosen else "none of --targets"
        if reason is None:
            targets += chosen
        elif name in required:
            print(f"FAIL {name}: {reason}")
            complete = False
        elif chosen:
            print(f"SKIPPED {name}: {reason}")
    return targets, complete


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Options of this program; those that it does not know are build options of FILE.cl."""
    parser = argparse.ArgumentParser(
        description="Compile OpenCL C for GPUs without having any, and check the machine code.",
        usage="%(prog)s (--builds LIST | FILE.cl [-D...] | --self-test) [options]",
        allow_abbrev=False,
    )
    parser.add_argument("file", nargs="?", metavar="FILE.cl", help="one file, built by hand")
    parser.add_argument("--builds", metavar="LIST", help="a list of builds; - is standard input")
    parser.add_argument("--self-test", action="store_true", help="run the controls")
    parser.add_argument("--mark", action="append", default=[], help="a mark for FILE.cl")
    parser.add_argument(
        "--require", default="", metavar="VENDORS", help="fail where one is missing"
    )
    parser.add_argument("--targets", default="", help="only these, such as amd,nvidia/sm_80")
    for limit in fields(Limits):
        name = "--" + limit.name.replace("_", "-")
        parser.add_argument(name, type=int, default=limit.default, help="default %(default)s")
    known, rest = parser.parse_known_args(arguments)
    known.options = rest
    if sum([bool(known.file), bool(known.builds), known.self_test]) != 1:
        parser.error("give FILE.cl, --builds LIST or --self-test")
    if any(option.startswith("--") for option in rest) or (rest and not known.file):
        parser.error(f"unknown option {rest[0]}")
    known.require = split(known.require, list(VENDORS), parser)
    every = [str(target) for vendor in VENDORS.values() for target in vendor.TARGETS]
    known.targets = split(known.targets, [*VENDORS, *every], parser)
    return known


def split(words: str, allowed: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """A list with commas, each word of which has to be among the allowed ones."""
    chosen = [word for word in words.split(",") if word]
    for word in chosen:
        if word not in allowed:
            parser.error(f"'{word}' is none of {', '.join(allowed)}")
    return chosen


def read_builds(arguments: argparse.Namespace) -> list[Build]:
    """The builds that the command line names."""
    if arguments.file:
        if not Path(arguments.file).is_file():
            raise BadBuild(f"no file {arguments.file}")
        marks = tuple(map(parse_mark, arguments.mark))
        source = Path(arguments.file).resolve()
        return [Build(source.stem, source, tuple(arguments.options), marks)]
    if arguments.builds == "-":
        return parse_builds(sys.stdin.read(), Path.cwd())
    return parse_builds(Path(arguments.builds).read_text(), Path(arguments.builds).parent)


def check_and_report(builds: list[Build], targets: list[Target], limits: Limits) -> bool:
    """Checks the builds and prints what was found; true if every gate passed."""
    start = time.monotonic()
    failed = 0
    for outcome in check(builds, targets, limits):
        report.print_outcome(outcome)
        failed += len(outcome.findings)
    verdict = f"{failed} failures" if failed else "all gates passed"
    seconds = time.monotonic() - start
    print(f"{len(builds)} builds, {len(targets)} targets, {seconds:.0f} s: {verdict}")
    return not failed


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    try:
        builds = [] if options.self_test else read_builds(options)
    except (BadBuild, OSError) as error:
        print(f"gpucheck: {error}", file=sys.stderr)
        return EXIT_USAGE

    def wanted(target: Target) -> bool:
        return not options.targets or bool({target.vendor, str(target)} & set(options.targets))

    targets, complete = available_targets(wanted, options.require)
    if not targets:
        return EXIT_SKIPPED if complete else EXIT_FAILED
    if options.self_test:
        passed = controls.run(targets)
    else:
        limits = Limits(**{f.name: getattr(options, f.name) for f in fields(Limits)})
        passed = check_and_report(builds, targets, limits)
    return EXIT_PASSED if passed and complete else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
