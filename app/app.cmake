# The program `mattebox`: linked with the static library, so that one file is all there is to copy.
file(GLOB MB_APP CONFIGURE_DEPENDS app/*.c)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux") # inotify
    list(FILTER MB_APP EXCLUDE REGEX "/no_watch\\.c$")
else()
    list(FILTER MB_APP EXCLUDE REGEX "/(watch|folder_events)\\.c$")
endif()
if(WIN32) # poll on pipes
    list(FILTER MB_APP EXCLUDE REGEX "/cmd_frames\\.c$")
else()
    list(FILTER MB_APP EXCLUDE REGEX "/no_frames\\.c$")
endif()
add_executable(mattebox_app ${MB_APP})
set_target_properties(mattebox_app PROPERTIES OUTPUT_NAME mattebox)
target_compile_definitions(mattebox_app PRIVATE _GNU_SOURCE)
target_link_libraries(mattebox_app PRIVATE mb_flags mb_manager mattebox Threads::Threads m)
include(app/server/server.cmake)
