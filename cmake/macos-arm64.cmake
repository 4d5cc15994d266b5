# macOS on Arm from another system, by zig (docs/macos.md). On a Mac nothing of this is needed. The codecs come from
# cmake/cross/codecs.sh; MATTEBOX_CROSS_PREFIX says where they are.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(CMAKE_C_COMPILER ${CMAKE_CURRENT_LIST_DIR}/macos/cc.sh)
set(CMAKE_AR ${CMAKE_CURRENT_LIST_DIR}/macos/ar.sh CACHE FILEPATH "")
set(CMAKE_RANLIB ${CMAKE_CURRENT_LIST_DIR}/macos/ranlib.sh CACHE FILEPATH "")
set(CMAKE_INSTALL_NAME_TOOL /bin/true CACHE FILEPATH "") # programs stay where they are linked to be
set(CMAKE_OSX_SYSROOT "" CACHE STRING "") # zig has its own
set(CMAKE_OSX_ARCHITECTURES "" CACHE STRING "")
set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "")
set(MB_CROSS_SYSTEM_ROOT "")
include(${CMAKE_CURRENT_LIST_DIR}/cross/root.cmake)
