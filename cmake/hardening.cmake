# Flags against what a bug would let an attacker do, for builds that are shipped (not with sanitizers, and where compiler
# and system have them). tests/structure/hardening.sh reads the result. Sources are included before the first target.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
if(MATTEBOX_SANITIZE OR MB_HARDENED_BY_LINKER)
    return()
endif()
foreach(flag ${MB_HARDENING})
    string(MAKE_C_IDENTIFIER "MB_HAS${flag}" has)
    check_c_compiler_flag(${flag} ${has})
    if(${has})
        target_compile_options(mb_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:${flag}>)
    endif()
endforeach()
# Level 3 also knows sizes that are computed at run time; a distribution's own choice is replaced, not doubled.
target_compile_options(mb_flags INTERFACE $<$<AND:$<COMPILE_LANGUAGE:C>,$<NOT:$<CONFIG:Debug>>>:-U_FORTIFY_SOURCE>
    $<$<AND:$<COMPILE_LANGUAGE:C>,$<NOT:$<CONFIG:Debug>>>:-D_FORTIFY_SOURCE=3>)
foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
    string(MAKE_C_IDENTIFIER "MB_LINKS${flag}" has)
    check_linker_flag(C ${flag} ${has})
    if(${has})
        add_link_options(${flag})
    endif()
endforeach()
# Position-independent programs: CMake passes -pie only after this question.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
