#!/bin/sh
# The platform seam: only engine/core/os_* may ask which system this is, or include what only one kind of system has. The
# server, --watch and frames are POSIX alone (not built for Windows), and the benchmarks are built on Linux alone.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/sources.sh"

code=$(sources engine kernels weights_tool app | xargs awk -f "$here/strip.awk" | grep -vE '^(engine/core/os_[^:]*|app/server/[^:]*|app/(watch|folder_events|cmd_frames)\.c):')
found=$(
    printf '%s\n' "$code" | grep -E '^[^:]*:[0-9]+:[ \t]*# *(el)?if.*(_WIN32|_WIN64|__MINGW|_MSC_VER|__CYGWIN__|__linux__|__APPLE__|__unix__)' |
        sed 's|$|    <- systems are told apart in engine/core/os_* alone|'
    printf '%s\n' "$code" | grep -E '^[^:]*:[0-9]+:[ \t]*# *include *<(windows|io|process|direct|winsock2?|unistd|pthread|dlfcn|fcntl|dirent|sched|pwd|poll|termios|spawn|sys/[a-z]+|netinet/[a-z]+|arpa/[a-z]+)\.h>' |
        sed 's|$|    <- of one kind of system: engine/core/os_*.h has what is needed|'
    printf '%s\n' "$code" | grep -E '^[^:]*:[0-9]+:(.*[^a-zA-Z0-9_.>])?(getenv|secure_getenv|fopen|fdopen|freopen) ?\(' |
        sed 's|$|    <- not UTF-8 on Windows: mb_os_env, mb_os_fopen|'
    # the build: cmake/platform.cmake and, in the shell, cmake/cross/system.sh
    find CMakeLists.txt cmake engine kernels weights_tool app tests benchmarks \( -name '*.cmake' -o -name CMakeLists.txt \) 2>/dev/null |
        grep -vE '^cmake/(platform|[a-z0-9]+-[a-z0-9_]+)\.cmake$' | xargs -r grep -HnwE 'WIN32|APPLE|UNIX|LINUX|BSD|MINGW|MSVC|CYGWIN|CMAKE_(HOST_)?SYSTEM_NAME' |
        sed 's|$|    <- systems are told apart in cmake/platform.cmake alone|'
    find cmake -name '*.sh' ! -path cmake/cross/system.sh 2>/dev/null | xargs -r grep -HnE '(case|\[|test) .*(\$\{?system|\$\{?host|uname)' |
        sed 's|$|    <- systems are told apart in cmake/cross/system.sh alone|'
)
verdict "$found"
