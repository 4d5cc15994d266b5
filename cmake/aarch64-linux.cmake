# Cross build for 64-bit Arm by Debian's gcc-aarch64-linux-gnu:
#   cmake -S . -B build-arm --toolchain cmake/aarch64-linux.cmake [-DMATTEBOX_ARM_ROOT=DIR]
# DIR holds the arm64 packages of zlib, libjpeg-turbo and libpng, unpacked (tests/arm/root.sh makes it). Without it they are
# looked for where Debian's multiarch packages (zlib1g-dev:arm64 ...) lie. Tests and ctest run under qemu-aarch64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
find_program(MB_CROSS_CXX aarch64-linux-gnu-g++)
if(MB_CROSS_CXX)
    set(CMAKE_CXX_COMPILER ${MB_CROSS_CXX})
else()
    set(CMAKE_CXX_COMPILER CMAKE_CXX_COMPILER-NOTFOUND) # not the compiler of this machine
endif()

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MATTEBOX_ARM_ROOT)
if(MATTEBOX_ARM_ROOT)
    set(CMAKE_FIND_ROOT_PATH ${MATTEBOX_ARM_ROOT} /usr/aarch64-linux-gnu)
    set(ENV{PKG_CONFIG_SYSROOT_DIR} ${MATTEBOX_ARM_ROOT})
    set(ENV{PKG_CONFIG_LIBDIR} ${MATTEBOX_ARM_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig)
    set(CMAKE_C_FLAGS_INIT "-isystem ${MATTEBOX_ARM_ROOT}/usr/include/aarch64-linux-gnu") # jconfig.h
else()
    set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu /usr)
    set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig)
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH) # stb_image.h belongs to no architecture
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

find_program(MB_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(MB_QEMU)
    set(CMAKE_CROSSCOMPILING_EMULATOR ${MB_QEMU};-L;/usr/aarch64-linux-gnu;-cpu;max)
endif()
