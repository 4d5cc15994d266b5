#!/bin/sh
# The Windows build under Wine against the Linux build of the same tree (docs/windows.md). usage:
#   windows.sh [--only PART,...] [LINUX_BUILD [WINDOWS_BUILD]]
#   windows.sh --quarter [LINUX_BUILD [WINDOWS_BUILD]]     what .ci/run runs: builds the Windows side and runs a chosen quarter
# Parts: folder (the folder of photos), words (patterns, names, lists, pipes), kill, disk, sizes, library (the DLL in programs of
# others), troubles (held files, lists, Ctrl-C, being ended), names (what people type, and what no file can be called), package (the
# zip in a fresh prefix), python (the wheel in a Python for Windows), cuda (with a stand-in for the driver), programs (those of the tests: the Windows build needs them),
# command (the tests of the command line, built for Linux, run the Windows programs). Default: all of them.
# MATTEBOX_TEST_FILTER: a pattern, which of those programs (core_*). MATTEBOX_WINE_PREFIX: a folder of wine to use and to keep.
# Needs Debian's wine64. Results must have the same bytes for the same instruction set.
set -u
parts=folder,words,kill,disk,sizes,library,troubles,names,package,python,cuda,programs,command
quarter=""
[ "${1:-}" = --only ] && { parts=$2; shift 2; }
[ "${1:-}" = --quarter ] && { quarter=yes parts=quarter,folder,words,kill,programs; shift; }
root=$(cd "$(dirname "$0")/.." && pwd)
# Of the programs of the tests the chosen ones: kernels of each instruction set, with their vectors on the stack; names, locks and
# memory of the platform; formats; whole networks on their goldens; refinement; hostile pictures and checkpoints; the interface.
chosen="ops_conv2d ops_deform_conv2d ops_layer_norm ops_linear ops_upsample_conv2d ops_unary ops_window_attention ops_products16
    core_threads core_task core_hash core_json core_os_names format_mbw format_safetensors format_torch format_mutate models_birefnet models_vitmatte
    matting_closed_form matting_guided image_load image_hostile segment_maxflow api_public"
if [ -n "$quarter" ]; then
    # shellcheck disable=SC2086 # names without blanks
    sh "$root/tests/windows/build.sh" "${2:-$root/build-windows}" $chosen || exit 1
fi
linux=$(cd "${1:-$root/build}" && pwd) || exit 2
windows=$(cd "${2:-$root/build-windows}" && pwd) || exit 2
work=$(mktemp -d)
trap 'wineserver -k 2>/dev/null; rm -rf "$work"' EXIT
export WINEPREFIX="${MATTEBOX_WINE_PREFIX:-$work/wine}" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=" LC_ALL=C.UTF-8
unset DISPLAY MATTEBOX_ISA MATTEBOX_MODELS 2>/dev/null
if [ ! -e "$WINEPREFIX/system.reg" ] && ! wine wineboot -i >/dev/null 2>&1; then
    echo "no wine here"
    [ -z "$quarter" ] || exit 1
    exit 77
fi
failed=0
passed=0
say() { # say WHETHER TEXT
    if [ "$1" -eq 0 ]; then echo "ok      $2"; passed=$((passed + 1)); else echo "FAILED  $2"; failed=$((failed + 1)); fi
}
part() { # part NAME: is it asked for?
    case ,$parts, in *,$1,*) return 0 ;; *) return 1 ;; esac
}
# usage: is_whole FOLDER: every picture in it is one, to its end
is_whole() {
    [ -z "$(find "$1" -name '*.png' -exec sh -c 'tail -c 12 "$1" | grep -q IEND || echo "$1"' sh {} \;)" ]
}

# ---- a folder of photos with names of several scripts, and long ones
mkdir -p "$work/in/子文件夹" "$work/l" "$work/w"
cp "$root/tests/data/photos/cat.jpg" "$work/in/猫のしゃしん.jpg"
cp "$root/tests/data/photos/coffee.jpg" "$work/in/Früchte café — größer.jpg"
cp "$root/tests/data/photos/rocket.jpg" "$work/in/子文件夹/пример №1.jpg"
long=$(printf '%0200d' 7)
cp "$root/tests/data/photos/hat.jpg" "$work/in/$long.jpg"
deep="$work/in/$long/$long"
mkdir -p "$deep"
cp "$root/tests/data/photos/cat.jpg" "$deep/tief.jpg"
cp "$root/tests/data/photos/cat.jpg" "$work/a.jpg"
cp "$root/tests/data/photos/coffee.jpg" "$work/b.jpg"
cd "$work" || exit 2

# ---- the folder, bytes as on Linux for the same instruction set
if part folder; then
    isas="avx2 generic"
    grep -q avx512_bf16 /proc/cpuinfo && isas="avx512_bf16 $isas"
    [ -z "$quarter" ] || isas=avx2
    for isa in $isas; do
        MATTEBOX_GEMM=own MATTEBOX_ISA=$isa "$linux/mattebox" "$work/in" -o "$work/l/$isa" --model demo --mask -q
        (cd "$work" && MATTEBOX_GEMM=own MATTEBOX_ISA=$isa wine "$windows/mattebox.exe" in -o "w\\$isa" --model demo --mask -q </dev/null)
        n=$(find "$work/w/$isa" -name '*.png' | wc -l)
        diff -r "$work/l/$isa" "$work/w/$isa" >"$work/diff" 2>&1 && [ "$n" -ge 10 ]
        say $? "$isa: $n masks and cut-outs of $(find "$work/in" -name '*.jpg' | wc -l) photos with foreign and long names, bytes as on Linux"
    done
