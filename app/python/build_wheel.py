#!/usr/bin/env python3
"""Builds the wheel: python3 app/python/build_wheel.py [--out DIR] [--build DIR] [--system-libraries] [-- CMAKE OPTION...]

One wheel serves every Python from 3.9 on, since ctypes opens the library. It carries the library with the picture libraries that
it needs, the program and mattebox-weights. Needs Python's standard library, a compiler and binutils; nothing is downloaded.

--out              folder of the wheel; default dist
--build            a build tree to configure (default build/wheel), or, with --system-libraries, one to take as it is
--cross            a compiler's prefix, as aarch64-linux-gnu, with --sysroot: a Debian system of that machine, unpacked, with the -dev
                   packages in it. The wheel's program is left to qemu or to a real machine to try
--system           windows or macos: packs the tree that cmake/windows/package.sh or cmake/macos/package.sh has built at --build,
                   where the picture libraries are part of the library and of the programs
--system-libraries packs nothing but our own library, for this machine alone: what tests do with their own build tree

TIFF, HEIC and JPEG XL need the system's libraries, which are opened when such a file comes: Debian's libtiff brings JBIG-KIT and its libheif
x265, both under the GPL, which cannot be packed.
"""
from __future__ import annotations

import argparse
import base64
import hashlib
import os
import pathlib
import platform
import re
import shutil
import struct
import subprocess
import sys
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "app/python/mattebox"
# Of every Linux system (the list of PEP 600's policies) ...
SYSTEM = re.compile(r"^(linux-vdso|ld-linux.*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|z))\.so(\.\d+)*$")
# ... and of what licences allow to be packed.
PACKED = re.compile(r"^lib(jpeg|png16|webp|webpdemux|webpmux|sharpyuv|lcms2)\.so(\.\d+)*$")


# Of --system: the wheel's tag, what strips symbols ([]: nothing, a stripped file's signature would be lost), library, programs.
FOREIGN = {
    "windows": ("win_amd64", ["x86_64-w64-mingw32-strip", "--strip-unneeded"], "mattebox.dll", ("mattebox.exe", "mattebox-weights.exe")),
    "macos": ("macosx_11_0_arm64", [], "libmattebox.dylib", ("mattebox", "mattebox-weights")),
}


