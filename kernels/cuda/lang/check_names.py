#!/usr/bin/env python3
"""Compares what g++ launches with what nvcc has compiled: check_names.py OBJECT FOLDER. Each kernel that the object names must be in
each cubin of the folder, and take as many bytes of arguments. Prints how many there are.

A cubin is an ELF file: each kernel has a section .nv.info.NAME of attributes. One that has its value in place says how many bytes of
arguments the kernel takes (CUDA's binary utilities call it CBANK_PARAM_SIZE)."""
from __future__ import annotations

import pathlib
import re
import struct
import sys

PARAM_SIZE = 0x19
IN_PLACE, BEHIND = 3, 4  # where an attribute's value is: in its 16 bits, or behind them, and these are its length


def launched(path: pathlib.Path) -> dict[str, int]:
    """Name and bytes of arguments, as MB_LAUNCH of driver_launch.h leaves them in the code."""
    found = re.findall(rb"mb-kernel\0([^\0]+)\0(\d+)\0", path.read_bytes())
    return {name.decode(): int(size) for name, size in found}


def argument_bytes(info: bytes) -> int:
    at = 0
    while at + 4 <= len(info):
        form, attribute, value = struct.unpack_from("<BBH", info, at)
        at += 4
        if form == IN_PLACE and attribute == PARAM_SIZE:
            return int(value)
        at += value if form == BEHIND else 0
    return 0


def compiled(path: pathlib.Path) -> dict[str, int]:
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"{path}: no cubin")
    start, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
    table = sections[names][4]

    def name_of(section: tuple[int, ...]) -> str:
        at = table + section[0]
        return data[at:data.index(0, at)].decode()

    prefix = ".nv.info."
    return {name_of(s)[len(prefix):]: argument_bytes(data[s[4]:s[4] + s[5]]) for s in sections if name_of(s).startswith(prefix)}


def main() -> int:
    ours, cubins = launched(pathlib.Path(sys.argv[1])), sorted(pathlib.Path(sys.argv[2]).glob("*.cubin"))
    wrong = [] if cubins else [f"no cubin in {sys.argv[2]}"]
    for cubin in cubins:
        kernels = compiled(cubin)
        wrong += [f"{name}: {size} bytes of arguments, in {cubin.name} {kernels.get(name, 'no such kernel')}"
                  for name, size in ours.items() if kernels.get(name) != size]
    print("\n".join(wrong) or f"{len(ours)} kernels")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
