#!/bin/sh
# One program of the tests under emulation: one.sh BUILD_ARM [MATTEBOX_ISA=SET] LABEL/NAME [SUB-TEST...]
# Passed means that something ran: a program that skips everything has failed.
set -eu
build=$1
shift
set_name=""
case $1 in MATTEBOX_ISA=*)
    set_name=" (${1#*=})"
    export "${1?}"
    shift
    ;;
esac
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
start=$(date +%s)
status=0
qemu-aarch64-static -L /usr/aarch64-linux-gnu -cpu max "$build/test_$(echo "$name" | tr / _)" "$@" >"$log" 2>&1 </dev/null || status=$?
if [ "$status" -eq 0 ]; then
    echo "ok      $name$set_name${*:+: $*} ($(tail -1 "$log"); $(($(date +%s) - start)) s)"
else
    echo "FAILED  $name$set_name${*:+: $*}: exit code $status"
    tail -40 "$log"
    exit 1
fi
