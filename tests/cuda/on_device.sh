#!/bin/sh
# One command for a machine with a GPU, at most ten minutes: is everything right, and how fast is it?
#
#     sh on_device.sh [OUT]          in the folder of the kit (`cmake --build BUILD --target gpu_kit`; gpu-kit.tar.gz)
#
# Correctness first, so that a cut-off at any point leaves something. The steps are in phases; each phase has a share of
# the time and may use what the ones before it have left, so that nothing slow can eat what comes later. A step that
# fails does not stop the rest. OUT (default: out beside this script) gets few files: results.jsonl, one line for each
# step and measurement as they come; summary.txt; device.json, cuDNN's description of the card; logs.tar.gz, the full
# output of every step, the card's clocks and memory twice a second, and the plan cache.
# Needs nothing but the driver; cuBLASLt and cuDNN are looked for (also in Python packages), and a Python with torch.
# Uses what is there of nvidia-smi, compute-sanitizer, ncu, nsys, and MATTEBOX_PEER="COMMAND" (its output is kept beside
# ours). Never changes clocks, power or modes. KIT_SMALL=1: a rehearsal with tiny sizes. KIT_SECONDS: the budget (570).
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/out}
work=${KIT_WORK:-$here/work}
mkdir -p "$out" "$work/logs" "$work/plans"
out=$(cd "$out" && pwd)
work=$(cd "$work" && pwd)
results=$out/results.jsonl
: >"$results"
PATH=$here/bin:$PATH
MATTEBOX_CACHE=$work/plans
MATTEBOX_GOLDENS=${MATTEBOX_GOLDENS:-$here/goldens}
export PATH MATTEBOX_CACHE MATTEBOX_GOLDENS
small=${KIT_SMALL:-}
budget=${KIT_SECONDS:-570}
begin=$(date +%s)
due=0
phase=setup
given=$(printenv LD_LIBRARY_PATH || true) # for programs that are not ours

# phase NAME SHARE: the steps from here on; shares are seconds of 570.
phase()
{
    phase=$1
    due=$((due + $2 * budget / 570))
}

left()
{
    echo $((due - $(date +%s) + begin))
}

# step NAME SECONDS COMMAND...: runs it if the phase has time, appends a line; JSON lines of its output follow.
step()
{
    name=$1 limit=$2
    shift 2
    [ -z "$small" ] || limit=$((limit * 6)) # the emulation is slow, and machines are busy
    log=$work/logs/$phase-$(printf %s "$name" | tr -c 'A-Za-z0-9._-' _).txt
    [ "$(left)" -ge "$limit" ] || limit=$(left)
    if [ "$limit" -lt 2 ]; then
        skip "$name" "no time left in this phase"
        return 0
    fi
    from=$(date +%s.%N)
    timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null
    rc=$?
    seconds=$(echo "$from $(date +%s.%N)" | awk '{printf "%.2f", $2 - $1}')
    tail=$(tail -n 1 "$log" | tr -d '"\\\000-\037' | cut -c 1-200)
    printf '{"step":"%s","name":"%s","rc":%d,"at":%d,"seconds":%s,"said":"%s"}\n' "$phase" "$name" "$rc" \
        $((${from%.*} - begin)) "$seconds" "$tail" >>"$results"
    sed -n "s/^{\(.*\)}\$/{\"step\":\"$phase\",\"name\":\"$name\",\"of\":\"measurement\",\1}/p" "$log" >>"$results"
    return "$rc"
}

skip()
{
    printf '{"step":"%s","name":"%s","skipped":"%s"}\n' "$phase" "$1" "$2" >>"$results"
}

have()
{
    command -v "$1" >/dev/null 2>&1
}

