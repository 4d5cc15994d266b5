# -DMATTEBOX_WHEEL=ON: the parts of the Python wheel, for build_wheel.py. The library finds what is packed beside it, and the
# program uses that library instead of a copy of its own.
option(MATTEBOX_WHEEL "build the parts of the Python wheel (app/python/build_wheel.py does it)" OFF)
if(MATTEBOX_WHEEL)
    # DT_RPATH, not DT_RUNPATH: it counts for the libraries of the libraries as well
    target_link_options(mattebox_shared PRIVATE LINKER:--disable-new-dtags)
    set_target_properties(mattebox_shared PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN")
    get_target_property(MB_PROGRAM_SOURCES mattebox_app SOURCES)
    add_executable(mattebox_wheel_program ${MB_PROGRAM_SOURCES} $<TARGET_OBJECTS:mb_core>)
    set_target_properties(mattebox_wheel_program PROPERTIES OUTPUT_NAME mattebox-wheel BUILD_WITH_INSTALL_RPATH ON
                          INSTALL_RPATH "$ORIGIN/../lib")
    target_compile_definitions(mattebox_wheel_program PRIVATE _GNU_SOURCE)
    target_link_options(mattebox_wheel_program PRIVATE LINKER:--disable-new-dtags)
    target_link_libraries(mattebox_wheel_program PRIVATE mb_flags mb_manager mattebox_shared Threads::Threads m)
    add_custom_target(wheel_parts DEPENDS mattebox_shared mattebox_wheel_program mattebox-weights)
endif()
