#!/bin/sh
# The kernel's own answers instead of the shim's: strace lets the n-th system call of a kind fail, for every n until the
# command no longer makes so many. Outside CI (ptrace): traced.sh BUILD [MOST]
# MOST: of each kind; 40. Inputs keep their bytes, results are whole or absent, exit codes are the documented ones.
set -u
build=$(cd "$1" && pwd)
most=${2:-40}
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v strace >/dev/null || { echo "needs strace"; exit 77; }
strace -qq -e trace=none true 2>/dev/null || { echo "ptrace is not allowed here"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
cp "$root/tests/data/pictures/chelsea.ppm" cat.ppm
"$build/mattebox" cat.ppm -m saliency -q -o whole.png || exit 1
input=$(sha256sum <cat.ppm) whole=$(sha256sum <whole.png)
injected=0 bad=0
for fault in pwrite64:ENOSPC pwrite64:EIO pwrite64:EINTR pwrite64:EDQUOT fsync:EIO fsync:EINTR renameat2:EIO renameat2:EPERM fallocate:ENOSPC fallocate:EINTR \
    openat:EIO openat:EINTR openat:EMFILE read:EIO read:EINTR pread64:EIO close:EIO close:EINTR mmap:ENOMEM flock:EINTR newfstatat:EIO; do
    call=${fault%:*} code=${fault#*:}
    n=1
    while [ $n -le "$most" ]; do
        rm -f out.png .out.png.*
        strace -f -qq -o trace.txt -e "trace=$call" -e "inject=$call:error=$code:when=$n" "$build/mattebox" cat.ppm -m saliency -q -o out.png >text.txt 2>&1
        status=$?
        grep -q INJECTED trace.txt || break
        injected=$((injected + 1))
        said="$call number $n, $code: "
        case $status in
        0 | 1 | 3 | 4 | 5) ;;
        127) # the loader itself, before the program's first line
            n=$((n + 1))
            continue
            ;;
        *)
            echo "${said}exit code $status: $(head -c 300 text.txt)"
            bad=$((bad + 1))
            ;;
        esac
        if [ -e out.png ]; then
            [ "$(sha256sum <out.png)" = "$whole" ] || { echo "${said}a result that is not whole"; bad=$((bad + 1)); }
        elif [ $status -eq 0 ]; then
            echo "${said}said to be done, and nothing is there"
            bad=$((bad + 1))
        fi
        [ "$(sha256sum <cat.ppm)" = "$input" ] || { echo "${said}the input has changed"; exit 1; }
        n=$((n + 1))
    done
done
echo "$injected failures injected by the kernel, $bad bad"
[ $bad -eq 0 ]
