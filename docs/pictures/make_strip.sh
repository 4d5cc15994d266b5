#!/bin/sh
# Makes docs/pictures/strip.jpg with a built mattebox and ImageMagick: sh docs/pictures/make_strip.sh [BUILD]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
photo=$here/astronaut.jpg
mask=$here/astronaut_mask.png

"$build/mattebox" trimap "$mask" -o "$work/trimap.png" --erode 8 --dilate 8 -q
for method in guided pymatting; do
    "$build/mattebox" matte "$photo" --mask "$mask" -d "$method" --erode 8 --dilate 8 --only-mask \
        -o "$work/$method.png" -q
done
"$build/mattebox" matte "$photo" --mask "$mask" -d pymatting --erode 8 --dilate 8 --foreground ml \
    -o "$work/cutout.png" -q
convert -size 512x512 xc:'#2f8f6f' "$work/cutout.png" -composite "$work/over.png"
montage -label photo "$photo" -label mask "$mask" -label trimap "$work/trimap.png" \
    -label 'alpha: guided' "$work/guided.png" -label 'alpha: closed form' "$work/pymatting.png" \
    -label composite "$work/over.png" -tile 6x1 -geometry 300x300+4+4 -quality 88 "$here/strip.jpg"
