#!/bin/sh
# One command for a machine with a GPU, at most ten minutes: is everything right, and how fast is it?
#
#     sh on_device.sh [OUT]          in the folder of the kit (`cmake --build BUILD --target gpu_kit`; gpu-kit.tar.gz)
#
# Correctness first, so that a cut-off at any point leaves something. Each step has its own time limit; one that fails
# does not stop the rest. OUT (default: out beside this script) gets results.jsonl, one line for each step and
# measurement; summary.txt; the full output of each step in logs/; cuDNN's description of the card; the plan cache.
# Needs nothing but the driver; cuBLASLt and cuDNN are looked for (also in Python packages). Uses what is there of
# nvidia-smi, compute-sanitizer, ncu, nsys, and MATTEBOX_PEER="COMMAND" (its output is kept beside ours). Never changes
# clocks, power or modes. KIT_SMALL=1: a rehearsal with tiny sizes. KIT_SECONDS: the budget (default 570).
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/out}
mkdir -p "$out/logs"
out=$(cd "$out" && pwd)
results=$out/results.jsonl
: >"$results"
PATH=$here/bin:$PATH
MATTEBOX_CACHE=$out/plans
MATTEBOX_GOLDENS=${MATTEBOX_GOLDENS:-$here/goldens}
export PATH MATTEBOX_CACHE MATTEBOX_GOLDENS
small=${KIT_SMALL:-}
budget=${KIT_SECONDS:-570}
begin=$(date +%s)

left()
{
    echo $((budget - $(date +%s) + begin))
}

# step STEP NAME SECONDS COMMAND...: runs it if there is time, appends a line; JSON lines of its output follow.
step()
{
    step=$1 name=$2 limit=$3
    shift 3
    [ -z "$small" ] || limit=$((limit * 6)) # the emulation is slow, and machines are busy
    log=$out/logs/$step-$(printf %s "$name" | tr -c 'A-Za-z0-9._-' _).txt
    [ "$(left)" -ge "$limit" ] || limit=$(left)
    if [ "$limit" -lt 2 ]; then
        printf '{"step":"%s","name":"%s","skipped":"no time left"}\n' "$step" "$name" >>"$results"
        return 0
    fi
    from=$(date +%s.%N)
    timeout -k 5 "$limit" "$@" >"$log" 2>&1
    rc=$?
    seconds=$(echo "$from $(date +%s.%N)" | awk '{printf "%.2f", $2 - $1}')
    tail=$(tail -n 1 "$log" | tr -d '"\\\000-\037' | cut -c 1-200)
    printf '{"step":"%s","name":"%s","rc":%d,"seconds":%s,"said":"%s"}\n' "$step" "$name" "$rc" "$seconds" "$tail" >>"$results"
    sed -n "s/^{\(.*\)}\$/{\"step\":\"$step\",\"name\":\"$name\",\"of\":\"measurement\",\1}/p" "$log" >>"$results"
    return "$rc"
}

skip()
{
    printf '{"step":"%s","name":"%s","skipped":"%s"}\n' "$1" "$2" "$3" >>"$results"
}

have()
{
    command -v "$1" >/dev/null 2>&1
}

