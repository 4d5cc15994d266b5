#!/bin/sh
# on_device.sh from end to end with the emulated kit: every phase runs in its order, the report is sound, nothing slow eats
# what comes later, and a run that is cut off leaves its results. rehearsal.sh BUILD SOURCE
set -eu
build=$1 source=$2 kit=$1/cuda-kit-rehearsal
rm -rf "$kit" && mkdir -p "$kit/bin" "$kit/goldens" "$kit/tools"
ln -s "$build/cuda-kit/kit" "$build/cuda-kit/mattebox" "$build/mattebox-weights" "$kit/bin"
cp "$source/tests/data/goldens/birefnet_tiny7_32x32.safetensors" "$kit/goldens"
cp "$source/tests/cuda/on_device.sh" "$kit"
export MATTEBOX_CUDA_LIBS="$build/cuda-standin" KIT_SMALL=1 KIT_SECONDS=3000 KIT_TUNE=5 MATTEBOX_GOLDENS="$kit/goldens"
out=$kit/out
fail()
{
    echo "$1"
    exit 1
}
# a checker that hangs at every call, and a profiler that fails
printf '#!/bin/sh\nexec sleep 1000\n' >"$kit/tools/compute-sanitizer"
printf '#!/bin/sh\necho "no counters for you"\nexit 9\n' >"$kit/tools/ncu"
chmod +x "$kit/tools/compute-sanitizer" "$kit/tools/ncu"

echo "== a checker that hangs is stopped with its phase, a profiler that fails stops nothing"
PATH=$kit/tools:$PATH KIT_SECONDS=60 sh "$kit/on_device.sh" "$kit/hurried" >/dev/null && fail "failures were not reported"
grep -q '"step":"sanitizer","name":"memcheck linear","rc":124' "$kit/hurried/results.jsonl" || fail "$(cat "$kit/hurried/results.jsonl")"
grep -q '"step":"sanitizer".*"skipped":"no time left in this phase"' "$kit/hurried/results.jsonl" || fail "the phase did not end"
grep -q '"step":"stress"' "$kit/hurried/results.jsonl" || fail "later phases did not come"

echo "== all of it"
sh "$kit/on_device.sh" "$out" || fail "$(cat "$out/summary.txt")"
for step in setup rates op graph model tuned determinism timing stress; do
    grep -q "\"step\":\"$step\".*\"rc\":0" "$out/results.jsonl" || fail "no step $step"
done
if grep '"rc":[1-9]' "$out/results.jsonl"; then
    fail "a step has failed"
fi
[ "$(find "$out" -type f | wc -l)" -eq 4 ] || fail "$(find "$out")"
tar tzf "$out/logs.tar.gz" | grep -q 'logs/op-add.txt' || fail "no logs"
tar tzf "$out/logs.tar.gz" | grep -q '\.plans$' || fail "no plans"
[ ! -e "$kit/work" ] || fail "the work folder is still there"
python3 - "$out/results.jsonl" <<'PY' || exit 1
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
order = ["setup", "rates", "op", "sanitizer", "graph", "model", "tuned", "determinism", "timing", "peer", "profile", "stress"]
seen = [r["step"] for r in rows]
assert sorted(set(seen), key=seen.index) == order, seen
assert any(r.get("tap") for r in rows) and any("choice" in r for r in rows), "taps, choices"
repeat = [r for r in rows if "repeat" in r]
assert repeat and all(r["different"] == 0 and r["runs"] == 4 for r in repeat), repeat
PY

echo "== cut off, it leaves what it has"
sh "$kit/on_device.sh" "$kit/cut" >/dev/null &
pid=$!
sleep 3
kill -TERM $pid
wait $pid || true
[ -s "$kit/cut/logs.tar.gz" ] || fail "no logs were left"
grep -q '^steps: ' "$kit/cut/summary.txt" || fail "no summary was left"
