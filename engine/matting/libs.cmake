# Optional libraries of the refinement. CHOLMOD (SuiteSparse) can solve closed-form matting beside our own Cholesky and
# checks it in the tests. Off unless asked for: the packaged library holds parts under the GPL, and our own solver is at
# least as fast on the thin bands of trimaps (docs/performance-log.md).
option(MATTEBOX_CHOLMOD "use SuiteSparse's CHOLMOD as a second solver of closed-form matting" OFF)
if(MATTEBOX_CHOLMOD)
    find_path(CHOLMOD_INCLUDE cholmod.h PATH_SUFFIXES suitesparse REQUIRED)
    find_library(CHOLMOD_LIBRARY cholmod REQUIRED)
    target_include_directories(mb_engine SYSTEM PRIVATE ${CHOLMOD_INCLUDE})
    target_compile_definitions(mb_engine PRIVATE MATTEBOX_HAVE_CHOLMOD=1)
    target_link_libraries(mattebox PUBLIC ${CHOLMOD_LIBRARY})
endif()