# ---- the vendor's libraries, also where Python packages keep them
if have python3; then
    folders=$(python3 -c 'import glob, site, sys
roots = site.getsitepackages() + [site.getusersitepackages()] + sys.path
print(":".join(sorted({f for r in roots if r for f in glob.glob(r + "/nvidia/*/lib")})))' 2>/dev/null)
    MATTEBOX_CUDA_LIBS=${MATTEBOX_CUDA_LIBS:+$MATTEBOX_CUDA_LIBS:}$folders
    export MATTEBOX_CUDA_LIBS
    LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folders # cuDNN opens its parts by itself
    export LD_LIBRARY_PATH
fi

# ---- 0 the machine
step setup machine 10 sh -c 'uname -a; nproc; nvidia-smi || true; mattebox version --verbose --device cuda'
step setup start 10 mattebox version --device cuda
step setup describe 20 kit describe "$out/device.json"

# ---- 1 what this card can do
step rates all 30 kit rates

# ---- 2 ops
if [ -n "$small" ]; then ops="add layer_norm resize_bilinear"; else ops=$(kit ops); fi
for op in $ops; do
    step op "$op" 40 kit op "$op"
done

# ---- 4a small networks against the official code's outputs
if [ -n "$small" ]; then graphs="tiny7"; else graphs="tiny7 tiny7_64 tiny12 tiny_legacy tiny4 tiny4_b2 tiny14 swin_t"; fi
for graph in $graphs; do
    for precision in f32 f16 bf16; do
        step graph "$graph $precision" 30 kit graph "$graph" "$precision"
    done
done

# ---- 4b whole models: the device against the CPU, in every precision
if [ -n "$small" ]; then models="birefnet-tiny7:3:32"; else models="birefnet-swin-t:3:1024 vitmatte-s:4:512 birefnet-swin-l:3:1024"; fi
for spec in $models; do
    model=${spec%%:*} rest=${spec#*:}
    channels=${rest%:*} side=${rest#*:}
    step model "$model generate" 40 mattebox-weights generate "$model" -o "$out/$model.mbw" -f -q
    kit input "$out/$model.in" 1 "$channels" "$side" "$side"
    step model "$model cpu" 60 mattebox tensors "$out/$model.mbw" "$out/$model.in" "$out/$model.cpu" --device cpu -q
    for precision in f32 tf32 f16 bf16; do
        step model "$model $precision" 30 mattebox tensors "$out/$model.mbw" "$out/$model.in" "$out/$model.$precision" \
            --device cuda --precision "$precision" -q
        step model "$model $precision against the CPU" 10 kit compare "$out/$model.$precision" "$out/$model.cpu"
    done
done

# ---- 5 the same bits every time; a replayed graph, single launches, with and without the libraries
model=${models%%:*} side=${models##*:}

for how in X=1 MATTEBOX_CUDA_GRAPH=off MATTEBOX_CUDA_SYNC=1; do
    step determinism "$how" 20 env "$how" sh -c 'mattebox tensors "$1.mbw" "$1.in" "$1.again" --device cuda --precision f16 -q &&
        cmp "$1.again" "$1.f16"' sh "$out/$model"
done
for how in MATTEBOX_CUDNN=off MATTEBOX_CUBLASLT=off; do
    step determinism "$how" 30 env "$how" sh -c 'mattebox tensors "$1.mbw" "$1.in" "$1.again" --device cuda --precision f16 -q &&
        kit compare "$1.again" "$1.f16"' sh "$out/$model"
done

# ---- 6 time
bench()
{
    label=$1
    shift
    step timing "$label" 40 "$@"
}
if [ -n "$small" ]; then runs=2 batches="1 2"; else runs=100 batches="1 4 8"; fi
for spec in $models; do
    model=${spec%%:*} side=${spec##*:}
    for batch in $batches; do
        bench "$model f16 batch $batch" mattebox bench "$out/$model.mbw" --device cuda --precision f16 --size "$side" \
            --batch "$batch" --runs $runs --json
    done
    bench "$model f16 single launches" env MATTEBOX_CUDA_GRAPH=off mattebox bench "$out/$model.mbw" --device cuda \
        --precision f16 --size "$side" --runs $runs --json
    bench "$model tf32" mattebox bench "$out/$model.mbw" --device cuda --precision tf32 --size "$side" --runs $runs --json
    bench "$model f16 nodes" env MATTEBOX_CUDA_SYNC=1 mattebox bench "$out/$model.mbw" --device cuda --precision f16 \
        --size "$side" --runs 3 --profile
done

# ---- 3 the vendor's checkers, on our kernels
if have compute-sanitizer; then
    for tool in memcheck racecheck initcheck synccheck; do
        for op in linear conv2d deform_conv2d window_attention vit_attention layer_norm global_mean; do
            [ "$(left)" -gt 150 ] || break
            step sanitizer "$tool $op" 20 compute-sanitizer --tool "$tool" --error-exitcode 3 kit op "$op" plain
        done
    done
else
    skip sanitizer all "no compute-sanitizer here"
fi

# ---- 7 another engine
if [ -n "${MATTEBOX_PEER:-}" ]; then
    step peer given 60 sh -c "$MATTEBOX_PEER"
else
    skip peer given "MATTEBOX_PEER is not set"
fi

# ---- 8 profiles
model=${models%%:*} side=${models##*:}
if have ncu; then
    step ncu "$model" 60 ncu --clock-control none --set basic --metrics \
        dram__bytes.sum,sm__inst_executed_pipe_tensor.sum,smsp__warps_active.avg,launch__occupancy_limit_registers \
        --launch-count 60 -k regex:"product|attend|layer_norm|mb_each|relative" mattebox bench "$out/$model.mbw" \
        --device cuda --precision f16 --size "$side" --runs 1
else
    skip ncu "$model" "no ncu here"
fi
if have nsys; then
    step nsys "$model" 30 nsys profile -o "$out/timeline" --force-overwrite true mattebox bench "$out/$model.mbw" \
        --device cuda --precision f16 --size "$side" --runs 10
else
    skip nsys "$model" "no nsys here"
fi

# ---- 9 what goes wrong goes wrong properly
step stress "a fault breaks the device, and it says so" 20 kit fault
step stress "no libraries" 20 env MATTEBOX_CUDNN=off MATTEBOX_CUBLASLT=off mattebox version --verbose --device cuda
{
    printf 'P6\n8 8\n255\n'
    head -c 192 /dev/zero
} >"$out/small.ppm"
# shellcheck disable=SC2016 # $1 is the inner shell's
step stress "too large is refused before work" 20 sh -c \
    '! mattebox --model "$1" --device cuda --input-size 32768 --only-mask -o "$2.png" "$2" >"$2.said" 2>&1 && grep "CUDA: needs" "$2.said"' \
    sh "$out/$model.mbw" "$out/small.ppm"
step stress "two at once" 40 sh -c 'mattebox bench "$1" --device cuda --size "$2" --runs 3 & mattebox bench "$1" --device cuda \
    --size "$2" --runs 3 && wait $!' sh "$out/$model.mbw" "$side"

rm -f "$out"/small.ppm* "$out"/*.mbw "$out"/*.in "$out"/*.cpu "$out"/*.f32 "$out"/*.tf32 "$out"/*.f16 "$out"/*.bf16 "$out"/*.again "$out"/*.said
# ---- the summary
{
    echo "steps: $(grep -c '"rc":' "$results"), failed: $(grep -c '"rc":[1-9]' "$results"), skipped: $(grep -c '"skipped":' "$results"), $(($(date +%s) - begin)) s"
    grep '"rc":[1-9]' "$results"
    grep '"of":"measurement"' "$results" | grep '"rate":\|"tensor":\|wall_min\|"median' | cut -c 1-300
} >"$out/summary.txt"
cat "$out/summary.txt"
! grep -q '"rc":[1-9]' "$results"
