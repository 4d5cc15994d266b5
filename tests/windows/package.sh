# Of tests/windows.sh: what people download, made by cmake/windows/package.sh of the Windows build and tried in a fresh prefix of Wine, from
# a folder with blanks and letters of several scripts. Set: root, linux, windows, work; say; a wine that runs.
# shellcheck shell=sh disable=SC2154
if [ -d "$windows/codecs-work/source" ]; then
    mkdir "$work/package" && cd "$work/package" || exit 2
    sh "$root/cmake/windows/package.sh" dist "$windows" >log 2>&1 && (cd dist && sha256sum --quiet -c SHA256SUMS && [ "$(wc -l <SHA256SUMS)" -eq 2 ])
    say $? "a zip and a wheel, with SHA256SUMS: $(grep 'without the model' log | sed 's/ without the model//' | tr '\n' ' ')"
    place="Programme für Böxen/мои программы 抠图"
    mkdir -p "$place"
    python3 -m zipfile -e dist/mattebox-*-windows-x86_64.zip "$place" && cd "$place"/mattebox-* || exit 2
    cp "$root/tests/data/photos/cat.jpg" "Фото 猫.jpg"
    MATTEBOX_GEMM=own "$linux/mattebox" "Фото 猫.jpg" -o "$work/package/linux.png" -q
    before=$WINEPREFIX
    export WINEPREFIX="$work/package/fresh"
    wine wineboot -i >/dev/null 2>&1
    MATTEBOX_GEMM=own wine ./mattebox.exe "Фото 猫.jpg" -o "Löcher\\" -q </dev/null 2>err && cmp -s "Löcher/Фото 猫.cutout.png" "$work/package/linux.png"
    say $? "the program of the zip in a fresh prefix, its path with blanks and foreign letters: bytes as on Linux"
    wine ./mattebox-weights.exe generate birefnet-tiny7 -o "нет 7.mbw" -q </dev/null && wine ./mattebox-weights.exe verify "нет 7.mbw" -q </dev/null
    say $? "mattebox-weights of the zip makes and verifies a model"
    x86_64-w64-mingw32-gcc-win32 -O2 -Ilibrary -DBY_NAME -o library/host.exe "$root/tests/windows/programs/host.c" && cp "Фото 猫.jpg" library/cat.jpg &&
        (cd library && MATTEBOX_GEMM=own wine host.exe cat.jpg cat.png </dev/null) >err 2>&1 && cmp -s library/cat.png "$work/package/linux.png"
    say $? "its DLL loaded by name by a C program"
    [ -s licences/versions.txt ] && [ "$(ls licences | wc -l)" -ge 7 ] && [ -s LICENSE ] && [ -s library/mattebox.lib ]
    say $? "the zip has the licences of the picture libraries and both import libraries"
    wineserver -k 2>/dev/null
    export WINEPREFIX=$before
    cd "$work" || exit 2
else
    echo "skipped the packages (no sources of the picture libraries beside the build)"
fi
