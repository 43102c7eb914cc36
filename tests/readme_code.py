"""readme_code.py FILE.md...: fails unless every block of C in these pages is what its source says.

Above each such block stands a comment of the form <!-- PATH NAME -->. The block must be what lies
between the lines /* [NAME] */ and /* [/NAME] */ of PATH, which is relative to the page, without the
indentation that all of its lines share.
"""
import pathlib
import re
import sys
import textwrap

BLOCK = re.compile(r"^(?:<!-- (?P<path>\S+) (?P<name>\w+) -->\n+)?```(?:c|cpp|c\+\+|python)\n"
                   r"(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)


def excerpt(text, name):
    """The lines between the marks, or None unless each mark is there once."""
    found = re.findall(rf"^ */\* \[{name}\] \*/\n(.*?)^ */\* \[/{name}\] \*/$", text,
                       re.DOTALL | re.MULTILINE)
    return textwrap.dedent(found[0]) if len(found) == 1 else None


def fault(page, block):
    """What is wrong with a block of the page, or None."""
    if block["path"] is None:
        return "no comment above says where it is from"
    source = page.parent / block["path"]
    if not source.is_file():
        return f"{source} does not exist"
    code = excerpt(source.read_text(encoding="utf-8"), block["name"])
    if code is None:
        return f"{source} has no single excerpt {block['name']}"
    if code != block["code"]:
        return f"it differs from {source}, which has\n{code}"
    return None


def main(pages):
    blocks = [(page, block) for page in pages
              for block in BLOCK.finditer(page.read_text(encoding="utf-8"))]
    faults = [f"{page}: {problem}\nblock:\n{block['code']}" for page, block in blocks
              if (problem := fault(page, block)) is not None]
    if not blocks:
        faults.append("no block of code found")
    for text in faults:
        print(text)
    print(f"{len(blocks)} blocks, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main([pathlib.Path(name) for name in sys.argv[1:]]))