fi

# ---- patterns, other letters, backslashes, lists of Windows
if part words; then
    wine "$windows/mattebox.exe" '*.jpg' -o pattern/ --model saliency -q </dev/null
    [ -s pattern/a.cutout.png ] && [ -s pattern/b.cutout.png ]
    say $? "a pattern means the photos that it matches"
    cp a.jpg before.jpg
    wine "$windows/mattebox.exe" a.jpg -o A.JPG -f --background white --model saliency -q </dev/null 2>err
    [ $? -eq 2 ] && grep -q "inputs are never overwritten" err && cmp -s a.jpg before.jpg
    say $? "an input is not overwritten under other letters"
    wine "$windows/mattebox.exe" a.jpg b.jpg -o same/ --template 'same/{kind}.png' --model saliency -q </dev/null 2>err
    [ $? -eq 2 ] && grep -q "would both write" err
    say $? "two results of one name are refused"
    printf '\357\273\277a.jpg\r\n.\\b.jpg\r\n' >list.txt
    wine "$windows/mattebox.exe" --files-from list.txt -o 'listed\' --model saliency -q </dev/null
    [ -s listed/a.cutout.png ] && [ -s listed/b.cutout.png ]
    say $? "a list with a mark, CRLF and backslashes"
    wine "$windows/mattebox.exe" - -o - --model saliency -q <a.jpg >piped.png && cmp -s piped.png pattern/a.cutout.png
    say $? "stdin and stdout are binary"
fi

# ---- kill: whole or absent, and nothing stays when the next run has passed
if part kill; then
    mkdir killed
    for ms in 05 1 2 3; do
        wine "$windows/mattebox.exe" in -o killed/ --model demo -f -q </dev/null &
        sleep "0.$ms"
        wineserver -k
        kill -9 $! 2>/dev/null # where Wine was just starting it waits for a server that is gone
        wait $! 2>/dev/null
    done
    is_whole killed
    say $? "a killed run leaves whole files only"
    MATTEBOX_ISA=avx2 wine "$windows/mattebox.exe" in -o killed/ --model demo -f -q </dev/null
    [ -z "$(find killed -name '.*.mattebox-*')" ]
    say $? "the next run removes what a killed one left"
fi

# ---- a full disk
if part disk; then
    if [ "$(id -u)" -eq 0 ] && mkdir full && mount -t tmpfs -o size=96k none full 2>/dev/null; then
        wine "$windows/mattebox.exe" a.jpg -o full/a.png --model saliency -q </dev/null 2>err
        code=$?
        left=$(ls -A full)
        umount full
        [ $code -eq 5 ] && [ -z "$left" ] && grep -qi "no space\|disk" err
        say $? "a full disk is an error of the result, and nothing is left"
        mount -t tmpfs -o size=800k none full
        wine "$windows/mattebox.exe" in -o full/ --model saliency -q </dev/null 2>err
        code=$?
        n=$(find full -name '*.png' | wc -l)
        [ $code -ne 0 ] && [ "$n" -ge 1 ] && [ "$n" -lt 5 ] && is_whole full && [ -z "$(find full -name '.*.mattebox-*')" ] && grep -qi "no space\|disk" err
        say $? "a disk that becomes full: $n of 5 results are there, each whole"
        umount full
    else
        echo "skipped a full disk (needs root and mount)"
    fi
fi

# ---- sizes
if part sizes; then
    for file in mattebox.exe mattebox-weights.exe mattebox.dll; do
        x86_64-w64-mingw32-strip -o stripped "$windows/$file"
        bytes=$(($(stat -c %s stripped) - $(stat -c %s "$windows/demo.mbw")))
        [ $file = mattebox-weights.exe ] && bytes=$(stat -c %s stripped)
        [ "$bytes" -lt 8000000 ]
        say $? "$file: $bytes bytes without the model"
    done
fi

# ---- the library in programs of others, and what happens on desktops
for file in library troubles names package python cuda; do
    # shellcheck disable=SC1090 # they lie beside this file
    part $file && . "$root/tests/windows/$file.sh"
done

# ---- the programs of the tests
if part programs; then
    programs=$(ls "$windows"/test_${MATTEBOX_TEST_FILTER:-*}.exe)
    [ -z "$quarter" ] || programs=$(printf "$windows/test_%s.exe\n" $chosen)
    for program in $programs; do
        wine "$program" </dev/null >log 2>&1
        code=$?
        [ $code -eq 0 ] || [ $code -eq 77 ]
        say $? "$(basename "$program" .exe): $(tail -1 log | tr -d '\r')"
        [ $code -eq 0 ] || [ $code -eq 77 ] || grep -aE "^[^ ]*:[0-9]+:|^FAILED" log | head -20
    done
fi
# shellcheck disable=SC1091
part command && . "$root/tests/windows/command.sh"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
