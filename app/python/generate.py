#!/usr/bin/env python3
"""Writes what the Python package must agree on with the library, from the library's own texts.

    python3 app/python/generate.py [--check]

From engine/include/mattebox.h come mattebox/_abi.py (structs, enums, functions for ctypes); from docs/options.schema.json,
which the program writes from its table of options, come mattebox/_options.py and the table in docs/python.md. --check writes
nothing and fails where a file is not what would be written.
"""
from __future__ import annotations

import json
import pathlib
import re
import sys
import textwrap
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "engine/include/mattebox.h"
SCHEMA = ROOT / "docs/options.schema.json"
PACKAGE = ROOT / "app/python/mattebox"
GUIDE = ROOT / "docs/python.md"
MADE = '"""Written by app/python/generate.py from {}: change that, and run it again."""\n'

SCALARS = {
    "void": "None",
    "int": "c_int",
    "double": "c_double",
    "float": "c_float",
    "size_t": "c_size_t",
    "int64_t": "c_int64",
    "uint64_t": "c_uint64",
    "unsigned char": "c_ubyte",
    "char": "c_char",
}


class Header:
    """The declarations of the header, in their order. It has one style, so that a few patterns read all of it; what they do
    not cover is an error, never skipped."""

    def __init__(self, text: str) -> None:
        self.version = ".".join(re.findall(r"#define MB_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        text = re.sub(r"(?m)^\s*#.*(?:\\\n.*)*$", "", text)
        text = re.sub(r'extern "C" \{', "", text)
        text = re.sub(r"\bMB_MUST_CHECK\b|\bMB_API\b", "", text)
        self.enums: dict[str, list[tuple[str, int]]] = {}
        self.structs: dict[str, list[tuple[str, str, int]]] = {}  # name -> (field, ctypes type, elements or 0)
        self.callbacks: dict[str, tuple[str, list[str]]] = {}
        self.functions: dict[str, tuple[str, list[str]]] = {}
        for statement in self.statements(text):
            self.read(" ".join(statement.split()))

    @staticmethod
    def statements(text: str) -> list[str]:
        """Text up to each semicolon outside braces."""
        found, depth, start = [], 0, 0
        for at, c in enumerate(text):
            if c == "{":
                depth += 1
            elif c == "}":
                depth -= 1
                if depth < 0:  # of extern "C"
                    depth, start = 0, at + 1
            elif c == ";" and depth == 0:
                found.append(text[start:at])
                start = at + 1
        return found

    def ctype(self, text: str) -> str:
        """A C type as an expression of ctypes. Pointers to structs of the caller keep their type; opaque ones, and the many
        kinds of data, are void pointers."""
        text = " ".join(text.replace("const ", " ").replace(" const", " ").replace("*", " * ").split())
        base, stars = text.replace("*", "").strip(), text.count("*")
        if base == "char" and stars:
            return "c_char_p" if stars == 1 else "POINTER(c_char_p)"
        if base in self.callbacks and stars == 0:
            return base
        if base in self.enums:
            base = "int"
        if base in SCALARS:
            if stars == 0:
                return SCALARS[base]
            if base in ("void", "unsigned char", "float") and stars == 1:
                return "c_void_p"
            return f"POINTER({'c_void_p' if base == 'void' else SCALARS[base]})"
        known = base in self.structs
        inner = base if known else "c_void_p"
        for _ in range(stars - (0 if known else 1)):
            inner = f"POINTER({inner})"
        if stars == 0 and not known:
            raise SystemExit(f"mattebox.h: unknown type {text}")
        return inner

    def parameters(self, text: str) -> list[str]:
        types = []
        for one in [] if text.strip() == "void" else re.split(r",(?![^(]*\))", text):
            one = one.strip()
            if match := re.fullmatch(r"(.*?)(\w+)\[\w*\]", one):  # an array is a pointer
                one = match[1] + "*" + match[2]
            types.append(self.ctype(re.sub(r"\w+$", "", one)))
        return types

    def fields(self, body: str) -> list[tuple[str, str, int]]:
        found = []
        for line in filter(None, (part.strip() for part in body.split(";"))):
            if match := re.fullmatch(r"(.+?)\(\*(\w+)\)\((.*)\)", line):  # a function pointer
                kinds = ", ".join([self.ctype(match[1]), *self.parameters(match[3])])
                found.append((match[2], f"CFUNCTYPE({kinds})", 0))
                continue
            first, *more = line.split(",")
            match = re.fullmatch(r"(.*?)(\w+)(?:\[(\d+)\])?", first.strip())
            assert match, line
            for name in [first[len(match[1]):].strip() if more or not match[3] else first.strip()[len(match[1]):], *more]:
                part = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", name.strip())
                assert part, line
                found.append((part[1], self.ctype(match[1]), int(part[2] or 0)))
        return found

    def read(self, s: str) -> None:
        if match := re.fullmatch(r"typedef enum \w+ \{(.*)\} (\w+)", s):
            pairs = [part.split("=") for part in match[1].split(",") if part.strip()]
            self.enums[match[2]] = [(name.strip(), int(value)) for name, value in pairs]
        elif match := re.fullmatch(r"typedef struct \w+ \{(.*)\} (\w+)", s):
            self.structs[match[2]] = self.fields(match[1])
        elif re.fullmatch(r"typedef struct \w+ \w+", s):
            return  # opaque
        elif match := re.fullmatch(r"typedef (\w+) \(\*(\w+)\)\((.*)\)", s):
            self.callbacks[match[2]] = (self.ctype(match[1]), self.parameters(match[3]))
        elif match := re.fullmatch(r"(.+?[ *])(mb_\w+)\((.*)\)", s):
            self.functions[match[2]] = (self.ctype(match[1]), self.parameters(match[3]))
        else:
            raise SystemExit(f"mattebox.h: not understood: {s}")


PYTHON_TYPE = {"c_int": "int", "c_double": "float", "c_size_t": "int", "c_int64": "int", "c_uint64": "int",
               "c_char_p": "Any", "c_void_p": "int | None"}


def annotation(kind: str, n: int, structs: dict[str, Any]) -> str:
    if n:
        return "bytes" if kind == "c_char" else "Any"
    return PYTHON_TYPE.get(kind, kind if kind in structs else "Any")


def struct(name: str, fields: list[tuple[str, str, int]], structs: dict[str, Any]) -> str:
    out = [f"\nclass {name}(Structure):"]
    out += [f"    {field}: {annotation(kind, n, structs)}" for field, kind, n in fields]
    out.append("    _fields_ = [")
    out += [f'        ("{field}", {kind}{f" * {n}" if n else ""}),' for field, kind, n in fields]
    return "\n".join([*out, "    ]", ""])


def abi(header: Header) -> str:
    out = [MADE.format("engine/include/mattebox.h"), "from __future__ import annotations\n"]
    out.append("from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_double, c_float, c_int, c_int64, c_size_t,")
    out.append("                    c_ubyte, c_uint64, c_void_p)")
    out.append("from typing import Any\n")
    out.append(f'VERSION = "{header.version}"\n')
    for name, values in header.enums.items():
        out += [f"{key} = {value}" for key, value in values]
        out.append("")
    pending = {name: f"\n{name} = CFUNCTYPE({', '.join([result, *kinds])})" for name, (result, kinds) in header.callbacks.items()}
    pending |= {name: struct(name, fields, header.structs) for name, fields in header.structs.items()}
    while pending:  # each after what it is made of
        ready = [name for name, text in pending.items()
                 if not any(re.search(rf"\b{other}\b", text) for other in pending if other != name)]
        out.append(pending.pop(ready[0]))
    out.append("\nFUNCTIONS: dict[str, tuple[Any, list[Any]]] = {")
    for name, (result, parameters) in header.functions.items():
        out.append(f'    "{name}": ({result}, [{", ".join(parameters)}]),')
    out.append("}")
    return "\n".join(out) + "\n"


def describe(row: dict[str, Any]) -> str:
    """Kind, range, default and meaning of an option, a line."""
    parts = []
    unit = row.get("x-unit", "")
    limits: dict[str, Any] = next((part for part in row.get("anyOf", [row]) if "minimum" in part), {})
    if "enum" in row:
        parts.append(", ".join(str(v) for v in row["enum"]))
    elif limits:
        parts.append(f"{limits['minimum']:,} to {limits['maximum']:,}{' ' + unit if unit else ''}".replace("e-0", "e-"))
    if "x-zero" in row and "enum" not in row:
        parts.append(f"0: {row['x-zero']}")
    if "default" in row:
        parts.append(f"default {row['default']}")
    return "; ".join(parts)


def python_type(row: dict[str, Any]) -> str:
    if row["type"] == "string":
        return "Literal[" + ", ".join(f'"{v}"' for v in row["enum"]) + "]"
    if row["type"] == "integer" and "enum" in row:
        return "Literal[" + ", ".join(str(v) for v in row["enum"]) + "]"
    return {"boolean": "bool", "integer": "int", "number": "float", "array": "Sequence[int]"}[row["type"]]


def options(schema: dict[str, Any]) -> str:
    rows = schema["properties"]
    out = [MADE.format("docs/options.schema.json"), "from __future__ import annotations\n"]
    out.append("from typing import TYPE_CHECKING, Any, Literal, Sequence, TypedDict\n")
    out.append("if TYPE_CHECKING:\n    from ._pictures import Background\n\n")
    out.append("class Options(TypedDict, total=False):")
    out.append('    """The options of a run, keywords of every function that makes pictures.\n')
    for name, row in rows.items():
        text = f"{name}: {row['description']} ({describe(row)})" if describe(row) else f"{name}: {row['description']}"
        out += textwrap.wrap(text, 120, initial_indent="    ", subsequent_indent="        ")
    out.append('    """\n')
    for name, row in rows.items():
        out.append(f"    {name}: {'Background' if name == 'background' else python_type(row)}")
    out.append("\n\n# Kind, and the names of the values where it has names.")
    out.append("OPTIONS: dict[str, tuple[str, tuple[Any, ...]]] = {")
    for name, row in rows.items():
        kind = "choice" if row["type"] == "string" else row["type"]
        names = ", ".join(repr(v).replace("'", '"') for v in row["enum"]) + "," if kind == "choice" else ""
        out.append(f'    "{name}": ("{kind}", ({names})),')
    out.append("}\n")
    out.append("# What integers may be, for messages.")
    out.append("LIMITS: dict[str, str] = {")
    for name, row in rows.items():
        if row["type"] == "integer":
            out.append(f'    "{name}": {json.dumps(describe({k: v for k, v in row.items() if k not in ("default", "x-unit")}))},')
    out.append("}\n")
    out.append("DEFAULTS: dict[str, Any] = {")
    out += [f'    "{name}": {json.dumps(row["default"]).replace("true", "True").replace("false", "False")},'
            for name, row in rows.items() if "default" in row]
    out.append("}")
    return "\n".join(out) + "\n"


def guide(schema: dict[str, Any], text: str) -> str:
    table = ["| option | values | meaning |", "| --- | --- | --- |"]
    for name, row in schema["properties"].items():
        meaning = row["description"].replace("|", "\\|")
        table.append(f"| `{name}` | {describe(row)} | {meaning} |")
    start, end = "<!-- options: generated -->\n", "<!-- end -->"
    before, rest = text.split(start)
    return before + start + "\n".join(table) + "\n" + end + rest.split(end, 1)[1]


def main() -> int:
    schema = json.loads(SCHEMA.read_text())
    wanted = {PACKAGE / "_abi.py": abi(Header(HEADER.read_text())), PACKAGE / "_options.py": options(schema)}
    if GUIDE.exists():
        wanted[GUIDE] = guide(schema, GUIDE.read_text())
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is not what the header and the options say: python3 app/python/generate.py")
        else:
            path.write_text(wanted[path])
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
