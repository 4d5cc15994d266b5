#!/bin/sh
# Every command line of docs/frames.md with Debian's ffmpeg: frames_recipes.sh BUILD SOURCE. Outside CI: some 20 s of processor
# time. What comes out must have the frames that went in, and alpha where it should.
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
command -v ffmpeg >/dev/null || { echo "ffmpeg is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin
printf '#!/bin/sh\nexec %s/mattebox "$@" --model saliency -q\n' "$build" >bin/mattebox # the cheapest way to a mask
chmod +x bin/mattebox
PATH=$work/bin:$PATH
ffmpeg -v error -loop 1 -i "$source/docs/pictures/cat.jpg" -f lavfi -i sine -vf scale=320:240 -r 10 -t 0.6 -pix_fmt yuv420p \
    -c:a aac -shortest in.mp4
frames() { ffprobe -v error -count_frames -select_streams v -show_entries "stream=pix_fmt,nb_read_frames" -of csv=p=0 "$@" | tail -n 1; }
wanted=$(frames in.mp4 | cut -d, -f2)
n=0
for name in prores webm background matte; do
    awk -v name="$name" '$0 == "<!-- run: " name " -->" { on = 1; next } on && /^```$/ { exit } on && !/^```/ { print }' \
        "$source/docs/frames.md" >recipe.sh
    [ -s recipe.sh ] || { echo "docs/frames.md has no recipe \"$name\""; exit 1; }
    sh -eu recipe.sh
    case $name in
    prores) out=$(frames out.mov) want=yuva444p12le ;; # how ffmpeg's decoder gives it
    webm) out=$(frames out.webm) want=yuv420p ;; # its alpha is a second stream beside: looked at below
    background) out=$(frames out.mp4) want=yuv420p ;;
    matte) out=$(frames matte.mkv) want=gray ;;
    esac
    case $out in
    "$want,$wanted") ;;
    yuva444p10le,"$wanted") [ "$name" = prores ] || exit 1 ;;
    *) echo "$name: $out, not $want,$wanted"; exit 1 ;;
    esac
    echo "ok  $name: $out frames"
    n=$((n + 1))
done
# Alpha went through: some of it is clear, some is not.
clear() {
    ffmpeg -v error -y "$@" -vf alphaextract,format=gray -frames:v 1 -f rawvideo alpha.raw
    [ "$(tr -d '\000' <alpha.raw | wc -c)" -lt "$(wc -c <alpha.raw)" ] || { echo "$*: nothing is transparent"; exit 1; }
    [ "$(tr -d '\000-\200' <alpha.raw | wc -c)" -gt 1000 ] || { echo "$*: nothing is there"; exit 1; }
}
# Colours at 720 rows, where players take BT.709: what is opaque in the result has the colours of the source.
ffmpeg -v error -y -loop 1 -i "$source/docs/pictures/cat.jpg" \
    -vf lutrgb=b=val*0.4,scale=960:720:out_color_matrix=bt709 -r 10 -t 0.1 -pix_fmt yuv420p hd.mp4
ffmpeg -v error -y -i hd.mp4 -vf scale=in_color_matrix=bt709 -frames:v 1 -pix_fmt rgba -f rawvideo hd.rgba
printf '#!/bin/sh\nexec %s/mattebox "$@" -q\n' "$build" >bin/mattebox # a mask with much that is opaque
for name in prores background; do
    awk -v name="$name" '$0 == "<!-- run: " name " -->" { on = 1; next } on && /^```$/ { exit } on && !/^```/ { print }' \
        "$source/docs/frames.md" | sed 's/320x240/960x720/; s/in\.mp4/hd.mp4/g; s/out\./hd_out./; s/#00b140/#000000/' >recipe.sh
    sh -eu recipe.sh
    result=hd_out.mov
    [ "$name" = prores ] || result=hd_out.mp4
    ffmpeg -v error -y -i $result -vf scale=in_color_matrix=bt709 -frames:v 1 -pix_fmt rgba -f rawvideo result.rgba
    python3 - "$name" <<'PY'
import sys
source, result, alpha = (open(f, "rb").read() for f in ("hd.rgba", "result.rgba", "alpha.rgba" if sys.argv[1] == "background" else "result.rgba"))
solid = [i for i in range(0, len(source), 4 * 7) if alpha[i + 3] >= 254]
off = [sum(result[i + c] - source[i + c] for i in solid) / len(solid) for c in range(3)]
print(f"ok  {sys.argv[1]} at 720 rows: colours off by", " ".join(f"{o:+.2f}" for o in off), f"in the mean of {len(solid)} pixels")
if max(off) - min(off) > 1.5 or len(solid) < 1000:  # greys are the same in every matrix
    sys.exit(f"{sys.argv[1]}: the colours are another matrix's")
PY
    cp result.rgba alpha.rgba
    n=$((n + 1))
done
clear -i out.mov
clear -c:v libvpx-vp9 -i out.webm
echo "$n recipes passed"
