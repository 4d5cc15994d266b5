#!/bin/sh
# The C compiler for macOS on Arm: zig, which brings headers and link stubs of the system library (docs/macos.md).
# MATTEBOX_ZIG: the command, if it is not `zig`
# shellcheck disable=SC2086 # "python3 -m ziglang" is several words
exec ${MATTEBOX_ZIG:-zig} cc -target aarch64-macos.11.0 "$@"
