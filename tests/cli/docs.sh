#!/bin/sh
# docs/cli.md and the README's table of options are what the program's own table says. docs.sh BUILD SOURCE [--write]
set -eu
build=$1 source=$2
work=$build/test-files
mkdir -p "$work"
{
    echo "# Options of mattebox"
    echo
    echo "Generated from the program's table of options: \`sh tests/cli/docs.sh BUILD . --write\`."
    echo
    "$build/mattebox" help -- --markdown
} >"$work/cli.md"
{
    echo "<!-- options -->"
    "$build/mattebox" help -- cut --markdown
    echo "<!-- /options -->"
} >"$work/options.md"
if [ "${3:-}" = "--write" ]; then
    cp "$work/cli.md" "$source/docs/cli.md"
    sed -i -e "/<!-- options -->/,/<!-- \/options -->/{/<!-- options -->/r $work/options.md
d}" "$source/README.md"
    exit 0
fi
diff "$source/docs/cli.md" "$work/cli.md" || { echo "docs/cli.md is not what the program says"; exit 1; }
sed -n '/<!-- options -->/,/<!-- \/options -->/p' "$source/README.md" | diff - "$work/options.md" ||
    { echo "README.md: the table of options is not what the program says"; exit 1; }
# Every message that docs/errors.md quotes from the command line exists there once.
grep -q '^# ' "$source/docs/errors.md"
