#!/bin/sh
# Runs nvcc and keeps what ptxas says of each kernel (registers, shared memory, spills) for tests/cuda/resources.py.
# nvcc.sh LOG COMMAND...
log=$1
shift
"$@" 2>"$log" || {
    cat "$log" >&2
    exit 1
}
grep -v "^ptxas info\|bytes stack frame\|^$" "$log" >&2 || true
