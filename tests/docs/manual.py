#!/usr/bin/env python3
"""manual.py MANUAL TOOL: troff finds nothing wrong with the manual, and the manual and the tool know
the same options and the same names in JSON."""
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

CHECKERS = (
    ["groff", "-man", "-ww", "-Tutf8"],
    ["mandoc", "-T", "lint", "-W", "warning"],
    ["man", "--warnings", "-E", "UTF-8", "-l"],
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*(?:=\S+)?")


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def check_warnings(manual):
    for checker in CHECKERS:
        status, out, err = run(*checker, manual)
        said = err + (out if checker[0] == "mandoc" else "")
        assert status == 0 and not said.strip(), f"{' '.join(checker)}: {status}\n{said}"


def sections(page, indent):
    """The titles that stand `indent` columns to the right, with what follows each."""
    parts = re.split(rf"(?m)^ {{{indent}}}(?=\S)(.*)$", page)
    return dict(zip(parts[1::2], parts[2::2]))


def check_options(page, tool):
    commands = sections(sections(page, 0)["COMMANDS"], 3)
    assert list(commands) == ["clkl kl", "clkl grad", "clkl inspect", "clkl devices"], list(commands)
    for command, text in commands.items():
        help_text = run(tool, command.split()[1], "--help")[1]
        told = set(re.findall(r"(?m)^      (--\S+)", help_text))
        written = set(re.findall(r"(?m)^       (--\S+)", text))
        assert told and told == written, f"{command}: {told ^ written}"


def check_examples(page, tool, folder):
    """Words that begin with -- anywhere in the manual are options; examples run."""
    known = {option.split("=")[0] for option in OPTION.findall(page_of_commands(page))}
    used = {option.split("=")[0] for option in OPTION.findall(page)}
    assert used <= known, used - known
    for name in ("moments", "p", "q"):
        write_npy(f"{folder}/{name}.npy", (2, 4), [0.5] * 8)
    for name in ("m", "l"):
        write_npy(f"{folder}/{name}.npy", (2, 2), [0.5] * 4)
    write_npy(f"{folder}/c.npy", (2, 2, 2), [1, 0, 0, 1] * 2)
    write_npy(f"{folder}/qm.npy", (2,), [0.5] * 2)
    write_npy(f"{folder}/ql.npy", (2, 2), [1, 0, 0, 1])
    for name in ("real", "generated"):
        with zipfile.ZipFile(f"{folder}/{name}.npz", "w") as archive:
            archive.write(f"{folder}/qm.npy", "mu.npy")
            archive.write(f"{folder}/ql.npy", "sigma.npy")
    lines = re.findall(r"(?m)^ +(clkl (?:kl|grad|inspect) .*\.np[yz].*)$", sections(page, 0)["EXAMPLES"])
    assert len(lines) == 9, lines
    for line in lines:
        words = line.split()[1:]
        if "--plot" in words and shutil.which("gnuplot") is None:
            continue
        if "--device" not in words:
            words += ["--device", "reference"]
        done = subprocess.run([tool, *words], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stderr)


def page_of_commands(page):
    return sections(page, 0)["COMMANDS"]


def write_npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header = header.ljust(117) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        file.write(struct.pack(f"<{len(values)}f", *values))


def names_in(value):
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def bold_words(source):
    """What stands in bold in troff's source, but the titles that are commands."""
    words = set()
    for macro, text in re.findall(r"(?m)^\.(B|BR) (.*)$", source):
        parts = re.findall(r'"[^"]*"|\S+', text)
        words |= set(parts if macro == "B" else parts[0::2])
    return {word for word in words if re.fullmatch(r"[a-z_0-9]+", word)} - {"clkl", "devices", "grad", "inspect"}


def check_json(manual, tool, folder):
    moments = f"{folder}/nan.npy"
    write_npy(moments, (2, 4), [float("nan")] + [0.5] * 7)
    status, out, err = run(tool, "kl", moments, "--json", "--device", "reference")
    assert status == 1, err
    printed = names_in(json.loads(out))
    write_npy(f"{folder}/mean.npy", (1, 2), [0] * 2)
    write_npy(f"{folder}/indefinite.npy", (2, 2), [1, 2, 2, 1])
    status, out, err = run(tool, "kl", "--mean", f"{folder}/mean.npy", "--cov",
                           f"{folder}/indefinite.npy", "--json", "--device", "reference")
    assert status == 1, err
    printed |= names_in(json.loads(out))
    write_npy(f"{folder}/weight.npy", (1,), [1.0])
    status, out, err = run(tool, "kl", moments, "--json", "--device", "reference", "--free-nats", "1",
                           "--weights", f"{folder}/weight.npy")
    assert status == 1, err
    printed |= names_in(json.loads(out))
    status, out, err = run(tool, "grad", moments, "--json", "--device", "reference", "--out",
                           f"{folder}/g")
    assert status == 1, err
    printed |= names_in(json.loads(out))
    status, out, err = run(tool, "inspect", moments, "--json", "--device", "reference")
    assert status == 1, err
    printed |= names_in(json.loads(out))
    listed = json.loads(run(tool, "devices", "--json")[1])
    if listed["devices"]:
        printed |= names_in(listed)
    with open(manual, encoding="utf-8") as file:
        written = bold_words(re.search(r"(?s)\.SH JSON\n(.*?)\.SH", file.read()).group(1))
    written |= {"devices"}
    missing = printed - written
    assert not missing, f"not in the manual: {missing}"
    if listed["devices"]:
        assert written == printed, f"in no JSON: {written - printed}"


def main():
    manual, tool = sys.argv[1:]
    missing = [checker[0] for checker in CHECKERS if shutil.which(checker[0]) is None]
    if missing:
        print("not installed:", *missing)
        return 77
    check_warnings(manual)
    page = run("groff", "-man", "-Tutf8", "-P-cbou", "-rLL=200n", "-rHY=0", manual)[1]
    page = page.replace("\N{MINUS SIGN}", "-").replace("\N{HYPHEN}", "-")
    with tempfile.TemporaryDirectory() as folder:
        check_options(page, tool)
        check_examples(page, tool, folder)
        check_json(manual, tool, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
