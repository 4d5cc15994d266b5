#!/bin/sh
# A processor's bf16 product (AVX512_BF16's VDPBF16PS) is not f32 arithmetic on rounded operands, and engines hand its behaviour on, to the
# bit. So a network in bf16 cannot be checked exactly against f32 sums of the same rounded values: two fifths of the sums of 64 differ in
# their last places, a weight below 2^-126 is no weight, and what cancels may be lost. A test of such a path needs a model of the instruction.
#
# Guess: bf16 has f32's exponents, so operands widen without loss, products are exact, and sums are f32's: in order of K, rounded as the
# control register (MXCSR) says, with subnormal numbers unless it flushes them, with its flags.
# Seen on 30 November 2026, an Emerald Rapids Xeon without AMX:
# - the instruction: of its two pairs the second comes first, each by a fused multiply-add rounded to nearest even; subnormal operands,
#   addends and results count as zero, a result if it is below 2^-126 once it is rounded to 24 bits (2^-126 - 2^-151 is not); all of this
#   whatever MXCSR's rounding and flushing say; it sets no flag and raises no exception, not even for signalling NaNs with everything
#   unmasked; 0 x inf is the negative default NaN, a signalling NaN becomes quiet, and of two NaNs in the pairs that of the first wins.
# - OpenVINO 2026.4.1 with "bf16" (on such a processor its default) and oneDNN 3.2 (onednn-cpu-gomp 2023.2.0): products of matrices have the
#   bits of a chain of these instructions along K. 2^24 - 2^24 + 1 is 0 and 2^-130 x 2^120 is 0, where f32, OpenVINO's too, has 1 and 2^-10.
#   With AMX both take TDPBF16PS instead, which sums in another way: the same file gives other bits there.
# Exits with 77 where the processor has no AVX512_BF16, or AMX, which hides it from engines. Fails if what it sees differs.
set -eu
if ! grep -qw avx512_bf16 /proc/cpuinfo; then
    echo "this processor has no AVX512_BF16: nothing to be seen here"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/product.c" <<'END_OF_C'
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int wrong;

static float of_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* x is a bf16 number exactly: its upper half. */
static uint32_t bf16(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u >> 16;
}

/* One lane: c, then the pairs (a0, b0) and (a1, b1). */
static float product(float c, float a0, float b0, float a1, float b1)
{
    __m512i a = _mm512_set1_epi32((int)(bf16(a1) << 16 | bf16(a0)));
    __m512i b = _mm512_set1_epi32((int)(bf16(b1) << 16 | bf16(b0)));
    float out[16];
    _mm512_storeu_ps(out, _mm512_dpbf16_ps(_mm512_set1_ps(c), (__m512bh)a, (__m512bh)b));
    return out[7];
}

/* c[m][n] = sum over k of a[m][k] b[k][n]: pairs of k in order, each by the instruction. */
void by_instruction(float *c, const uint16_t *a, const uint16_t *b, int64_t m, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < m * n; i++) {
        const uint16_t *row = a + i / n * k, *column = b + i % n;
        __m512 sum = _mm512_setzero_ps();
        for (int64_t j = 0; j < k; j += 2) {
            __m512i x = _mm512_set1_epi32((int)((uint32_t)row[j + 1] << 16 | row[j]));
            __m512i y = _mm512_set1_epi32((int)((uint32_t)column[(j + 1) * n] << 16 | column[j * n]));
            sum = _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)y);
        }
        float out[16];
        _mm512_storeu_ps(out, sum);
        c[i] = out[0];
    }
}

/* The same by f32 multiply-adds in order of k. */
void by_f32(float *c, const uint16_t *a, const uint16_t *b, int64_t m, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < m * n; i++) {
        float sum = 0;
        for (int64_t j = 0; j < k; j++) {
            sum = __builtin_fmaf(of_bits((uint32_t)a[i / n * k + j] << 16), of_bits((uint32_t)b[j * n + i % n] << 16), sum);
        }
        c[i] = sum;
    }
}

