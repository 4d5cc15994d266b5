#!/bin/sh
# shellcheck disable=SC2086
exec ${MATTEBOX_ZIG:-zig} ranlib "$@"
