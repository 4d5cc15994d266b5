# Of the scripts that build for another system (docs/windows.md, docs/macos.md), which source it: everything in which the systems
# differ for them. Set before: root, the folder of the tree; system, windows or macos.
#   host cc ar ranlib   what configure scripts call the system; its compiler, archiver and indexer
#   machine, toolchain  of which processor; the file for CMake
#   zlib_flags          zlib takes any macOS for one of the last century, without fdopen
#   png_flags           an option of CMake: libpng takes it for one with another header of mathematics
#   our_options         options of CMake for our own tree
# shellcheck shell=sh disable=SC2034,SC2154 # the scripts set and use them
case $system in
windows)
    machine=x86_64 host=x86_64-w64-mingw32
    cc=$host-gcc-win32 ar=$host-ar ranlib=$host-ranlib
    zlib_flags="" png_flags=""
    our_options="-DMATTEBOX_CUDA=${MATTEBOX_CUDA:-OFF}"
    ;;
macos)
    machine=arm64 host=aarch64-apple-darwin
    cc=$root/cmake/macos/cc.sh ar=$root/cmake/macos/ar.sh ranlib=$root/cmake/macos/ranlib.sh
    zlib_flags=-Dfdopen=fdopen png_flags="-DCMAKE_C_FLAGS=-include math.h"
    our_options="-DMATTEBOX_CUDA=OFF -DMATTEBOX_SERVER=OFF -DMATTEBOX_TESTS=OFF -DMATTEBOX_BENCHMARKS=OFF"
    ;;
*)
    echo "$system: windows or macos" >&2
    exit 2
    ;;
esac
toolchain=$root/cmake/$system-$machine.cmake
