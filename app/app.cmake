# The program `mattebox`: linked with the static library, so that one file is all there is to copy.
file(GLOB MB_APP CONFIGURE_DEPENDS app/*.c)
add_executable(mattebox_app ${MB_APP})
set_target_properties(mattebox_app PROPERTIES OUTPUT_NAME mattebox)
target_compile_definitions(mattebox_app PRIVATE _GNU_SOURCE)
target_link_libraries(mattebox_app PRIVATE mb_flags mb_manager mattebox Threads::Threads m)

# The small model is linked in, so that the first command needs no file; OFF installs the file instead.
option(MATTEBOX_EMBED_MODEL "link the small default model into the program" ON)
set(MATTEBOX_DEMO_MODEL "${PROJECT_SOURCE_DIR}/app/models/demo.mbw" CACHE FILEPATH "the small default model")
mark_as_advanced(MATTEBOX_DEMO_MODEL)
if(NOT EXISTS ${MATTEBOX_DEMO_MODEL})
    message(STATUS "mattebox: no small default model at ${MATTEBOX_DEMO_MODEL}: the program is built without one")
elseif(MATTEBOX_EMBED_MODEL)
    set_source_files_properties(app/builtin.c PROPERTIES OBJECT_DEPENDS ${MATTEBOX_DEMO_MODEL}
                                COMPILE_DEFINITIONS "MB_DEMO_MODEL=\"${MATTEBOX_DEMO_MODEL}\"")
else()
    install(FILES ${MATTEBOX_DEMO_MODEL} DESTINATION ${CMAKE_INSTALL_DATADIR}/mattebox/models RENAME demo.mbw)
endif()