def run(*command: str | os.PathLike[str]) -> str:
    done = subprocess.run([os.fspath(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def cross_options(tree: pathlib.Path, prefix: str, sysroot: pathlib.Path) -> list[str]:
    """A toolchain file for another machine."""
    tree.mkdir(parents=True, exist_ok=True)
    file = tree / "toolchain.cmake"
    libraries = sysroot / "usr/lib" / prefix
    file.write_text(f"""set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {prefix.split("-")[0]})
set(CMAKE_C_COMPILER {prefix}-gcc)
set(CMAKE_SYSROOT {sysroot})
set(CMAKE_LIBRARY_ARCHITECTURE {prefix})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(ENV{{PKG_CONFIG_LIBDIR}} {libraries}/pkgconfig:{sysroot}/usr/share/pkgconfig)
set(ENV{{PKG_CONFIG_SYSROOT_DIR}} {sysroot})
""")
    return [f"-DCMAKE_TOOLCHAIN_FILE={file}"]


def build(tree: pathlib.Path, options: list[str]) -> None:
    run("cmake", "-S", ROOT, "-B", tree, "-DCMAKE_BUILD_TYPE=Release", "-DMATTEBOX_TESTS=OFF", "-DMATTEBOX_BENCHMARKS=OFF",
        "-DMATTEBOX_CUDA=OFF", "-DMATTEBOX_SERVER=OFF", "-DMATTEBOX_WHEEL=ON", "-DMATTEBOX_LEAVE_OUT=", *options)
    run("cmake", "--build", tree, "--target", "wheel_parts", "--parallel", str(os.cpu_count() or 1))


def needed(binary: pathlib.Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", binary))


def places(binary: pathlib.Path, prefix: str, sysroot: pathlib.Path | None) -> dict[str, pathlib.Path]:
    """Where the libraries are: as the loader says, or in the sysroot."""
    if sysroot is None:
        return {name: pathlib.Path(path) for name, path in re.findall(r"(\S+) => (/\S+)", run("ldd", binary))}
    return {path.name: path for folder in ("lib", "usr/lib") for path in (sysroot / folder / prefix).glob("*.so*")}


def pack_libraries(library: pathlib.Path, found: dict[str, pathlib.Path]) -> list[pathlib.Path]:
    """Copies what the library needs beside it, under names of our own: another package may bring another version under the usual
    ones, and a process has one library of each name."""
    packed, queue = [], [library]
    names: set[str] = set()
    while queue:
        for name in needed(queue.pop()):
            if SYSTEM.match(name) or name in names:
                continue
            if not PACKED.match(name):
                sys.exit(f"{library.name} needs {name}, which cannot be packed: configure with -DMATTEBOX_LEAVE_OUT=...")
            names.add(name)
            copy = library.parent / name
            shutil.copyfile(found[name], copy)
            queue.append(copy)
            packed.append(copy)
    for binary in [library, *packed]:
        rename_needs(binary, names)
    return [copy.rename(copy.with_name(own_name(copy.name))) for copy in packed]


def own_name(name: str) -> str:
    return "mb_" + name[3:]  # as long as "lib", so that no string moves


def rename_needs(path: pathlib.Path, names: set[str]) -> None:
    """Puts own_name() into the dynamic section's names of itself and of what it needs."""
    data = bytearray(path.read_bytes())
    if data[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"{path}: not a 64-bit little-endian ELF file")
    start, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", data, start + i * size) for i in range(count)]
    loads = [(address, length, offset) for kind, _, offset, address, _, length, _, _ in headers if kind == 1]
    dynamic = next((offset, length) for kind, _, offset, _, _, length, _, _ in headers if kind == 2)
    entries = [struct.unpack_from("<QQ", data, dynamic[0] + at) for at in range(0, dynamic[1], 16)]
    table = next(value for tag, value in entries if tag == 5)  # DT_STRTAB
    strings = next(offset + table - address for address, length, offset in loads if address <= table < address + length)
    for tag, value in entries:
        if tag in (1, 14):  # DT_NEEDED, DT_SONAME
            at = strings + value
            name = data[at:data.index(0, at)].decode()
            if name in names:
                data[at:at + 3] = own_name(name).encode()[:3]
    path.write_bytes(data)


def glibc(binaries: list[pathlib.Path]) -> tuple[int, int]:
    """The newest version of the C library that is asked for."""
    seen = [(int(a), int(b)) for binary in binaries for a, b in re.findall(r"Name: GLIBC_(\d+)\.(\d+)", run("readelf", "-V", binary))]
    return max(seen)


def copyright_of(library: pathlib.Path, sysroot: pathlib.Path | None) -> str:
    """What Debian says of the licence of a packed library."""
    if sysroot is not None:  # unpacked, not installed: no list of files to ask
        stem, _, version = library.name.partition(".so.")
        documents = sysroot / "usr/share/doc"
        for pattern in (f"{stem}{version}*", f"{stem}-{version}*"):
            for text in documents.glob(f"{pattern}/copyright"):
                return text.read_text(errors="replace")
    for place in (library, pathlib.Path("/usr") / library.relative_to("/")):
        done = subprocess.run(["dpkg", "-S", os.fspath(place)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if done.returncode == 0:
            package = done.stdout.split(":")[0]
            return pathlib.Path("/usr/share/doc", package, "copyright").read_text(errors="replace")
    sys.exit(f"{library}: the package that it is of, and its licence, are not known")


def metadata(version: str) -> str:
    readme = (ROOT / "app/python/README.md").read_text()
    return f"""Metadata-Version: 2.4
Name: mattebox
Version: {version}
Summary: Background removal with accurate alpha at hair and fur
License-Expression: MIT
License-File: LICENSE
Requires-Python: >=3.9
Requires-Dist: numpy>=1.21
Provides-Extra: pil
Requires-Dist: Pillow>=9; extra == "pil"
Provides-Extra: ray
Requires-Dist: ray[data]; extra == "ray"
Classifier: Operating System :: POSIX :: Linux
Classifier: Operating System :: Microsoft :: Windows
Classifier: Operating System :: MacOS
Classifier: Programming Language :: Python :: 3
Classifier: Typing :: Typed
Description-Content-Type: text/markdown

{readme}"""


def pack_foreign(system: str, tree: pathlib.Path, package: pathlib.Path, licences: pathlib.Path) -> str:
    """Copies library, programs and the licences of the picture libraries; the platform's tag."""
    tag, strip, library, programs = FOREIGN[system]
    for name, folder in [(library, "lib"), *((program, "bin") for program in programs)]:
        copy = package / folder / name
        shutil.copyfile(tree / name, copy)
        if strip:
            run(*strip, copy)
    sources = sorted((tree / "codecs-work/source").glob("*/debian/copyright"))
    if not sources:
        sys.exit(f"{tree}: no sources of the picture libraries, and so no licences: build it with cmake/{system}/package.sh")
    for text in sources:
        shutil.copyfile(text, licences / f"{text.parents[1].name}.txt")
    return tag


def write(out: pathlib.Path, stage: pathlib.Path, version: str, tag: str) -> pathlib.Path:
    """The zip file, the same bytes for the same contents."""
    info = f"mattebox-{version}.dist-info"
    (stage / info / "METADATA").write_text(metadata(version))
    (stage / info / "WHEEL").write_text(f"Wheel-Version: 1.0\nGenerator: mattebox\nRoot-Is-Purelib: false\nTag: {tag}\n")
    (stage / info / "entry_points.txt").write_text(
        "[console_scripts]\nmattebox = mattebox.__main__:main\nmattebox-weights = mattebox.__main__:weights\n")
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    when = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800))[:6]
    wheel = out / f"mattebox-{version}-{tag}.whl"
    part = wheel.with_suffix(".part")
    record = []
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        def add(name: str, data: bytes, mode: int) -> None:
            entry = zipfile.ZipInfo(name, when)
            entry.external_attr, entry.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)

        for path in files:
            name, data = path.relative_to(stage).as_posix(), path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
            add(name, data, 0o755 if "/bin/" in name else 0o644)
        add(f"{info}/RECORD", ("\n".join([*record, f"{info}/RECORD,,"]) + "\n").encode(), 0o644)
    part.rename(wheel)
    return wheel


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the wheel of mattebox.")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "dist")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/wheel")
    parser.add_argument("--system", choices=sorted(FOREIGN))
    parser.add_argument("--system-libraries", action="store_true")
    parser.add_argument("--cross", default="")
    parser.add_argument("--sysroot", type=pathlib.Path)
    parser.add_argument("cmake", nargs="*", help="more options for cmake, after --")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    sysroot = arguments.sysroot.resolve() if arguments.sysroot else None
    if bool(arguments.cross) != bool(sysroot):
        parser.error("--cross and --sysroot go together")
    if arguments.cross and sysroot:
        arguments.cmake += cross_options(arguments.build, arguments.cross, sysroot)
    if not arguments.system_libraries and not arguments.system:
        build(arguments.build, arguments.cmake)
    version = re.search(r'VERSION = "(.*)"', (SOURCE / "_abi.py").read_text())[1]  # type: ignore[index]
    arguments.out.mkdir(parents=True, exist_ok=True)
    stage = arguments.build / "wheel-stage"
    shutil.rmtree(stage, ignore_errors=True)
    for name in ("lib", "bin"):
        (stage / "mattebox" / name).mkdir(parents=True)
    for path in [*SOURCE.glob("*.py"), SOURCE / "py.typed"]:
        shutil.copyfile(path, stage / "mattebox" / path.name)
    licences = stage / f"mattebox-{version}.dist-info/licenses"
    licences.mkdir(parents=True)
    shutil.copyfile(ROOT / "LICENSE", licences / "LICENSE")
    shutil.copyfile(ROOT / "app/models/AUTHORS.txt", licences / "AUTHORS-of-the-built-in-model.txt")

    if arguments.system:
        tag = pack_foreign(arguments.system, arguments.build, stage / "mattebox", licences)
        wheel = write(arguments.out, stage, version, f"py3-none-{tag}")
        print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB")
        return 0
    library = stage / f"mattebox/lib/libmattebox.so.{version.split('.')[0]}"
    shutil.copyfile(arguments.build / "libmattebox.so", library)
    program = arguments.build / ("mattebox" if arguments.system_libraries else "mattebox-wheel")
    binaries = [library]
    for source, name in ((program, "mattebox"), (arguments.build / "mattebox-weights", "mattebox-weights")):
        binaries.append(stage / "mattebox/bin" / name)
        shutil.copyfile(source, binaries[-1])
        binaries[-1].chmod(0o755)
    machine = arguments.cross.split("-")[0] or platform.machine()
    strip = f"{arguments.cross}-strip" if arguments.cross else "strip"
    platform_tag = f"linux_{machine}"
    if not arguments.system_libraries:
        origins = places(library, arguments.cross, sysroot)
        for copy in pack_libraries(library, origins):
            binaries.append(copy)
            origin = origins["lib" + copy.name[3:]]
            (licences / f"{copy.name}.txt").write_text(copyright_of(origin, sysroot))
        for binary in binaries:
            if binary.name.startswith("mb_"):
                continue
            run(strip, "--strip-unneeded", binary)
        platform_tag = "manylinux_%d_%d_%s" % (*glibc(binaries), machine)
    wheel = write(arguments.out, stage, version, f"py3-none-{platform_tag}")
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
