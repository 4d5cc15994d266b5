#!/bin/sh
# 64-bit Arm by cross build and emulation (docs/build.md). usage:
#   arm.sh [BUILD_ARM [CTEST ARGUMENTS]]          all tests that need no shell around the program; `-R ops/linear`, `-R "^ops/"` or
#                                                 `-L models` choose. Builds with a compiler for this machine as well, to count
#                                                 instructions. Hours under emulation: networks at full size, every failing allocation
#   MATTEBOX_TEST_SHORT=1 arm.sh ...              every program, but a spread of the runs that cost an emulated processor most
#                                                 (docs/build.md): 120 programs in 80 minutes of two busy cores
#   arm.sh --quarter [BUILD_ARM [LINUX_BUILD]]    what .ci/run runs: installs what is missing, builds the chosen programs alone and
#                                                 runs them; LINUX_BUILD has the program of AVX2's loops to count against
# Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user qemu-user-static (app/install-deps.sh --arm). Everything under
# qemu-aarch64 -cpu max, so the generic set, NEON and BFMMLA all run. At the end instructions per multiply-add are counted beside
# AVX2's (arm/instructions.sh). What is missing is an error, in both ways.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
quarter=""
[ "${1:-}" = --quarter ] && { quarter=yes; shift; }
build=${1:-build-arm}
[ $# -eq 0 ] || shift
[ -z "$quarter" ] || sh "$here/../app/install-deps.sh" --arm
for tool in aarch64-linux-gnu-gcc qemu-aarch64 qemu-x86_64 qemu-aarch64-static cmake ctest cc; do
    command -v "$tool" >/dev/null || { echo "arm.sh: $tool is missing (app/install-deps.sh --arm)" >&2; exit 1; }
done
# -Bsymbolic: the code of libpng.a is not made for shared libraries, and links into one if its calls stay within
configure() {
    sh "$here/arm/root.sh" "$build/root"
    root=$(cd "$build/root" && pwd)
    cmake -S "$here/.." -B "$build" --toolchain "$here/../cmake/aarch64-linux.cmake" -DMATTEBOX_ARM_ROOT="$root" \
        -DMATTEBOX_CUDA=OFF -DMATTEBOX_WERROR=ON -DCMAKE_SHARED_LINKER_FLAGS=-Wl,-Bsymbolic "$@"
}

# The quarter, a line each: program, then those of its sub-tests that are wanted (none: all). Ops whose loops have NEON's intrinsics
# or Winograd's tiles, in every set; 16-bit products; networks on small goldens, by the generic set as well; matting.
chosen() {
    cat <<'PROGRAMS'
ops/products16
ops/conv2d "3x3 gelu" "3x3 addend vector" "3x3 sigmoid to one channel" "3x3 stride 2, odd" "3x3 from 1 channel" "3x3 from 3 channels"
ops/conv2d "3x3 on 32 x 33" "3x3 on 35 x 30, addend" "7x7 on 31 x 35" "1x1 gelu to 3 channels" "4x4 stride 4 (Swin's patches)" "5x5 border variants"
ops/linear
ops/deform_conv2d "3x3 relu" "1x1" "7x7 on one pixel" "3x3 one channel" "3x3 hostile offsets"
ops/upsample_conv2d "bias, addend, relu" "one row" "one pixel"
ops/window_attention "one window" "shifted and padded" "window 7, d 32, shifted" "d 5" "big logits"
ops/vit_attention "global, odd" "global, table enlarged" "windows, padded" "padding as one key, odd" "big logits"
ops/layer_norm
ops/unary
models/birefnet birefnet_tiny7_32x32
MATTEBOX_ISA=generic models/birefnet birefnet_tiny7_32x32
models/vitmatte vitmatte_tiny4_20x31
MATTEBOX_ISA=generic models/vitmatte vitmatte_tiny4_20x31
models/demo "as_pytorch: as built"
matting/guided
matting/closed_form laplacian solutions
PROGRAMS
}
if [ -n "$quarter" ]; then
    linux=${1:-build}
    [ -x "$linux/bench_instructions" ] || { echo "arm.sh: $linux has no bench_instructions: build it first" >&2; exit 1; }
    configure -G Ninja
    # shellcheck disable=SC2046 # names without blanks
    ninja -C "$build" --quiet bench_instructions $(chosen | sed 's|^MATTEBOX_ISA=[^ ]* ||; s|^\([^/]*\)/\([^ ]*\).*|test_\1_\2|' | sort -u)
    # the emulated processor has BF16, the compiler too, and the program has found both
    qemu-aarch64-static -L /usr/aarch64-linux-gnu -cpu max "$build/test_ops_products16" | grep "NEON BFMMLA" ||
        { echo "arm.sh: BFMMLA did not run" >&2; exit 1; }
    chosen | xargs -P "$(nproc)" -L 1 sh "$here/arm/one.sh" "$build"
    exec sh "$here/arm/instructions.sh" "$linux" "$build"
fi

configure
cmake --build "$build" --parallel
if [ $# -eq 0 ]; then
    set -- -L '^(core|ops|graph|models|segment|matting|image|format)$'
fi
(cd "$build" && ctest --output-on-failure --parallel "$(nproc)" "$@")
cmake -S "$here/.." -B "$build/x86" -DMATTEBOX_CUDA=OFF
cmake --build "$build/x86" --parallel --target bench_instructions
sh "$here/arm/instructions.sh" "$build/x86" "$build"
