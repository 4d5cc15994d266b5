#!/bin/sh
# The program with the CUDA back end in it, emulated: what --device and --precision do, to whole pictures.
# program.sh BUILD SOURCE
set -eu
build=$1 source=$2 work=$1/test-files/cuda-program
mattebox=$build/cuda-kit/mattebox
rm -rf "$work" && mkdir -p "$work" && cd "$work"
export MATTEBOX_CUDA_LIBS="$build/cuda-standin" MATTEBOX_CACHE="" MB_STANDIN_DEVICES=2
fail()
{
    echo "$1"
    exit 1
}
"$build/mattebox-weights" generate birefnet-tiny7 -o m.mbw -q
for n in 1 2 3 4 5; do cp "$source/docs/pictures/cat.jpg" "$n.jpg"; done
cut="$mattebox --model m.mbw --input-size 32 --only-mask -q -f"
$cut --device cpu 1.jpg -o cpu.png
cp cpu.png want.png

echo "== one device, in every precision"
for p in f32 tf32 f16 bf16; do
    $cut --device cuda --precision $p 1.jpg -o $p.png
done
"$mattebox" version --verbose --device cuda:1 --precision f16 >version.txt
grep -q '^device: cuda:1 (Stand-in 1, f16)$' version.txt || fail "$(cat version.txt)"
cmp f32.png want.png || fail "f32 on the device is not what the CPU gives (8-bit mask)"

echo "== what f16 cannot hold is computed again"
"$build/cuda-kit/kit" input large.in 1 3 32 32 1e6
"$mattebox" tensors m.mbw large.in large.f16 --device cuda --precision f16 2>said.txt
grep -q 'warning: large.in: f16 overflowed: .*; computed again in bf16' said.txt || fail "$(cat said.txt)"
"$mattebox" tensors m.mbw large.in large.bf16 --device cuda --precision bf16
cmp large.f16 large.bf16 || fail "the second run is not what bf16 gives"

echo "== all devices: the same pictures, each of them once, in order"
$cut --device cuda:all 1.jpg 2.jpg 3.jpg 4.jpg 5.jpg -o out/ --json >report.jsonl
for n in 1 2 3 4 5; do cmp "out/$n.mask.png" want.png; done
[ "$(grep -c '"picture"\|"file"\|"input"' report.jsonl)" -ge 5 ] || fail "$(cat report.jsonl)"

echo "== photos prepared on the device and by the CPU, in a batch and one by one: the same files"
files=$source/tests/data/pictures/files
mkdir photos
cp "$files/exif6.jpg" "$files/exif7.png" "$files/gray1.png" "$files/rgba16.png" "$files/cmyk.jpg" photos/
echo "no picture" >photos/broken.jpg
for p in f32 f16; do
    set -- --device cuda --precision $p --preset birefnet-ultra-v2 --depth 8
    code=0
    $cut "$@" photos/* -o together/ 2>said.txt || code=$?
    [ $code -eq 1 ] && grep -q broken.jpg said.txt || fail "a broken picture among others gave $code: $(cat said.txt)"
    MATTEBOX_CUDA_IMAGE_IO=off $cut "$@" photos/* -o cpu/ 2>said.txt && fail "the broken picture passed"
    for f in exif6.jpg exif7.png gray1.png rgba16.png cmyk.jpg; do
        $cut "$@" "photos/$f" -o alone.png
        cmp alone.png "together/${f%.*}.mask.png" || fail "$f in a batch"
        cmp alone.png "cpu/${f%.*}.mask.png" || fail "$f prepared by the CPU"
    done
done

echo "== what cannot be is said in one line, and nothing is written"
expect()
{
    code=$1 text=$2
    shift 2
    set +e
    "$@" >said.txt 2>&1
    got=$?
    set -e
    [ $got -eq "$code" ] && grep -qF "$text" said.txt || fail "$* gave $got: $(cat said.txt)"
}
rm -f no.png
expect 4 "there is no device 7, the driver sees 2" $cut --device cuda:7 1.jpg -o no.png
expect 2 "one of auto, cpu, cuda, cuda:N, cuda:all" $cut --device cuda:x 1.jpg -o no.png
MB_STANDIN_SM=75 expect 4 "cannot compute in bf16" $cut --device cuda --precision bf16 1.jpg -o no.png
MB_STANDIN_TOTAL=70000000 expect 4 "CUDA: needs " $cut --device cuda 1.jpg -o no.png
MB_STANDIN_CUDA=12020 expect 4 "the driver supports CUDA 12.2" $cut --device cuda 1.jpg -o no.png
MB_STANDIN_LT_FAIL=3 expect 4 "cuBLASLt: the GPU program failed to execute" $cut --device cuda 1.jpg -o no.png
[ ! -e no.png ] || fail "a failed run has left a file"

echo "== auto: takes a device that computes rightly; one that cannot serve is no error"
device()
{
    "$mattebox" version --verbose --device auto | sed -n 's/^device\( note\)\{0,1\}: //p' | tr '\n' ' '
}
auto()
{
    name=$1 text=$2
    rm -f auto.png
    "$mattebox" --model m.mbw --input-size 32 --only-mask -f --device auto 1.jpg -o auto.png >said.txt 2>&1 || fail "$(cat said.txt)"
    cmp auto.png want.png || fail "$name"
    grep -qF "$text" said.txt || fail "$name: $(cat said.txt)"
}
case $(device) in "cuda:0 (Stand-in 0, f32)"*) ;; *) fail "$(device)" ;; esac
auto plain "Processed 1"
export MB_STANDIN_LT_WRONG=1
case $(device) in "cpu "*"linear is off by 0.0"*", 0.0001 is allowed; using the CPU."*) ;; *) fail "$(device)" ;; esac
auto "wrong products" "Processed 1"
unset MB_STANDIN_LT_WRONG
MB_STANDIN_DEVICES=0 auto "no device" "Processed 1"
MATTEBOX_CUDA_LIBS=/nowhere auto "no driver" "Processed 1"
MB_STANDIN_TOTAL=70000000 auto "no memory" "MB free on device 0 \"Stand-in 0\"; using the CPU"
MB_STANDIN_FAIL_COPY=50 auto "a fault in a picture" "an illegal memory access was encountered"
echo ok
