#!/bin/sh
# The archiver that belongs to cc.sh.
# shellcheck disable=SC2086
exec ${MATTEBOX_ZIG:-zig} ar "$@"