# ---- whatever happens, what there is is put together
finish()
{
    trap - EXIT INT TERM HUP
    [ -z "$sampler" ] || kill "$sampler" 2>/dev/null
    {
        echo "steps: $(grep -c '"rc":' "$results"), failed: $(grep -c '"rc":[1-9]' "$results"), skipped: $(grep -c '"skipped":' "$results"), $(($(date +%s) - begin)) s"
        grep '"rc":[1-9]' "$results"
        grep '"skipped":' "$results"
        [ ! -s "$work/logs/smi.csv" ] || awk -F', *' 'NR > 1 { if ($2 > c) c = $2; if ($6 > m) m = $6; if ($4 > p) p = $4; if ($5 > t) t = $5 }
            END { printf "largest: SM clock %d MHz, %d MB used, %d W, %d C\n", c, m, p, t }' "$work/logs/smi.csv"
        grep '"of":"measurement"' "$results" | grep '"rate":\|"tensor":\|wall_min\|"median\|"peer":\|"repeat":\|"fault":' | cut -c 1-300
    } >"$out/summary.txt"
    cat "$out/summary.txt"
    tar czf "$out/logs.tar.gz" -C "$work" logs plans 2>/dev/null
    rm -rf "$work"
    ! grep -q '"rc":[1-9]' "$results"
    exit $?
}
sampler=""
trap finish EXIT INT TERM HUP

# ---- pythons, the vendor's libraries also where Python packages keep them, our own shared libraries
pythons=""
for p in "${VIRTUAL_ENV:-/none}/bin/python" python3 python /opt/*/.venv/bin/python3 /opt/*/bin/python3 /usr/bin/python3; do
    p=$(command -v "$p" 2>/dev/null) || continue
    case " $pythons " in *" $p "*) ;; *) pythons="$pythons $p" ;; esac
done
folders=""
torch=""
for p in $pythons; do
    more=$(timeout 20 "$p" -c 'import glob, site, sys
roots = site.getsitepackages() + [site.getusersitepackages()] + sys.path
print(":".join(sorted({f for r in roots if r for f in glob.glob(r + "/nvidia/*/lib")})))' 2>/dev/null)
    folders="$folders${more:+:$more}"
    if [ -z "$torch" ] && [ -z "$small" ] && timeout 40 "$p" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
        torch=$p
    fi
done
for f in /usr/local/cuda*/lib64 /usr/local/cuda*/targets/x86_64-linux/lib /usr/lib/x86_64-linux-gnu /usr/local/nvidia/lib64 /usr/lib64/nvidia /usr/lib/wsl/lib; do
    for l in "$f"/libcudnn.so.9 "$f"/libcublasLt.so.1? "$f"/libcuda.so.1; do
        case ":$folders:" in *":$f:"*) ;; *) [ ! -e "$l" ] || folders="$folders:$f" ;; esac
    done
