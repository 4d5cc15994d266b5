# Picture libraries, by -DMATTEBOX_CODECS:
#   full  libjpeg-turbo and libpng required, libwebp and lcms2 when found; of libtiff, libheif and libjxl the headers when
#         found: these libraries are opened at run time (library.h), nothing links them; stb_image for BMP and TGA
#   stb   stb_image for all of these and for JPEG and PNG; nothing else to install. JPEG then differs from Pillow by a few
#         levels, and stb_image 2.27 has known faults: for pictures of one's own
# -DMATTEBOX_LEAVE_OUT="tiff;heif": optional libraries (webp tiff heif jxl lcms) to build without, although they are there.
# PNM, PSD and HDR are read by code of our own in both. engine/image/codec/codec.h sees the result as MB_HAVE_JPEG, MB_HAVE_PNG, MB_HAVE_WEBP.
set(MATTEBOX_LEAVE_OUT "" CACHE STRING "optional picture libraries to build without: webp tiff heif jxl lcms")
find_path(STB_IMAGE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
target_include_directories(mb_engine SYSTEM PRIVATE ${STB_IMAGE_DIR})

if(MATTEBOX_CODECS STREQUAL "full")
    find_package(JPEG REQUIRED)
    find_package(PNG REQUIRED)
    set(MB_CODEC_LIBRARIES JPEG::JPEG PNG::PNG)
    set(MB_CODEC_DEFINITIONS MB_HAVE_JPEG=1 MB_HAVE_PNG=1)
    list(APPEND MB_PKG_REQUIRES libjpeg libpng) # for the installed static library
    pkg_check_modules(WEBP IMPORTED_TARGET libwebp libwebpdemux)
    if(WEBP_FOUND AND NOT webp IN_LIST MATTEBOX_LEAVE_OUT)
        list(APPEND MB_CODEC_LIBRARIES PkgConfig::WEBP)
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_WEBP=1)
        list(APPEND MB_PKG_REQUIRES libwebp libwebpdemux)
        pkg_check_modules(WEBPMUX IMPORTED_TARGET libwebpmux) # profiles in WebP files that are written
        if(WEBPMUX_FOUND)
            list(APPEND MB_CODEC_LIBRARIES PkgConfig::WEBPMUX)
            list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_WEBPMUX=1)
            list(APPEND MB_PKG_REQUIRES libwebpmux)
        endif()
    endif()
    pkg_check_modules(TIFF libtiff-4>=4.5) # before 4.5 a file chooses how much memory it takes
    if(TIFF_FOUND AND NOT tiff IN_LIST MATTEBOX_LEAVE_OUT)
        list(APPEND MB_CODEC_HEADERS ${TIFF_INCLUDE_DIRS})
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_TIFF=1)
    endif()
    pkg_check_modules(HEIF libheif>=1.14)
    if(HEIF_FOUND AND NOT heif IN_LIST MATTEBOX_LEAVE_OUT)
        list(APPEND MB_CODEC_HEADERS ${HEIF_INCLUDE_DIRS})
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_HEIF=1)
    endif()
    pkg_check_modules(JXL libjxl>=0.7)
    if(JXL_FOUND AND NOT jxl IN_LIST MATTEBOX_LEAVE_OUT)
        list(APPEND MB_CODEC_HEADERS ${JXL_INCLUDE_DIRS})
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_JXL=1)
    endif()
    pkg_check_modules(LCMS IMPORTED_TARGET lcms2) # --icc srgb, backgrounds of another profile
    if(LCMS_FOUND AND NOT lcms IN_LIST MATTEBOX_LEAVE_OUT)
        list(APPEND MB_CODEC_LIBRARIES PkgConfig::LCMS)
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_LCMS=1)
        list(APPEND MB_PKG_REQUIRES lcms2)
    endif()
elseif(NOT MATTEBOX_CODECS STREQUAL "stb")
    message(FATAL_ERROR "MATTEBOX_CODECS=${MATTEBOX_CODECS}: full or stb")
endif()
target_compile_definitions(mb_engine PRIVATE ${MB_CODEC_DEFINITIONS})
target_include_directories(mb_engine SYSTEM PRIVATE ${MB_CODEC_HEADERS})
target_link_libraries(mb_engine PRIVATE ${MB_CODEC_LIBRARIES})
target_link_libraries(mattebox PUBLIC ${MB_CODEC_LIBRARIES})
