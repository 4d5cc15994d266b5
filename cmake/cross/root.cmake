# Of the toolchain files of systems for which cmake/cross/codecs.sh builds the picture libraries: what is linked is looked for
# there, and in MB_CROSS_SYSTEM_ROOT where the system's own libraries have a folder.
set(MATTEBOX_CROSS_PREFIX "${CMAKE_BINARY_DIR}/codecs" CACHE PATH "where cmake/cross/codecs.sh installed")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MATTEBOX_CROSS_PREFIX)
get_filename_component(MATTEBOX_CROSS_PREFIX "${MATTEBOX_CROSS_PREFIX}" ABSOLUTE)
set(CMAKE_FIND_ROOT_PATH ${MATTEBOX_CROSS_PREFIX} ${MB_CROSS_SYSTEM_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${MATTEBOX_CROSS_PREFIX}/lib/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "")
