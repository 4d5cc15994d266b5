# Sourced by the others: the sources of the tree "$1", one path a line.
# usage: sources FOLDER... (relative to the root; folders that are not there yet are skipped)
cd "$1" || exit 2
sources() {
    for folder in "$@"; do
        [ -d "$folder" ] && find "$folder" \( -name '*.c' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' \) \
            ! -path 'tests/data/*'
    done | sort
}
# Reports the findings in $1 (may be empty) and ends the script.
verdict() {
    if [ -n "$1" ]; then
        printf '%s\n' "$1"
        printf '%s findings\n' "$(printf '%s\n' "$1" | wc -l)"
        exit 1
    fi
    echo "nothing found"
    exit 0
}