static void see(const char *what, float seen, float wanted)
{
    uint32_t s, w;
    memcpy(&s, &seen, sizeof s);
    memcpy(&w, &wanted, sizeof w);
    if (s != w) {
        wrong++;
        printf("  changed: %s gives %a (%08x), not %a (%08x)\n", what, (double)seen, s, (double)wanted, w);
    }
}

static void values(void)
{
    const float inf = __builtin_inff(), large = 0x1p24f;
    see("2^24 + 1 * 1 + 1 * 1", product(large, 1, 1, 1, 1), large); /* each sum by itself, ties to even */
    see("2^24 - 2^24 * 1 + 1 * 1", product(large, -large, 1, 1, 1), 0);
    see("2^24 + 1 * 1 - 2^24 * 1", product(large, 1, 1, -large, 1), 1); /* so the second pair comes first */
    see("-2^127 + 2^64 * 2^64", product(-0x1p127f, 0x1p64f, 0x1p64f, 0, 0), 0x1p127f); /* the product alone is too large */
    see("2^-127 * 2^120", product(0, 0x1p-127f, 0x1p120f, 0, 0), 0);
    see("2^-127 added to 1 * 0", product(0x1p-127f, 1, 0, 0, 0), 0);
    see("2^-100 * 2^-30", product(0, 0x1p-100f, 0x1p-30f, 0, 0), 0);
    see("2^-126 - 1.5 * 2^-126", product(0, 0x1p-60f, 0x1p-66f, -0x1p-60f, 0x1.8p-66f), -0.0f);
    see("2^-126 - 2^-150", product(0x1p-126f, 0x1p-75f, -0x1p-75f, 0, 0), 0);
    see("2^-126 - 2^-151", product(0x1p-126f, 0x1p-75f, -0x1p-76f, 0, 0), 0x1p-126f); /* by rounding */
    see("2^-126 * 1", product(0, 0x1p-126f, 1, 0, 0), 0x1p-126f);
    see("0 * inf", product(0, inf, 0, 0, 0), of_bits(0xffc00000));
    see("inf - inf", product(-inf, inf, 1, 0, 0), of_bits(0xffc00000));
    see("a signalling NaN", product(0, of_bits(0x7f810000), 1, 0, 0), of_bits(0x7fc10000));
    see("a NaN in each pair", product(0, of_bits(0x7fc10000), 1, of_bits(0x7fc20000), 1), of_bits(0x7fc10000));
    see("a NaN to add to", product(of_bits(0xffc00123), 1, 1, 1, 1), of_bits(0xffc00123));
}

int main(void)
{
    static const struct {
        const char *name;
        unsigned bits;
    } modes[] = {{"as a program starts", 0x1f80},         {"flushing subnormal numbers", 0x1f80 | 0x8040}, {"rounding down", 0x1f80 | 0x2000},
                 {"rounding up", 0x1f80 | 0x4000},        {"rounding to zero", 0x1f80 | 0x6000},           {"with every exception unmasked", 0}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const int before = wrong;
        _mm_setcsr(modes[i].bits);
        values();
        const unsigned flags = _mm_getcsr() & 0x3f;
        _mm_setcsr(0x1f80);
        wrong += flags != 0;
        printf("VDPBF16PS, MXCSR %s: %s, flags %02x\n", modes[i].name, wrong > before ? "changed" : "as described", flags);
    }
    return wrong > 0;
}
END_OF_C
cc -O1 -fPIC -mfma -mavx512f -mavx512bf16 "$work/product.c" -o "$work/product"
cc -O1 -fPIC -shared -mfma -mavx512f -mavx512bf16 "$work/product.c" -o "$work/product.so"
"$work/product"
if grep -qw amx_bf16 /proc/cpuinfo; then
    echo "the instruction is as described; engines use AMX here"
    exit 77
fi

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q openvino==2026.4.1 onednn-cpu-gomp==2023.2.0 numpy
"$work/venv/bin/python" - "$work" <<'END'
import ctypes
import sys

import numpy as np
import openvino
from openvino import opset13 as ops

work = sys.argv[1]
ours = ctypes.CDLL(work + "/product.so")
dnnl = ctypes.CDLL(work + "/venv/lib/libdnnl.so.3")
M, N, K = 48, 64, 64


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def narrow(x):
    """-> the upper halves: x holds bf16 numbers"""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    assert not np.any(bits & 0xFFFF)
    return (bits >> 16).astype(np.uint16)


