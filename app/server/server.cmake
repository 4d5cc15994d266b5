# `mattebox serve`: with libmicrohttpd (HTTP) and cJSON (settings); without them the command says what is missing.
option(MATTEBOX_SERVER "build `mattebox serve`, where libmicrohttpd and cJSON are found" ON)
pkg_check_modules(MB_MICROHTTPD IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(MB_CJSON IMPORTED_TARGET libcjson)
if(MATTEBOX_SERVER AND MB_MICROHTTPD_FOUND AND MB_CJSON_FOUND)
    set(MB_SERVER_FOUND TRUE)
    file(GLOB MB_SERVER CONFIGURE_DEPENDS app/server/*.c)
    list(FILTER MB_SERVER EXCLUDE REGEX "/serve_none\\.c$")
    set(MB_PAGE ${PROJECT_BINARY_DIR}/page.html)
    set(MB_PAGE_POLICY ${PROJECT_BINARY_DIR}/page.csp)
    file(GLOB page_parts CONFIGURE_DEPENDS app/server/page/*)
    add_custom_command(OUTPUT ${MB_PAGE} ${MB_PAGE_POLICY} DEPENDS ${page_parts} VERBATIM
        COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR}/app/server/page -D OUT=${MB_PAGE} -D POLICY=${MB_PAGE_POLICY}
                -P ${PROJECT_SOURCE_DIR}/app/server/page/join.cmake)
    set_source_files_properties(app/server/page.c PROPERTIES OBJECT_DEPENDS "${MB_PAGE};${MB_PAGE_POLICY}"
        COMPILE_DEFINITIONS "MB_PAGE=\"${MB_PAGE}\";MB_PAGE_POLICY=\"${MB_PAGE_POLICY}\"")
    # libmicrohttpd is opened by the command (mhd.h): its header is needed here, nothing is linked
    target_include_directories(mattebox_app SYSTEM PRIVATE ${MB_MICROHTTPD_INCLUDE_DIRS})
    target_link_libraries(mattebox_app PRIVATE PkgConfig::MB_CJSON)
else()
    set(MB_SERVER_FOUND FALSE)
    set(MB_SERVER app/server/serve_none.c)
    message(STATUS "no libmicrohttpd or no cJSON: built without `mattebox serve`")
endif()
target_sources(mattebox_app PRIVATE ${MB_SERVER} ${MB_PAGE})

# Units for systemd; PrivateDevices is for the CPU: docs/deploy.md says what a GPU needs.
if(MB_SERVER_FOUND AND MB_LINUX)
    configure_file(app/server/systemd/mattebox.service.in ${PROJECT_BINARY_DIR}/mattebox.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/mattebox.service app/server/systemd/mattebox.socket
            DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
endif()