done
folders=${folders#:}
MATTEBOX_CUDA_LIBS=${MATTEBOX_CUDA_LIBS:+$MATTEBOX_CUDA_LIBS:}$folders
LD_LIBRARY_PATH=${given:+$given:}$folders # cuDNN opens its parts by itself
export MATTEBOX_CUDA_LIBS LD_LIBRARY_PATH
if ! mattebox version >/dev/null 2>&1 && [ -d "$here/lib" ]; then # picture codecs and OpenBLAS are carried
    LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$here/lib
fi
if have nvidia-smi; then
    nvidia-smi --query-gpu=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu,memory.used,utilization.gpu,clocks_throttle_reasons.active \
        --format=csv,nounits -lms 500 >"$work/logs/smi.csv" 2>/dev/null &
    sampler=$!
fi
export MATTEBOX_TUNE=off # correctness first with what the libraries propose; timing of candidates has its own phase

# ---- 0 the machine
phase setup 25
# shellcheck disable=SC2016 # for the inner shell
step machine 10 sh -c 'uname -a; nproc; free -m; ldd --version | head -n 1; nvidia-smi || true; nvidia-smi -q -d CLOCK,POWER,MEMORY,ECC || true
    ldd "$(command -v mattebox)" "$(command -v kit)" | grep "not found"; echo "$MATTEBOX_CUDA_LIBS"; mattebox version --verbose --device cuda'
step start 15 mattebox version --device cuda
step describe 20 kit describe "$out/device.json"
# shellcheck disable=SC2016 # $1 is the inner shell's
step "other engines" 25 sh -c 'for p in $1; do echo "$p"; timeout 10 "$p" -c "
import importlib.util as u, json, sys
print(json.dumps({n: bool(u.find_spec(n)) for n in (\"torch\", \"transformers\", \"tensorrt\", \"onnxruntime\", \"timm\", \"openvino\")}))"; done
    command -v trtexec nvcc cmake ncu nsys compute-sanitizer; ls /usr/lib/x86_64-linux-gnu/libnvinfer.so* 2>/dev/null; true' sh "$pythons"

# ---- 1 what this card can do
phase rates 20
step all 30 kit rates

# ---- 2 ops
phase op 50
if [ -n "$small" ]; then ops="add layer_norm resize_bilinear"; else ops=$(kit ops); fi
for op in $ops; do
    step "$op" 20 kit op "$op"
done

# ---- 3 the vendor's checkers, on our kernels
phase sanitizer 75
if have compute-sanitizer; then
    for tool in memcheck racecheck initcheck synccheck; do
        for op in linear conv2d deform_conv2d window_attention vit_attention layer_norm global_mean upsample_conv2d; do
            step "$tool $op" 12 compute-sanitizer --tool "$tool" --error-exitcode 3 --print-limit 20 kit op "$op" plain
        done
    done
else
    skip all "no compute-sanitizer here"
fi

# ---- 4a small networks against the official code's outputs, every tap
phase graph 40
if [ -n "$small" ]; then graphs="tiny7"; else graphs="tiny7 tiny7_64 tiny12 tiny_legacy tiny4 tiny4_b2 tiny14 swin_t"; fi
for precision in f32 f16 bf16; do
    for graph in $graphs; do
        step "$graph $precision" 15 env MB_TAPS=1 kit graph "$graph" "$precision"
    done
done

# ---- 4b whole models: the device against the CPU, in every precision
phase model 80
if [ -n "$small" ]; then models="birefnet-tiny7:3:32"; else models="birefnet-swin-t:3:1024 vitmatte-s:4:1024 birefnet-swin-l:3:1024"; fi
for spec in $models; do
    model=${spec%%:*} rest=${spec#*:}
    channels=${rest%:*} side=${rest#*:}
    step "$model generate" 30 mattebox-weights generate "$model" -o "$work/$model.mbw" -f -q
    kit input "$work/$model.in" 1 "$channels" "$side" "$side"
    step "$model cpu" 30 mattebox tensors -f "$work/$model.mbw" "$work/$model.in" "$work/$model.cpu" --device cpu -q
    for precision in f16 f32 bf16 tf32; do
        step "$model $precision" 20 mattebox tensors -f "$work/$model.mbw" "$work/$model.in" "$work/$model.$precision" \
            --device cuda --precision "$precision" -q
        step "$model $precision against the CPU" 10 kit compare "$work/$model.$precision" "$work/$model.cpu"
    done
done

# ---- 5 the fastest ways are looked for and kept; with them, the same bits every time, launch by launch and replayed
phase tuned 50
if [ -n "$small" ]; then repeats=4; else repeats=20; fi
for spec in $models; do
    model=${spec%%:*} side=${spec##*:}
    step "$model f16" 30 env MATTEBOX_TUNE="${KIT_TUNE:-25}" mattebox tensors -f "$work/$model.mbw" "$work/$model.in" "$work/$model.tuned" \
        --device cuda --precision f16 -q
    step "$model f16 against the CPU" 10 kit compare "$work/$model.tuned" "$work/$model.cpu"
    step "$model repeat" 15 kit repeat "$work/$model.mbw" f16 "$side" "$repeats"
done
step choices 5 kit plans "$work/plans"
phase determinism 30
model=${models%%:*} side=${models##*:}
for how in X=1 MATTEBOX_CUDA_GRAPH=off MATTEBOX_CUDA_SYNC=1; do
    # shellcheck disable=SC2016 # $1 is the inner shell's
    step "$how" 15 env "$how" sh -c 'mattebox tensors -f "$1.mbw" "$1.in" "$1.again" --device cuda --precision f16 -q &&
        cmp "$1.again" "$1.tuned"' sh "$work/$model"
done
for how in MATTEBOX_CUDNN=off MATTEBOX_CUBLASLT=off; do
    # shellcheck disable=SC2016 # $1 is the inner shell's
    step "$how" 15 env "$how" sh -c 'mattebox tensors -f "$1.mbw" "$1.in" "$1.again" --device cuda --precision f16 -q &&
        kit compare "$1.again" "$1.tuned"' sh "$work/$model"
done

# ---- 6 time
phase timing 90
bench()
{
    label=$1
    shift
    step "$label" 20 "$@"
}
if [ -n "$small" ]; then runs=2 many=2 batches="1 2"; else runs=100 many=30 batches="1 4 8"; fi
backwards=""
for spec in $models; do backwards="$spec $backwards"; done # what matters most comes first
for spec in $backwards; do
    model=${spec%%:*} side=${spec##*:}
    bench "$model f16 batch 1" mattebox bench "$work/$model.mbw" --device cuda --precision f16 --size "$side" --runs $runs --json
done
for spec in $backwards; do
    model=${spec%%:*} side=${spec##*:}
    bench "$model f16 nodes" env MATTEBOX_CUDA_SYNC=1 mattebox bench "$work/$model.mbw" --device cuda --precision f16 \
        --size "$side" --runs 3 --profile
    bench "$model f16 nodes, ops" env MATTEBOX_CUDA_SYNC=1 mattebox bench "$work/$model.mbw" --device cuda --precision f16 \
        --size "$side" --runs 3 --profile --json
    bench "$model f16 single launches" env MATTEBOX_CUDA_GRAPH=off mattebox bench "$work/$model.mbw" --device cuda \
        --precision f16 --size "$side" --runs $runs --json
    bench "$model f16 untimed proposals" env MATTEBOX_CACHE= mattebox bench "$work/$model.mbw" --device cuda \
        --precision f16 --size "$side" --runs $runs --json
    bench "$model bf16" mattebox bench "$work/$model.mbw" --device cuda --precision bf16 --size "$side" --runs $runs --json
    bench "$model tf32" mattebox bench "$work/$model.mbw" --device cuda --precision tf32 --size "$side" --runs $runs --json
    for batch in $batches; do
        [ "$batch" = 1 ] || bench "$model f16 batch $batch" mattebox bench "$work/$model.mbw" --device cuda --precision f16 \
            --size "$side" --batch "$batch" --runs "$many" --json
    done
done

# ---- 7 another engine
phase peer 45
if [ -n "$torch" ] && [ -f "$here/peer.py" ]; then
    step torch 45 env LD_LIBRARY_PATH="$given" "$torch" "$here/peer.py"
else
    skip torch "no Python with a torch that sees the GPU"
fi
if [ -n "${MATTEBOX_PEER:-}" ]; then
    step given 40 env LD_LIBRARY_PATH="$given" sh -c "$MATTEBOX_PEER"
else
    skip given "MATTEBOX_PEER is not set"
fi

# ---- 8 profiles
phase profile 40
model=birefnet-swin-l side=1024
if have ncu; then
    step "ncu $model" 40 ncu --clock-control none --set basic --metrics \
        dram__bytes.sum,sm__inst_executed_pipe_tensor.sum,l1tex__data_bank_conflicts_pipe_lsu.sum,smsp__warps_active.avg.pct_of_peak_sustained_active,launch__occupancy_limit_registers \
        --launch-count 40 -k regex:"gemm|attend|layer_norm|mb_each|relative" env MATTEBOX_CUDA_GRAPH=off mattebox bench \
        "$work/$model.mbw" --device cuda --precision f16 --size "$side" --runs 1
else
    skip "ncu $model" "no ncu here"
fi
if have nsys; then
    step "nsys $model" 30 nsys profile -o "$work/logs/timeline" --force-overwrite true mattebox bench "$work/$model.mbw" \
        --device cuda --precision f16 --size "$side" --runs 10
else
    skip "nsys $model" "no nsys here"
fi

# ---- 9 what goes wrong goes wrong properly
phase stress 25
model=${models%%:*} side=${models##*:}
side=${side#*:}
step "no libraries" 10 env MATTEBOX_CUDNN=off MATTEBOX_CUBLASLT=off mattebox version --verbose --device cuda
{
    printf 'P6\n8 8\n255\n'
    head -c 192 /dev/zero
} >"$work/small.ppm"
# shellcheck disable=SC2016 # $1 is the inner shell's
step "too large is refused before work" 10 sh -c \
    '! mattebox --model "$1" --device cuda --input-size 32768 --only-mask -o "$2.png" "$2" >"$2.said" 2>&1 && grep "CUDA: needs" "$2.said"' \
    sh "$work/$model.mbw" "$work/small.ppm"
# shellcheck disable=SC2016 # $1 is the inner shell's
step "two at once" 15 sh -c 'mattebox bench "$1" --device cuda --size "$2" --runs 3 & mattebox bench "$1" --device cuda \
    --size "$2" --runs 3 && wait $!' sh "$work/$model.mbw" "$side"
step "a fault breaks the device, and it says so" 10 kit fault
