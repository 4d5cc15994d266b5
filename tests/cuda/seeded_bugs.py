"""Puts one bug at a time into a copy of a CUDA kernel and asks whether the emulated op test finds it.
usage: seeded_bugs.py BUILD [NAME|--quick]      BUILD: a tree configured with Ninja and built; one built with
-DMATTEBOX_SANITIZE=address,undefined finds more. --quick: the few that are part of the default tests; all take some minutes. Exit 1 when a bug that must be found is not, or one marked as out of reach is (then docs/cuda.md is wrong).
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PLAIN, ASAN, NEVER = "found", "found with the address sanitizer", "out of reach"
# name, file, op whose test must find it, what to replace, by what, who finds it
BUGS = [
    ("barrier missing before the read", "layer_norm.cu", "layer_norm", "    __syncthreads();\n    float s = 0.0f;", "    float s = 0.0f;", PLAIN),
    ("barrier in a divergent branch", "layer_norm.cu", "layer_norm", "    if (threadIdx.x % 32 == 0) {\n", "    if (threadIdx.x % 32 == 0) {\n        __syncthreads();\n", PLAIN),
    ("shared memory never written", "layer_norm.cu", "layer_norm", "if (threadIdx.x % 32 == 0) {", "if (threadIdx.x == 0) {", PLAIN),
    ("shared read past the end", "layer_norm.cu", "layer_norm", "w < THREADS / 32; w++", "w <= THREADS / 32; w++", PLAIN),
    ("tail of the row not guarded", "layer_norm.cu", "layer_norm", "        int c = (p * 32 + lane) * V;\n        if (c < r.cols) {\n            put", "        int c = (p * 32 + lane) * V;\n        if (c <= r.cols) {\n            put", PLAIN),
    ("block of 2,048 threads", "layer_norm.cu", "layer_norm", "block(WARPS * 32);", "block(2048);", PLAIN),
    ("two rows one place", "layer_norm.cu", "layer_norm", "r.y + (size_t)row *", "r.y + (size_t)(row / 2) *", PLAIN),
    ("cp.async not waited for", "window_attention.cu", "window_attention", "    mb_cp_async_wait<0>();\n", "", PLAIN),
    ("barrier missing after the loads", "window_attention.cu", "window_attention", "    mb_cp_async_wait<0>();\n    __syncthreads();", "    mb_cp_async_wait<0>();", PLAIN),
    ("barrier missing after the indices", "window_attention.cu", "window_attention", "    __syncthreads();\n    for (int i = tid; i < K::ROWS * 3", "    for (int i = tid; i < K::ROWS * 3", PLAIN),
    ("one entry too many in a shared table", "window_attention.cu", "window_attention", "i < K::TABLE; i +=", "i <= K::TABLE; i +=", ASAN),
    ("shift mask left out", "window_attention.cu", "window_attention", " && label[row] == label[key]", "", PLAIN),
    ("wrong fragment row", "window_attention.cu", "window_attention", "row0 + lane / 4 + 8}", "row0 + lane / 4 + 4}", PLAIN),
    ("keys past the window take part", "window_attention.cu", "window_attention", "key < K::KEYS && ", "", PLAIN),
    ("padding reads a wrong row", "window_attention.cuh", "window_attention", "return y < m.height && x < m.width ?", "return y < m.height ?", PLAIN),
    ("warp barrier missing", "window_attention_plain.cu", "window_attention", "        __syncwarp(); /* p and q are about to be written again */\n", "", PLAIN),
    ("buffer refilled too early", "vit_attention.cu", "vit_attention", "        __syncthreads(); /* the tile after next goes where this one was */\n", "", PLAIN),
    ("waits for one group too few", "vit_attention.cu", "vit_attention", "mb_cp_async_wait<1>();", "mb_cp_async_wait<2>();", PLAIN),
    ("queries overwritten too early", "vit_attention.cu", "vit_attention", "    __syncthreads(); /* the buffer is about to be filled again */\n", "", PLAIN),
    ("keys past the end take part", "vit_attention.cu", "vit_attention", "key < keys.count ? m.scale", "true ? m.scale", PLAIN),
    ("padding of a window not a key", "vit_attention.cuh", "vit_attention", "rows * cols + 1}", "rows * cols}", PLAIN),
    ("padding beside the picture forgotten", "vit_relative.cu", "vit_attention", " + expf(high - most) * (beside_sum * right_sum)", "", PLAIN),
    ("terms read before they are written", "vit_relative.cu", "vit_attention", "    __syncthreads();\n    int rows", "    int rows", PLAIN),
    ("running maximum not applied to the sum", "vit_attention.cu", "vit_attention", "        sum[h] *= scale;\n", "", PLAIN),
    ("offsets x and y swapped", "deform_conv2d.cu", "deform_conv2d", "at_offset + 1)", "at_offset)", PLAIN),
    ("neighbour outside the map read", "deform_conv2d.cu", "deform_conv2d", "y >= height || x1 >= width", "y > height || x1 > width", PLAIN),
    ("slice barrier missing", "gemm.cuh", "linear", "        __syncthreads(); /* slice t is done with, slice t + 1 is there */\n    }\n    gemm_mma_store", "    }\n    gemm_mma_store", PLAIN),
    ("slice of f32 barrier missing", "gemm.cuh", "linear", "        __syncthreads(); /* slice t is done with, slice t + 1 is there */\n    }\n    for", "    }\n    for", PLAIN),
    ("one buffer instead of two", "gemm.cuh", "linear", "b_to = b_tile + ((t + 1) & 1)", "b_to = b_tile + (0 & 1)", PLAIN),
    ("rows past the end written", "gemm.cuh", "linear", "        if (m >= rows) {\n            continue;\n        }\n        int token = source.token(m), item = source.item(m);\n        size_t row", "        int token = source.token(m), item = source.item(m);\n        size_t row", PLAIN),
    ("dynamic shared memory asked too small", "gemm.cuh", "linear", "SHARED = 2 * (BM + BN) * PITCH * 2", "SHARED = 2 * (BM + BN) * PITCH", ASAN),
    ("ring of the border variants too wide", "conv2d.cu", "conv2d", "rh = z / 3 == 1 ? out_h - 2 : 1;", "rh = z / 3 == 1 ? out_h - 1 : 1;", PLAIN),
    ("taps: barrier missing before the row is read", "resample_taps.cu", "image_io", "    __syncthreads();\n    if (x < p.axis.out) {", "    if (x < p.axis.out) {", PLAIN),
    ("taps: barrier missing before the store", "resample_taps.cu", "image_io", "    __syncthreads();\n    mb_store_bytes", "    mb_store_bytes", PLAIN),
    ("taps: half left out", "resample_taps.cu", "image_io", "sum[c] = HALF;", "sum[c] = 0;", PLAIN),
    ("taps: one tap too few", "resample_taps.cu", "image_io", "j < p.axis.other[y]", "j < p.axis.other[y] - 1", PLAIN),
    ("taps: a row that does not fit read as if", "resample_taps.cu", "image_io", "const bool fits = end - begin <= SPAN;", "const bool fits = true;", ASAN),
    ("bytes stored past the row", "image_io.cuh", "image_io", "if (at < pitch)", "if (at < pitch + 16)", PLAIN),
    ("linear: product rounded on its own", "resample_linear.cu", "image_io", "fmaf(below - above, ly, above)", "(below - above) * ly + above", PLAIN),
    ("linear: across of the row below left out", "resample_linear.cu", "image_io", "below = (1.0f - lx) * v[2] + lx * v[3];", "below = v[2];", PLAIN),
    ("input: pixels beyond the picture", "write_input.cu", "image_io", "if (x < p.width && y < p.height)", "if (y < p.height)", PLAIN),
    ("input: padding counts for the largest", "write_input.cu", "image_io", "at + (size_t)i < end && v > most", "v > most", PLAIN),
    ("mask: maximum of one warp", "mask_bytes.cu", "image_io", "threadIdx.x % 32 == 0 && v > 0", "threadIdx.x == 0 && v > 0", PLAIN),
    ("mask: lowest forgotten", "mask_bytes.cu", "image_io", "        warp_max(p.words + MB_MASK_LOW, low);\n", "", PLAIN),
    ("fused multiply-add in the index", "resize_bilinear.cu", "resize_bilinear", "__fmul_rn(r, (float)o)", "r * (float)o", NEVER),
    ("bank conflicts (rows not padded)", "vit_attention.cu", "vit_attention", "PITCH = DIM + 8", "PITCH = DIM", NEVER),
]


QUICK = ("barrier missing before the read", "shared read past the end", "two rows one place", "shift mask left out",
         "offsets x and y swapped", "slice barrier missing", "padding beside the picture forgotten",
         "taps: barrier missing before the row is read", "mask: maximum of one warp")


def objects(build):
    base = f"{build}/tests/cuda/CMakeFiles"
    found = [p for d in ("mb_cuda_host", "mb_cuda_emulated", "mb_cuda_emulator") for p in glob.glob(f"{base}/{d}.dir/**/*.o", recursive=True)]
    return found


def cached(build, key):
    for line in open(f"{build}/CMakeCache.txt"):
        if line.startswith(key + ":"):
            return line.split("=", 1)[1].strip()
    return ""


def path_of(file):
    """Where a source of the back end lies: its names are unique over the folders."""
    found = glob.glob(f"{ROOT}/kernels/cuda/*/{file}")
    assert len(found) == 1, f"{file}: {found}"
    return found[0]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(text)


def find(build, bug):
    name, file, op, old, new, _ = bug
    source = open(path_of(file)).read()
    if source.count(old) != 1:
        return f"the seed matches {source.count(old)} times"
    folder = f"{build}/bugs"
    os.makedirs(folder, exist_ok=True)
    for p in glob.glob(f"{folder}/**/*.cu*", recursive=True):
        os.remove(p)
    write(f"{folder}/{os.path.relpath(path_of(file), f'{ROOT}/kernels')}", source.replace(old, new))
    units = [file] if file.endswith(".cu") else {"gemm.cuh": ["conv2d.cu"], "image_io.cuh": ["resample_taps.cu", "resample_linear.cu"], "vit_attention.cuh": ["vit_attention.cu", "vit_attention_plain.cu", "vit_relative.cu"], "window_attention.cuh": ["window_attention.cu", "window_attention_plain.cu"]}[file]
    sanitize = cached(build, "MATTEBOX_SANITIZE")
    flags = ["-std=c++17", "-O1", "-g", "-w", "-mf16c", "-ffp-contract=off", *([f"-fsanitize={sanitize}"] if sanitize else [])]
    made = []
    for u in units:
        unit = f"{folder}/{os.path.relpath(path_of(u), f'{ROOT}/kernels')}"
        if not os.path.exists(unit):
            write(unit, open(path_of(u)).read())
        made.append(f"{folder}/{u}.o")
        subprocess.run(["g++", *flags, f"-I{folder}", f"-I{ROOT}/kernels", f"-I{ROOT}/engine", f"-I{ROOT}/engine/include",
                        "-x", "c++", "-c", unit, "-o", made[-1]], check=True)
    rest = [o for o in objects(build) if os.path.basename(o) not in {u + ".o" for u in units}]
    target = f"test_cuda_{op}" if op == "image_io" else f"test_cuda_op_{op}"
    test = glob.glob(f"{build}/tests/cuda/CMakeFiles/{target}.dir/**/*.o", recursive=True)
    program = f"{folder}/program"
    libraries = [f"{build}/tests/libmb_harness.a", f"{build}/libmattebox.a"]
    link = open(f"{build}/build.ninja").read()
    more = re.search(rf"build {target}:.*?LINK_LIBRARIES = ([^\n]*)", link, re.S)[1].split()
    more = [m if not m.endswith(".a") or os.path.isabs(m) else f"{build}/{m}" for m in more]
    subprocess.run(["g++", *flags[-1:], *made, *test, *rest, *libraries, *more, "-o", program], check=True)
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    try:
        r = subprocess.run([program], capture_output=True, text=True, env=env, timeout=600)
    except subprocess.TimeoutExpired:
        return "never ends"
    if r.returncode == 0:
        return ""
    text = r.stdout + r.stderr
    said = re.search(r"(heap-buffer-overflow|use-after-poison|runtime error|stuck|bad launch|never waited for|wait at|not a multiple of 16|"
                     r"written outside|another order|different warp operations|has left the kernel|too much shared|is allowed|another mask|another input|SEGV)", text)
    return {"is allowed": "wrong value", "another mask": "wrong bytes", "another input": "wrong bytes"}.get(said[1], said[1]) if said else f"exit {r.returncode}"


def main():
    build, only = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    watched = "address" in cached(build, "MATTEBOX_SANITIZE")
    surprises = 0
    for bug in BUGS:
        if bug[0] not in QUICK if only == "--quick" else not bug[0].startswith(only):
            continue
        said = find(build, bug)
        must = bug[5] == PLAIN or (bug[5] == ASAN and watched)
        surprise = bool(said) != must and not (bug[5] == ASAN and said)
        surprises += surprise or said.startswith("the seed")
        print(f"{bug[0]:42s} {bug[1]:28s} {said or '-':24s}{'   <-- ' + bug[5] + ' was expected' if surprise else ''}", flush=True)
    print(f"{surprises} surprises")
    sys.exit(surprises > 0)


main()
