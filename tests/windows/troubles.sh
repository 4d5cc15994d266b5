# Of tests/windows.sh: what happens on desktops. Files that another program holds, lists of other encodings, Ctrl-C, being ended at
# any moment. Set: root, linux, windows, work; say; a wine that runs.
mkdir "$work/troubles" && cd "$work/troubles" || exit 2
for program in hold end_it; do
    x86_64-w64-mingw32-gcc-win32 -O2 -Wall -Wextra -Werror -o $program.exe "$root/tests/windows/programs/$program.c" || exit 2
done
cp "$root/tests/data/photos/cat.jpg" a.jpg
cp "$root/tests/data/photos/coffee.jpg" b.jpg
cut() { # cut ARGUMENT...: with the cheapest recipe; messages in err
    wine "$windows/mattebox.exe" "$@" --model saliency -q </dev/null 2>err
}
# usage: held FILE MS COMMAND...: runs the command while another program holds the file
held() {
    file=$1
    ms=$2
    shift 2
    rm -f held.txt
    wine hold.exe "$file" "$ms" >held.txt </dev/null &
    holder=$!
    tries=0
    until grep -qs held held.txt || [ $tries -ge 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    "$@"
    code=$?
    kill $holder 2>/dev/null
    wait $holder 2>/dev/null
    return $code
}

# ---- a file that a scanner holds: tried again, then a clear error and nothing left
cut b.jpg -o kept.png && cp kept.png before.png
held kept.png 700 cut a.jpg -o kept.png -f
[ $? -eq 0 ] && ! cmp -s kept.png before.png
say $? "a result that a scanner holds for 0.7 s is replaced"
cp before.png kept.png
held kept.png 60000 cut a.jpg -o kept.png -f
[ $? -eq 5 ] && grep -q "another program has it open" err && grep -q "kept.png" err && cmp -s kept.png before.png && [ -z "$(ls -A | grep mattebox-)" ]
say $? "one that stays held is an error that names it, and keeps its bytes"
held a.jpg 700 cut a.jpg -o read.png
[ $? -eq 0 ] && [ -s read.png ]
say $? "a photo that a scanner holds for 0.7 s is read"
held a.jpg 60000 cut a.jpg b.jpg -o batch/
[ $? -eq 1 ] && grep -q "a.jpg.*another program has it open" err && [ -s batch/b.cutout.png ] && [ ! -e batch/a.cutout.png ]
say $? "one that stays held is an error of that photo alone"

# ---- lists
printf '\377\376a\0.\0j\0p\0g\0\r\0\n\0' >utf16.txt
cut --files-from utf16.txt -o listed/
[ $? -eq 2 ] && grep -q "UTF-16" err && grep -q "Out-File -Encoding utf8" err
say $? "a list in UTF-16 is refused with what to do"
printf 'a.jpg\rb.jpg\r' >mac.txt
cut --files-from mac.txt -o listed/
[ $? -ne 0 ] && [ ! -e listed/b.cutout.png ]
say $? "a list without line ends is an error"

# ---- names
cut b.jpg -o 'B~1.png' && [ -s 'B~1.png' ]
say $? "a name with ~"
mkdir -p sub/deep
cut a.jpg -o './sub\deep/Ä.png' && [ -s 'sub/deep/Ä.png' ]
say $? "\\ and / mixed in a name"
mkdir one two
cp a.jpg one/Photo.jpg
cp b.jpg two/photo.JPG
cut one/Photo.jpg two/photo.JPG -o clash/
[ $? -eq 2 ] && grep -q "would both write" err && [ ! -e clash/Photo.cutout.png ]
say $? "two results whose names differ in letters alone are refused"
cut a.jpg -o 'nul' 2>/dev/null
[ ! -e nul ]
say $? "the device nul becomes no file"

# ---- Ctrl-C and being ended, at any moment
mkdir many
i=0
while [ $i -lt 12 ]; do
    cp "$root/tests/data/photos/hat.jpg" "many/$i.jpg"
    i=$((i + 1))
done
sums=$(cat many/*.jpg | sha256sum)
# Wine sends no Ctrl-Break; the program has one handler for both.
program=$(winepath -w "$windows/mattebox.exe")
wine end_it.exe ctrl-c 200 "$program many -o ctrl-c/ --model demo -q" ctrl-c/1.cutout.png </dev/null >ended.txt 2>err
tr -d '\r' <ended.txt | grep -qx "ended 130" && is_whole ctrl-c && [ -z "$(ls -A ctrl-c | grep mattebox-)" ] && [ "$(cat many/*.jpg | sha256sum)" = "$sums" ]
say $? "Ctrl-C ends in order with 130, $(find ctrl-c -name '*.png' | wc -l) of 12 written ($(tr -d '\r' <ended.txt))"
# each time into the same folder; the moments are counted from the first result of the run
whole=0
n=0
for ms in 0 40 80 130 190 260 350 500; do
    rm -f killed/*.png
    wine end_it.exe kill $ms "$program many -o killed/ --model demo -q" killed/1.cutout.png </dev/null >ended.txt 2>err
    [ "$(cat many/*.jpg | sha256sum)" = "$sums" ] && is_whole killed || whole=1
    written=$(find killed -name '*.png' | wc -l)
    grep -q "^ended 99" ended.txt && [ "$written" -ge 1 ] && [ "$written" -lt 12 ] && n=$((n + 1))
done
[ $whole -eq 0 ] && [ $n -ge 4 ]
say $? "TerminateProcess at 8 moments ($n of them between results): inputs intact, results whole or absent"
wine "$windows/mattebox.exe" many -o killed/ --model demo -f -q </dev/null
[ -z "$(ls -A killed | grep mattebox-)" ] && [ "$(find killed -name '*.png' | wc -l)" -eq 12 ] && is_whole killed
say $? "the next run removes what they left, and writes all 12"
cd "$work" || exit 2
