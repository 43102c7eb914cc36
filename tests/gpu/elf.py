"""Just enough of 64-bit little-endian ELF to read Intel's program binaries."""

from __future__ import annotations

import struct

from model import not_understood

SYMBOL = struct.Struct("<IBBHQQ")
UNDEFINED_SECTION = 0


def text_at(table: bytes, offset: int) -> str:
    return table[offset : table.index(b"\0", offset)].decode(errors="replace")


def sections(data: bytes) -> dict[str, bytes]:
    """The contents of every section by name."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise not_understood("the binary is no 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, table + size * i) for i in range(count)]
    strings = data[headers[names][4] :]
    return {text_at(strings, h[0]): data[h[4] : h[4] + h[5]] for h in headers}


def undefined_symbols(named: dict[str, bytes]) -> list[str]:
    """Names in the symbol table that no section defines."""
    table = named.get(".symtab", b"")
    symbols = [SYMBOL.unpack_from(table, at) for at in range(0, len(table), SYMBOL.size)]
    lost = [s[0] for s in symbols if s[3] == UNDEFINED_SECTION and s[0] != 0]
    return sorted(text_at(named[".strtab"], offset) for offset in lost)
