# The program `mattebox`: linked with the static library, so that one file is all there is to copy.
file(GLOB MB_APP CONFIGURE_DEPENDS app/*.c)
list(FILTER MB_APP EXCLUDE REGEX ${MB_OF_OTHERS})
add_executable(mattebox_app ${MB_APP})
set_target_properties(mattebox_app PROPERTIES OUTPUT_NAME mattebox)
target_compile_definitions(mattebox_app PRIVATE _GNU_SOURCE)
target_link_libraries(mattebox_app PRIVATE mb_flags mb_manager mattebox Threads::Threads m)
include(app/server/server.cmake)
