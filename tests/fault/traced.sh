#!/bin/sh
# The kernel's own answers instead of the shim's: strace lets the n-th system call of a kind fail, for every n until the
# command no longer makes so many. Outside CI (ptrace): traced.sh BUILD [MOST [COMMAND...]]
# MOST: of each kind; 40. COMMAND: cut, convert, frames, watch, serve; all without. Inputs keep their bytes, results are
# whole or absent (but what frames writes to a pipe), exit codes are the documented ones. serve is ended after a second.
set -u
build=$(cd "$1" && pwd)
most=${2:-40}
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -lt 2 ] && shift || shift 2
[ $# -gt 0 ] || set -- cut convert frames watch serve
command -v strace >/dev/null || { echo "needs strace"; exit 77; }
strace -qq -e trace=none true 2>/dev/null || { echo "ptrace is not allowed here"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
mkdir in
cp "$root/tests/data/pictures/chelsea.ppm" in/cat.ppm
"$build/mattebox-weights" generate vitmatte-tiny4 --checkpoint -o in/net.safetensors -q || exit 1
{ printf 'YUV4MPEG2 W16 H16 F25:1 C420\nFRAME\n' && head -c 384 in/cat.ppm && printf 'FRAME\n' && tail -c 384 in/cat.ppm; } >in.y4m

# usage: start COMMAND [WRAPPER...]: runs it; its result is out/x
start() {
    command=$1
    shift
    rm -rf out
    mkdir out
    case $command in
    cut) "$@" "$build/mattebox" in/cat.ppm -m saliency -q -o out/x.png ;;
    convert) "$@" "$build/mattebox-weights" convert in/net.safetensors -o out/x.mbw -q ;;
    frames) "$@" "$build/mattebox" frames -m saliency -q <in.y4m >out/x ;;
    watch) "$@" "$build/mattebox" in --watch --once-idle 1 -m saliency -q -o out ;;
    serve)
        timeout -s TERM 1 "$@" "$build/mattebox" serve --listen 127.0.0.1:0 --model saliency -q
        ended=$?
        [ $ended -eq 124 ] || return $ended # timeout's own: it was at work, as it should be
        ;;
    *) return 2 ;;
    esac
}
sums() { (cd "$1" && find . -type f ! -name '.*' | sort | xargs -r sha256sum); }

injected=0 bad=0
complain() {
    echo "$command, $call number $n, $code: $1: $(head -c 300 text.txt)"
    bad=$((bad + 1))
}
inputs=$(sums in)
for name in "$@"; do
    start "$name" >text.txt 2>&1 || { echo "$name does not work here: $(head -c 300 text.txt)"; exit 1; }
    whole=$(sums out) before=$injected
    for fault in pwrite64:ENOSPC pwrite64:EIO pwrite64:EINTR pwrite64:EDQUOT write:EINTR write:EIO fsync:EIO fsync:EINTR renameat2:EIO \
        renameat2:EPERM fallocate:ENOSPC fallocate:EINTR openat:EIO openat:EINTR openat:EMFILE read:EIO read:EINTR pread64:EIO \
        close:EIO close:EINTR mmap:ENOMEM flock:EINTR newfstatat:EIO inotify_add_watch:ENOSPC poll:EINTR socket:EMFILE bind:EADDRINUSE \
        listen:EIO epoll_ctl:ENOSPC; do
        call=${fault%:*} code=${fault#*:} n=1
        while [ $n -le "$most" ]; do
            start "$name" strace -f -qq -o trace.txt -e "trace=$call" -e "inject=$call:error=$code:when=$n" >text.txt 2>&1
            status=$?
            grep -q INJECTED trace.txt || break
            injected=$((injected + 1))
            now=$(sums out)
            case $status in
            0) [ "$now" = "$whole" ] || complain "said to be done, with another result" ;;
            1 | 3 | 4 | 5)
                [ -z "$now" ] || [ "$now" = "$whole" ] || [ "$name" = frames ] || complain "a result that is not whole"
                [ -s text.txt ] || complain "exit code $status without a word"
                ;;
            2) [ "$name" = serve ] || complain "exit code 2" ;; # an address that cannot be had is wrong usage there
            127) ;; # the loader itself, before the program's first line
            139) # glibc's loader dies of its very first mapping, whatever the program
                strace -f -qq -o trace.txt -e "trace=$call" -e "inject=$call:error=$code:when=$n" true 2>text.txt
                [ $? -eq 139 ] || complain "exit code $status"
                ;;
            *) complain "exit code $status" ;;
            esac
            [ "$(sums in)" = "$inputs" ] || { complain "the inputs have changed"; exit 1; }
            n=$((n + 1))
        done
    done
    echo "$name: $((injected - before)) failures injected by the kernel"
done
echo "$injected failures injected by the kernel, $bad bad"
[ $bad -eq 0 ]
