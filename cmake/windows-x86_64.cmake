# Windows on x86-64 by Debian's cross compiler (gcc-mingw-w64-x86-64-win32): docs/windows.md. The codecs come from
# cmake/cross/codecs.sh; MATTEBOX_CROSS_PREFIX says where they are.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-win32)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-win32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(MB_CROSS_SYSTEM_ROOT /usr/x86_64-w64-mingw32)
include(${CMAKE_CURRENT_LIST_DIR}/cross/root.cmake)
# The stack of a function is aligned to 16 bytes there, and GCC 12 spills 32-byte and 64-byte vectors to it with moves
# that need more (GCC bug 54412): the assembler turns all of them into moves that do not. On today's processors these
# cost nothing where the address is aligned.
set(CMAKE_C_FLAGS_INIT "-Wa,-muse-unaligned-vector-move -D_WIN32_WINNT=0x0A00 -D__USE_MINGW_ANSI_STDIO=1 -D_FILE_OFFSET_BITS=64")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -static-libgcc -fstack-protector-strong -Wl,--stack,8388608 -Wl,--dynamicbase,--nxcompat,--high-entropy-va")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static -static-libgcc -fstack-protector-strong -Wl,--dynamicbase,--nxcompat,--high-entropy-va")
