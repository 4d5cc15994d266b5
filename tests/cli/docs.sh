#!/bin/sh
# docs/cli.md and docs/options.schema.json are what the program's own tables say. docs.sh BUILD SOURCE [--write]
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
"$build/mattebox" help -- --schema >"$work/options.schema.json"
if [ "${3:-}" = "--write" ]; then
    cp "$work/cli.md" "$work/options.schema.json" "$source/docs/"
    python3 "$source/app/python/generate.py" # the same options, for Python
    exit 0
fi
for file in cli.md options.schema.json; do
    diff "$source/docs/$file" "$work/$file" ||
        { echo "docs/$file is not what the program says: sh tests/cli/docs.sh BUILD . --write"; exit 1; }
done
# Every long option that the README and docs/errors.md show exists.
"$build/mattebox-weights" --help >"$work/words" 2>&1 || true
for command in convert inspect verify generate; do "$build/mattebox-weights" $command --help; done >>"$work/words" 2>&1 || true
cat "$work/cli.md" >>"$work/words"
for option in $(grep -ohE '(^|[ `(])--[a-z][a-z-]+' "$source/README.md" "$source/docs/errors.md" | tr -d ' `(' | sort -u); do
    grep -qE -e "$option([^a-z-]|\$)" "$work/words" || {
        case $option in
        --peer | --build | --target | --parallel | --install | --cflags | --libs) ;; # of other programs
        *) echo "$option is in the README or in docs/errors.md, but no program has it"; exit 1 ;;
        esac
    }
done
# docs/errors.md is there and has a title.
grep -q '^# ' "$source/docs/errors.md"
# The card of the small model is about the model that is there.
if [ -f "$build/demo.mbw" ]; then
    sum=$(sha256sum "$build/demo.mbw" | cut -d ' ' -f 1)
    grep -q "$sum" "$source/app/models/README.md" || { echo "app/models/README.md is not about the model whose SHA-256 is $sum"; exit 1; }
fi
