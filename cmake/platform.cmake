# Everything in which the systems differ for the build: no other CMake file asks which system it is built for, except the toolchain
# files, which say so (tests/structure/platform.sh), as in C engine/core/os_* alone do. The shell scripts have cmake/cross/system.sh.
#   MB_POSIX                 threads, files and processes by POSIX; benchmarks and tests of the command line are built
#   MB_LINUX                 and what Linux alone has: units for systemd, modules of servers
#   MB_OF_OTHERS             which sources belong to other systems
#   MB_SYSTEM_WARNINGS       options for our own code
#   MB_HARDENED_BY_LINKER    the linker has no options for hardening, and does it by itself
#   MB_HARDENING             options of the compiler that harden, asked for before use
#   MB_CUDA_BY_DRIVER        CUDA's kernels are launched through the driver, not NVIDIA's runtime (docs/decisions/029)
#   mb_finish_library(name)  what the shared library shows, and how it is linked
#   Threads::Threads
set(MB_POSIX TRUE)
set(MB_LINUX FALSE)
set(MB_SYSTEM_WARNINGS "")
set(MB_HARDENED_BY_LINKER FALSE)
set(MB_HARDENING -fstack-clash-protection -fcf-protection=full)
set(MB_CUDA_BY_DRIVER FALSE)
if(WIN32)
    set(MB_POSIX FALSE)
    set(MB_OF_OTHERS "_(posix|macos)\\.c$|/(watch|folder_events|cmd_frames)\\.c$") # inotify; poll on pipes
    # formats are checked against the system's printf, which is not the one that is linked; isnan is a macro of floats
    set(MB_SYSTEM_WARNINGS -Wno-format -Wno-float-conversion)
    set(MB_HARDENING "") # the system probes the stack itself, and GCC 12 fails on code with both
    set(MB_CUDA_BY_DRIVER TRUE)
    add_library(Threads::Threads INTERFACE IMPORTED)
    target_link_libraries(Threads::Threads INTERFACE shell32)
elseif(APPLE)
    set(MB_OF_OTHERS "_windows\\.c$|os_machine_posix\\.c$|/(watch|folder_events|no_frames)\\.c$")
    set(MB_HARDENED_BY_LINKER TRUE)
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    set(MB_LINUX TRUE)
    set(MB_OF_OTHERS "_(windows|macos)\\.c$|/no_(watch|frames)\\.c$")
else()
    set(MB_OF_OTHERS "_(windows|macos)\\.c$|/(watch|folder_events|no_frames)\\.c$")
endif()
if(MB_POSIX)
    find_package(Threads REQUIRED)
endif()

function(mb_finish_library name)
    if(WIN32)
        include(${PROJECT_SOURCE_DIR}/cmake/windows/dll.cmake)
    endif()
    if(MATTEBOX_SANITIZE)
        target_link_options(${name} PRIVATE -fsanitize=${MATTEBOX_SANITIZE})
    elseif(APPLE) # whose linker knows no other; the picture libraries inside are not exported (zig's linker does not heed that)
        file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/exports.txt CONTENT "_mb_*\n")
        target_link_options(${name} PRIVATE -Wl,-exported_symbols_list,${PROJECT_BINARY_DIR}/exports.txt)
        set_target_properties(${name} PROPERTIES INSTALL_NAME_DIR "@rpath" BUILD_WITH_INSTALL_NAME_DIR ON)
    else()
        target_link_options(${name} PRIVATE -Wl,--no-undefined)
    endif()
endfunction()
