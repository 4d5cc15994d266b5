# Picture libraries, by -DMATTEBOX_CODECS:
#   full  libjpeg-turbo and libpng required, libwebp when found; stb_image for BMP, TGA and GIF
#   stb   stb_image for all of these and for JPEG and PNG; nothing else to install. JPEG then differs from Pillow by a few
#         levels, and stb_image 2.27 has known faults: for pictures of one's own
# PNM, PSD and HDR are read by code of our own in both. engine/image/codec/codec.h sees the result as MB_HAVE_JPEG, MB_HAVE_PNG, MB_HAVE_WEBP.
find_path(STB_IMAGE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
target_include_directories(mb_engine SYSTEM PRIVATE ${STB_IMAGE_DIR})

if(MATTEBOX_CODECS STREQUAL "full")
    find_package(JPEG REQUIRED)
    find_package(PNG REQUIRED)
    set(MB_CODEC_LIBRARIES JPEG::JPEG PNG::PNG)
    set(MB_CODEC_DEFINITIONS MB_HAVE_JPEG=1 MB_HAVE_PNG=1)
    list(APPEND MB_PKG_REQUIRES libjpeg libpng) # for the installed static library
    pkg_check_modules(WEBP IMPORTED_TARGET libwebp libwebpdemux)
    if(WEBP_FOUND)
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
    pkg_check_modules(TIFF IMPORTED_TARGET "libtiff-4 >= 4.5") # before 4.5 a file chooses how much memory it takes
    if(TIFF_FOUND)
        list(APPEND MB_CODEC_LIBRARIES PkgConfig::TIFF JPEG::JPEG) # a static one needs JPEG once more
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_TIFF=1)
        list(APPEND MB_PKG_REQUIRES libtiff-4)
    endif()
    pkg_check_modules(HEIF IMPORTED_TARGET "libheif >= 1.14")
    if(HEIF_FOUND)
        list(APPEND MB_CODEC_LIBRARIES PkgConfig::HEIF)
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_HEIF=1)
        list(APPEND MB_PKG_REQUIRES libheif)
    endif()
    pkg_check_modules(LCMS IMPORTED_TARGET lcms2) # --icc srgb, backgrounds of another profile
    if(LCMS_FOUND)
        list(APPEND MB_CODEC_LIBRARIES PkgConfig::LCMS)
        list(APPEND MB_CODEC_DEFINITIONS MB_HAVE_LCMS=1)
        list(APPEND MB_PKG_REQUIRES lcms2)
    endif()
elseif(NOT MATTEBOX_CODECS STREQUAL "stb")
    message(FATAL_ERROR "MATTEBOX_CODECS=${MATTEBOX_CODECS}: full or stb")
endif()
target_compile_definitions(mb_engine PRIVATE ${MB_CODEC_DEFINITIONS})
target_link_libraries(mb_engine PRIVATE ${MB_CODEC_LIBRARIES})
target_link_libraries(mattebox PUBLIC ${MB_CODEC_LIBRARIES})
