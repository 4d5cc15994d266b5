# The CUDA back end: host side in C, kernels by nvcc through custom commands (the project stays a C project, and nvcc is
# asked for nothing but its presence). Nothing of NVIDIA is linked except the static runtime; libraries are opened at run
# time. Without a toolkit one small file answers instead.
#   MATTEBOX_CUDA        AUTO: when nvcc is found; ON: an error without it; OFF: never
#   MATTEBOX_CUDA_ARCHS  compute capabilities; code for 80 runs on 86 and 89 too, Jetson Orin is 87; PTX of the last one for GPUs to come
set(MATTEBOX_CUDA_ARCHS "75;80;90" CACHE STRING "CUDA architectures to compile for")
set(MB_CUDA_FOUND FALSE)
if(NOT MATTEBOX_CUDA STREQUAL "OFF")
    find_program(MB_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin /usr/local/cuda/bin)
    if(MB_NVCC)
        file(REAL_PATH ${MB_NVCC} nvcc_path)
        cmake_path(GET nvcc_path PARENT_PATH nvcc_folder)
        cmake_path(GET nvcc_folder PARENT_PATH MB_CUDA_ROOT)
        find_library(MB_CUDART_STATIC NAMES libcudart_static.a NO_DEFAULT_PATH
            HINTS ${MB_CUDA_ROOT}/lib64 ${MB_CUDA_ROOT}/lib ${MB_CUDA_ROOT}/targets/x86_64-linux/lib
                ${MB_CUDA_ROOT}/targets/sbsa-linux/lib ${MB_CUDA_ROOT}/targets/aarch64-linux/lib /usr/local/cuda/lib64)
        execute_process(COMMAND ${MB_NVCC} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
    endif()
    if(MB_CUDA_BY_DRIVER) # launches go through the driver (lang/driver_launch.h): no runtime, but a C++ compiler
        find_program(MB_CUDA_LAUNCH_CXX ${CMAKE_CXX_COMPILER})
        set(MB_CUDART_STATIC ${MB_CUDA_LAUNCH_CXX})
        find_package(Python3 REQUIRED COMPONENTS Interpreter)
    endif()
    if(MB_NVCC AND MB_CUDART_STATIC AND nvcc_says MATCHES "release ([0-9]+)\\.([0-9]+)")
        set(MB_CUDA_FOUND TRUE)
        math(EXPR MB_CUDA_VERSION "${CMAKE_MATCH_1} * 1000 + ${CMAKE_MATCH_2} * 10")
    elseif(MATTEBOX_CUDA STREQUAL "ON")
        message(FATAL_ERROR "MATTEBOX_CUDA=ON, but no CUDA toolkit was found (nvcc: ${MB_NVCC}, static runtime: "
            "${MB_CUDART_STATIC}); set CUDA_HOME to its folder")
    endif()
endif()

if(NOT MB_CUDA_FOUND)
    target_sources(mb_engine PRIVATE kernels/cuda/absent.c)
    message(STATUS "CUDA back end: no")
    return()
endif()
message(STATUS "CUDA back end: CUDA ${CMAKE_MATCH_1}.${CMAKE_MATCH_2}, sm ${MATTEBOX_CUDA_ARCHS}")

file(GLOB MB_CUDA_HOST CONFIGURE_DEPENDS kernels/cuda/*.c kernels/cuda/*/*.c)
list(FILTER MB_CUDA_HOST EXCLUDE REGEX "/absent\\.c$")
file(GLOB MB_CUDA_KERNELS CONFIGURE_DEPENDS kernels/cuda/*/*.cu)
file(GLOB_RECURSE MB_CUDA_HEADERS CONFIGURE_DEPENDS kernels/cuda/*.h kernels/cuda/*.cuh)
set(codes "")
foreach(arch ${MATTEBOX_CUDA_ARCHS})
    list(APPEND codes -gencode arch=compute_${arch},code=sm_${arch})
endforeach()
list(GET MATTEBOX_CUDA_ARCHS -1 newest)
list(APPEND codes -gencode arch=compute_${newest},code=compute_${newest})
set(warnings "")
if(MATTEBOX_WERROR)
    set(warnings -Werror all-warnings -Xptxas -warn-spills,-Werror)
endif()
# Kernels on 8-bit pictures give the bytes of the CPU: every product is rounded by itself.
set(MB_CUDA_EXACT resample_taps resample_linear write_input mask_bytes)
# NAME.o in the build's cuda folder, from a .cu file.
set(MB_NVCC_FLAGS -std=c++17 -O3 ${codes} ${warnings}
    -Xcompiler -fPIC,-fvisibility=hidden,-fno-exceptions,-fno-rtti,-fno-threadsafe-statics
    -I${PROJECT_SOURCE_DIR}/kernels -I${PROJECT_SOURCE_DIR}/engine
    -I${PROJECT_SOURCE_DIR}/engine/include)
function(mb_cuda_compile name source)
    set(object ${CMAKE_BINARY_DIR}/cuda/${name}.o)
    set(fused "")
    if(name IN_LIST MB_CUDA_EXACT)
        set(fused -fmad=false)
    endif()
    add_custom_command(OUTPUT ${object}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/cuda
        COMMAND sh ${PROJECT_SOURCE_DIR}/kernels/cuda/lang/nvcc.sh ${object}.txt ${CMAKE_C_COMPILER_LAUNCHER} ${MB_NVCC}
            ${MB_NVCC_FLAGS} ${fused} -Xptxas -v -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
        DEPENDS ${source} DEPFILE ${object}.d COMMENT "nvcc ${name}.cu" VERBATIM COMMAND_EXPAND_LISTS)
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
endfunction()
# The same for Windows: the device code by nvcc, which becomes data of the object that g++ makes of the launches.
function(mb_cuda_compile_for_driver name source)
    set(stem ${CMAKE_BINARY_DIR}/cuda/${name})
    set(fused "")
    if(name IN_LIST MB_CUDA_EXACT)
        set(fused -fmad=false)
    endif()
    set(includes -I${PROJECT_SOURCE_DIR}/kernels -I${PROJECT_SOURCE_DIR}/engine -I${PROJECT_SOURCE_DIR}/engine/include)
    file(MAKE_DIRECTORY ${stem}.keep)
    set(small -Xfatbin -compress-all) # so that program and library stay below 8 MB
    if(MB_CUDA_VERSION GREATER_EQUAL 12080)
        list(APPEND small --compress-mode=size)
    endif()
    add_custom_command(OUTPUT ${stem}.fatbin
        COMMAND ${MB_NVCC} -std=c++17 -O3 ${codes} ${warnings} ${includes} ${fused} ${small} -fatbin --keep --keep-dir ${stem}.keep
            ${source} -o ${stem}.fatbin
        DEPENDS ${source} ${MB_CUDA_HEADERS} COMMENT "nvcc ${name}.cu for Windows" VERBATIM COMMAND_EXPAND_LISTS)
    add_custom_command(OUTPUT ${stem}.o
        COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${MB_CUDA_LAUNCH_CXX} -x c++ -std=c++17 -O2 -fno-exceptions -fno-rtti
            -fno-threadsafe-statics -ffunction-sections -fno-asynchronous-unwind-tables -fvisibility=hidden -Wall -Wextra -Wno-unknown-pragmas
            -Wno-maybe-uninitialized $<$<BOOL:${MATTEBOX_WERROR}>:-Werror> -DMB_CUDA_DRIVER_LAUNCH
            -DMB_CUDA_FATBIN="${stem}.fatbin" ${includes} -c ${source} -o ${stem}.o
        COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/kernels/cuda/lang/check_names.py ${stem}.o
            ${stem}.keep
        DEPENDS ${source} ${MB_CUDA_HEADERS} ${stem}.fatbin COMMENT "launches of ${name}.cu" VERBATIM COMMAND_EXPAND_LISTS)
endfunction()
set(objects "")
foreach(source ${MB_CUDA_KERNELS})
    cmake_path(GET source STEM name)
    if(MB_CUDA_BY_DRIVER)
        mb_cuda_compile_for_driver(${name} ${source})
    else()
        mb_cuda_compile(${name} ${source})
    endif()
    list(APPEND objects ${CMAKE_BINARY_DIR}/cuda/${name}.o)
endforeach()
if(NOT MB_CUDA_BY_DRIVER)
    list(FILTER MB_CUDA_HOST EXCLUDE REGEX "/driver_module\\.c$")
endif()
target_sources(mb_engine PRIVATE ${MB_CUDA_HOST})
set_property(SOURCE ${PROJECT_SOURCE_DIR}/kernels/cuda/vendor/nvlib.c APPEND PROPERTY COMPILE_DEFINITIONS
    MB_CUDA_BUILD=${MB_CUDA_VERSION} MB_CUDA_FOLDERS="$<$<NOT:$<BOOL:${MB_CUDA_BY_DRIVER}>>:${MB_CUDA_ROOT}/lib64>")
add_custom_target(mb_cuda_objects DEPENDS ${objects})
add_dependencies(mb_engine mb_cuda_objects)
set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
target_sources(mattebox PRIVATE ${objects})
set(MB_CUDA_OBJECTS ${objects}) # for the shared library of cmake/install.cmake
if(MB_CUDA_BY_DRIVER) # what g++ made of the kernels themselves is dropped (tables for unwinding would keep it)
    target_link_libraries(mattebox PUBLIC -Wl,--gc-sections)
else()
    target_link_libraries(mattebox PUBLIC ${MB_CUDART_STATIC} rt ${CMAKE_DL_LIBS})
endif()
