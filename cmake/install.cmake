# The shared library, and what `cmake --install` puts where: program, libraries, header, pkg-config file, CMake package.
include(CMakePackageConfigHelpers)

add_library(mattebox_shared SHARED $<TARGET_OBJECTS:mb_core> $<TARGET_OBJECTS:mb_engine> ${MB_CUDA_OBJECTS})
set_target_properties(mattebox_shared PROPERTIES OUTPUT_NAME mattebox VERSION ${PROJECT_VERSION}
                      SOVERSION ${PROJECT_VERSION_MAJOR} C_VISIBILITY_PRESET hidden)
target_link_libraries(mattebox_shared PRIVATE $<TARGET_PROPERTY:mattebox,INTERFACE_LINK_LIBRARIES>)
target_include_directories(mattebox_shared PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/include>)
mb_finish_library(mattebox_shared)

# What a static link needs, as pkg-config names. Optional parts append to MB_PKG_REQUIRES.
list(APPEND MB_PKG_REQUIRES zlib)
list(REMOVE_DUPLICATES MB_PKG_REQUIRES)
list(JOIN MB_PKG_REQUIRES " " MB_PKG_REQUIRES_TEXT)
set(MB_STATIC_EXTRA "") # files and names that pkg-config does not know
if(MB_CUDA_FOUND)
    set(MB_STATIC_EXTRA "${MB_CUDART_STATIC};stdc++;rt")
endif()
set(MB_STATIC_EXTRA_FLAGS "")
foreach(library ${MB_STATIC_EXTRA})
    if(NOT IS_ABSOLUTE ${library})
        string(PREPEND library "-l")
    endif()
    string(APPEND MB_STATIC_EXTRA_FLAGS " ${library}")
endforeach()
# The .pc file finds its own prefix, so that the installed tree may be moved.
file(RELATIVE_PATH MB_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/mattebox.pc.in mattebox.pc @ONLY)
configure_package_config_file(cmake/mattebox-config.cmake.in mattebox-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mattebox
                              PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(mattebox-config-version.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS mattebox mattebox_shared RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES engine/include/mattebox.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/mattebox.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_BINARY_DIR}/mattebox-config.cmake ${PROJECT_BINARY_DIR}/mattebox-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mattebox)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(TARGETS mattebox_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
