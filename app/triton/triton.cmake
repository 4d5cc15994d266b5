# The backend of Triton Inference Server: a module that the server loads; its functions of the server come from there.
option(MATTEBOX_TRITON "build libtriton_mattebox.so, a backend of Triton Inference Server" ON)
if(NOT MATTEBOX_TRITON OR NOT MB_LINUX OR MATTEBOX_SANITIZE)
    return()
endif()
add_library(triton_mattebox MODULE app/triton/backend.c app/triton/settings.c)
target_compile_definitions(triton_mattebox PRIVATE _GNU_SOURCE)
target_link_libraries(triton_mattebox PRIVATE mb_flags mattebox)
target_link_options(triton_mattebox PRIVATE -Wl,--exclude-libs,ALL)
