#!/bin/sh
# 64-bit Arm by cross build and emulation, outside the default tests: arm.sh [BUILD_ARM [CTEST ARGUMENTS]]
# Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user qemu-user-static. Everything under qemu-aarch64 -cpu max, so NEON
# and BFMMLA both run. Without arguments: all tests that need no shell around the program (hours on one core); `-R ops/linear`,
# `-R "^ops/"` or `-L models` choose. Instructions per multiply-add are counted at the end, beside AVX2's (arm/instructions.sh).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build-arm}
[ $# -eq 0 ] || shift
for tool in aarch64-linux-gnu-gcc qemu-aarch64 qemu-x86_64 qemu-aarch64-static cmake ctest cc; do
    command -v "$tool" >/dev/null || { echo "arm.sh: $tool is missing (gcc-aarch64-linux-gnu, qemu-user, qemu-user-static)" >&2; exit 1; }
done
sh "$here/arm/root.sh" "$build/root"
root=$(cd "$build/root" && pwd)
cmake -S "$here/.." -B "$build" --toolchain "$here/../cmake/aarch64-linux.cmake" -DMATTEBOX_ARM_ROOT="$root" \
    -DMATTEBOX_CUDA=OFF -DMATTEBOX_WERROR=ON
cmake --build "$build" --parallel
if [ $# -eq 0 ]; then
    set -- -L '^(core|ops|graph|models|segment|matting|image|format)$'
fi
(cd "$build" && ctest --output-on-failure --timeout 20000 "$@")
cmake -S "$here/.." -B "$build/x86" -DMATTEBOX_CUDA=OFF
cmake --build "$build/x86" --parallel --target bench_instructions
sh "$here/arm/instructions.sh" "$build/x86" "$build"