def by(function, a, b):
    out = np.empty((M, N), np.float32)
    function(pointer(out), pointer(narrow(a)), pointer(narrow(b)), *map(ctypes.c_int64, (M, N, K)))
    return out


def check(status):
    assert status == 0, f"oneDNN: status {status}"


def by_onednn(a, b):
    """-> bf16 x bf16 to f32, and the name of the implementation"""
    handle = ctypes.c_void_p
    engine, stream, description, primitive, name = handle(), handle(), handle(), handle(), ctypes.c_char_p()
    check(dnnl.dnnl_engine_create(ctypes.byref(engine), 1, ctypes.c_size_t(0)))
    check(dnnl.dnnl_stream_create(ctypes.byref(stream), engine, 1))
    arrays = narrow(a), narrow(b), np.empty((M, N), np.float32)
    shapes, memories = [], []
    for array, kind in zip(arrays, (2, 2, 3)):  # bf16, bf16, f32
        shape, memory = handle(), handle()
        dims = (ctypes.c_int64 * 2)(*array.shape)
        check(dnnl.dnnl_memory_desc_create_with_tag(ctypes.byref(shape), 2, dims, kind, 3))  # row after row
        check(dnnl.dnnl_memory_create(ctypes.byref(memory), shape, engine, pointer(array)))
        shapes.append(shape)
        memories.append(memory)
    check(dnnl.dnnl_matmul_primitive_desc_create(ctypes.byref(description), engine, shapes[0], shapes[1], None, shapes[2], None))
    check(dnnl.dnnl_primitive_desc_query(description, 8, 0, ctypes.byref(name)))
    check(dnnl.dnnl_primitive_create(ctypes.byref(primitive), description))

    class Argument(ctypes.Structure):
        _fields_ = [("which", ctypes.c_int), ("memory", handle)]

    check(dnnl.dnnl_primitive_execute(primitive, stream, 3, (Argument * 3)(*zip((1, 33, 17), memories))))
    check(dnnl.dnnl_stream_wait(stream))
    return arrays[2], name.value.decode()


def by_openvino(a, b, precision):
    x, y = ops.parameter([M, K], np.float32), ops.parameter([K, N], np.float32)
    model = openvino.Model([ops.matmul(x, y, False, False)], [x, y], "product")
    return np.array(openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})([a, b])[0])


def of_vectors(a, b):
    """-> matrices whose every product is that of these two short vectors"""
    x, y = np.zeros((M, K), np.float32), np.zeros((K, N), np.float32)
    x[:, : len(a)] = a
    y[: len(b)] = np.array(b, np.float32)[:, None]
    return x, y


random = np.random.default_rng(0)
wide = lambda *shape: (random.integers(-128, 128, shape) * np.exp2(random.integers(-6, 7, shape))).astype(np.float32)
cases = {
    "2^24 - 2^24 + 1": of_vectors([2**12, 0, -(2**12), 1], [2**12, 0, 2**12, 1]),
    "2^-130 * 2^120": of_vectors([2.0**-130], [2.0**120]),
    "random sums of 64": (wide(M, K), wide(K, N)),
}
for case, (a, b) in cases.items():
    instruction, f32 = by(ours.by_instruction, a, b), by(ours.by_f32, a, b)
    onednn, implementation = by_onednn(a, b)
    ov_bf16, ov_f32 = (by_openvino(a, b, precision) for precision in ("bf16", "f32"))
    print(case)
    for who, result in {"f32": f32, "the instruction": instruction, f"oneDNN ({implementation})": onednn, "OpenVINO in bf16": ov_bf16, "OpenVINO in f32": ov_f32}.items():
        print(f"  {who}: {result[0, 0]:.9g}; {np.mean(result != f32):.1%} of the sums are not f32's, {np.mean(result != instruction):.1%} not the instruction's")
    assert np.array_equal(onednn, instruction) and np.array_equal(ov_bf16, instruction)
    assert np.mean(f32 != instruction) > 0.2 and np.allclose(ov_f32, f32, rtol=1e-5, atol=10 if case.startswith("random") else 0)
END
