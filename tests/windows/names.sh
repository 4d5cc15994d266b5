# Of tests/windows.sh: names as people type them on Windows, and what no file can be called. Each gives a clear error or works;
# nothing of another name appears. Set: root, windows, work; say; a wine that runs.
# shellcheck shell=sh disable=SC2154,SC2010,SC1003,SC2016
mkdir "$work/names" && cd "$work/names" || exit 2
cp "$root/tests/data/photos/cat.jpg" a.jpg
cp a.jpg before.jpg
run() { # run ARGUMENT...: the cheapest recipe; messages in err; code
    wine "$windows/mattebox.exe" "$@" --model saliency -q </dev/null >out 2>err
    code=$?
}
# usage: refused CODE SAYS TEXT ARGUMENT...: the command ends so, says so, and neither writes nor changes a file
refused() {
    wanted=$1 says=$2 text=$3
    shift 3
    ls -A | grep -vxE 'err|out|ls1|ls2' >ls1
    run "$@"
    ls -A | grep -vxE 'err|out|ls1|ls2' >ls2
    [ $code -eq "$wanted" ] && grep -qF -- "$says" err && cmp -s ls1 ls2 && cmp -s a.jpg before.jpg
    ended=$?
    say $ended "$text"
    [ $ended -eq 0 ] || { echo "code $code"; cat err; diff ls1 ls2; }
}
# usage: works TEXT FILE ARGUMENT...: the command passes and makes the file, which goes
works() {
    text=$1 file=$2
    shift 2
    run "$@"
    [ $code -eq 0 ] && [ -s "$file" ] && cmp -s a.jpg before.jpg
    ended=$?
    say $ended "$text"
    [ $ended -eq 0 ] || { echo "code $code"; cat err; ls -A; }
    rm -f "$file"
}

# ---- words and ends that no name can have, as results and as photos
refused 2 "device on Windows" "a result CON.png" a.jpg -o CON.png
refused 2 "device on Windows" "a result nul.png" a.jpg -o nul.png
refused 2 "device on Windows" "a folder of results aux" a.jpg -o 'aux\'
refused 2 "device on Windows" "a photo CON" CON
refused 2 "device on Windows" "a photo con.jpg" con.jpg
refused 2 "device on Windows" "a photo com1.jpg" com1.jpg
refused 2 "end in a dot" "a result with a dot at its end" a.jpg -o b.png. --format png
refused 2 "end in a dot or a blank" "a result with a blank at its end" a.jpg -o 'b.png ' --format png
refused 2 "inputs are never" "the photo under its name without the dot" a.jpg -o './/A.JPG' --background white -f
refused 2 "end in a dot" "the photo under its name with a dot" a.jpg -o A.JPG. --format png -f
refused 2 "stream" "a stream of a file" a.jpg -o a.jpg:b.png
refused 2 "stream" "a stream of the photo itself" a.jpg -o 'a.jpg::$DATA' --format png -f
refused 2 "stream" "a stream by a template" a.jpg --template '{dir}/b{stem}:{kind}.png'
refused 2 "cannot be part of a name" "a result with |" a.jpg -o 'a|b.png'
refused 2 "leave it away" "a \\ before a quotation mark" a.jpg -o 'C:\Photos" --mask'
refused 2 "no file matches the pattern" "a pattern without matches" 'z*.jpg'
refused 2 "no file matches the pattern" "a pattern for folders" 'z*\a.jpg'
refused 2 "no file matches the pattern" "a pattern in a folder that is missing" 'nothing\*.jpg'

# ---- drives, shares, prefixes
refused 2 "there is no drive Q:" "a result on a drive that is missing" a.jpg -o 'Q:\b.png'
refused 2 "there is no drive q:" "results on a drive that is missing" a.jpg -o 'q:\out\'
refused 2 "there is no drive Q:" "a photo on a drive that is missing" 'Q:\a.jpg'
refused 2 "no such file" "a photo on a computer that is missing" '\\no-such-computer\share\a.jpg'
refused 5 "no-such-computer" "results on a computer that is missing" a.jpg -o '\\no-such-computer\share\out\'
here=$(winepath -w "$PWD")
works "a path with the prefix" b.png "\\\\?\\$here\\a.jpg" -o "\\\\?\\$here\\b.png"
works "a folder with the prefix" made/a.cutout.png a.jpg -o "\\\\?\\$here\\made\\"
works "the prefix with /, as scripts have it" made/a.cutout.png a.jpg -o "//?/Z:$PWD/made/"
works "the prefix of devices" made/a.cutout.png "\\\\.\\$here\\a.jpg" -o 'made\'
mkdir -p photos/sub
cp a.jpg photos/sub/
works "a tree of folders with the prefix" made/sub/a.cutout.png "\\\\?\\$here\\photos" -o "\\\\?\\$here\\made"
works "\\ and / mixed, and doubled" made/b.png './/photos\..\a.jpg' -o 'made\\/b.png'
works "a photo in the current folder of a drive" made/a.cutout.png "${here%%:*}:a.jpg" -o made/
works "its result beside it" a.cutout.png "${here%%:*}:a.jpg"
works "a photo by its path without the drive" a.cutout.png "${here#*:}\\a.jpg"
cp a.jpg "$WINEPREFIX/drive_c/root.jpg"
works "a photo in the root of a drive" "$WINEPREFIX/drive_c/root.cutout.png" 'C:\root.jpg'
works "results in the root of a drive" "$WINEPREFIX/drive_c/a.cutout.png" a.jpg -o 'C:\'

# ---- lengths, attributes, letters
long=$(printf '%0300d' 7)
refused 5 "the name is too long" "a result with 300 characters" a.jpg -o "$long.png"
refused 2 "$long.jpg" "a photo with 300 characters" "$long.jpg"
run a.jpg -o kept.png
cp kept.png kept.before
chmod a-w kept.png
refused 5 "marked read-only" "a result that is marked read-only" a.jpg -o kept.png -f --background red
cmp -s kept.png kept.before
say $? "it keeps its bytes"
chmod u+w kept.png
rm -f kept.png kept.before
chmod a-w a.jpg
works "a photo that is marked read-only" a.cutout.png a.jpg
chmod u+w a.jpg
refused 2 "inputs are never overwritten" "the photo in other letters" A.jpg -o a.JPG --background white -f

# ---- lists
printf '\357\273\277\r\n%s\r\n' "$here\\photos\\sub\\a.jpg" >list.txt
works "a list with a mark, CRLF, an empty line and a full path" listed/a.cutout.png --files-from list.txt -o listed/
printf 'Fr\374chte.jpg\r\n' >cp1252.txt
refused 2 "chcp 65001" "a list in a code page of Windows" --files-from cp1252.txt -o 'listed\'
cd "$work" || exit 2
