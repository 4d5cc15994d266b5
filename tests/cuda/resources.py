"""Registers and shared memory of every kernel, as ptxas reported them while building, against the committed table.
usage: resources.py BUILD [--write]     BUILD: built with CUDA; --write makes the table anew from it
Spills are never allowed; registers may differ by 8 (another compiler version), static shared memory must not grow.
Exit 77 where the build has no CUDA in it. Architectures that were not built are not looked at."""
import glob
import os
import re
import subprocess
import sys

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resources.txt")
ALLOWED = 8


def parse(path):
    """{(architecture, mangled name): (registers, shared bytes, spilled bytes)}"""
    found, at, spills = {}, None, 0
    for line in open(path, errors="replace"):
        entry = re.search(r"Compiling entry function '(\w+)' for '(sm_\d+)'", line)
        if entry:
            at, spills = (entry[2], entry[1]), 0
        spilled = re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line)
        if spilled:
            spills = int(spilled[1]) + int(spilled[2])
        used = re.search(r"Used (\d+) registers", line)
        if used and at:
            shared = re.search(r"(\d+) bytes smem", line)
            found[at] = (int(used[1]), int(shared[1]) if shared else 0, spills)
            at = None
    return found


def short(names):
    """readable names without parameters, in the same order"""
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return [re.sub(r"^void ", "", re.sub(r"\(anonymous namespace\)::", "", t)).split("(")[0].replace(" ", "") or n
            for t, n in zip(text.splitlines(), names)]


def main():
    logs = glob.glob(f"{sys.argv[1]}/cuda/*.o.txt")
    now = {}
    for log in sorted(logs):
        if "kit_" not in os.path.basename(log):
            now.update(parse(log))
    if not now:
        print("no kernels were compiled in this build")
        sys.exit(77)
    keys = sorted(now)
    rows = {(k[0], name): now[k] for k, name in zip(keys, short([k[1] for k in keys]))}
    if "--write" in sys.argv:
        with open(TABLE, "w") as f:
            f.write("# architecture, kernel, registers, static shared bytes: python3 tests/cuda/resources.py BUILD --write\n")
            for (arch, name), (registers, shared, _) in sorted(rows.items()):
                f.write(f"{arch} {name} {registers} {shared}\n")
        return
    table = {}
    for line in open(TABLE):
        if not line.startswith("#"):
            arch, name, registers, shared = line.split()
            table[arch, name] = (int(registers), int(shared))
    bad = 0
    known = {arch for arch, _ in table}
    for (arch, name), (registers, shared, spills) in sorted(rows.items()):
        if arch not in known:
            continue
        want = table.get((arch, name))
        why = "spills" if spills else "is not in the table" if want is None else \
            "registers" if abs(registers - want[0]) > ALLOWED else "shared memory" if shared > want[1] else ""
        if why:
            bad += 1
            print(f"{arch} {name}: {why}: {registers} registers, {shared} shared, {spills} spilled; the table: {want}")
    print(f"{len(rows)} kernels, {bad} not as the table says")
    sys.exit(bad > 0)


main()
