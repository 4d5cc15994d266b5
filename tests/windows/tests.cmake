# Which tests are built for Windows (tests/windows.sh runs them under Wine). Those of the command line are built for Linux
# and run the Windows programs; what tests processes, signals, control groups or locales of Linux stays there.
set(labels core ops graph models segment matting image format api)
set(MB_NOT_ON_WINDOWS core/output_fault core/file core/machine ops/harness format/locale format/alloc_fault api/locale api/same_bytes
    api/builtin models/precision matting/allocation)
list(FILTER HARNESS EXCLUDE REGEX "/(process|http_server|hub|failing|trial|serving)\\.c$")
add_compile_options("SHELL:-include ${CMAKE_CURRENT_SOURCE_DIR}/windows/posix.h"
    )
include_directories(BEFORE ${CMAKE_CURRENT_SOURCE_DIR}/windows/include)
link_libraries(winpthread)
