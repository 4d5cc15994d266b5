#!/bin/sh
# The recipes of docs/scale.md, as they stand there, with the variables that their schedulers set: together the tasks do every
# photo exactly once, a repeated task does nothing twice. scale.sh BUILD SOURCE
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
work=$build/test-files/scale
rm -rf "$work"
mkdir -p "$work/bin"
cd "$work"
printf '#!/bin/sh\nexec %s/mattebox "$@" --model saliency\n' "$build" >bin/mattebox # the cheapest way to a mask
chmod +x bin/mattebox
PATH=$work/bin:$PATH
export PATH

# Twenty photos: small ones, that one task of several would otherwise get none of.
photos() {
    rm -rf photos out out.* report.jsonl
    mkdir -p photos/sub out
    for i in 1 2 3 4 5 6 7 8 9 10; do cp "$source/tests/data/pictures/$small" "photos/$i.$ending"; done
    for i in 1 2 3 4 5 6 7 8 9 10; do cp "$source/tests/data/pictures/$small" "photos/sub/$i.$ending"; done
}
recipe() {
    awk -v name="$1" '$0 == "<!-- run: " name " -->" { on = 1; next } on && /^```$/ { exit } on && !/^```/ { print }' \
        "$source/docs/scale.md" >"$1.txt"
    [ -s "$1.txt" ] || { echo "docs/scale.md has no recipe \"$1\""; exit 1; }
}
# usage: all_once NAME REPORT...: every photo has a result, and was done in one task
all_once() {
    name=$1
    shift
    [ "$(find out -name '*.cutout.png' | wc -l)" -eq 20 ] || { echo "$name: $(find out -name '*.png' | wc -l) results"; exit 1; }
    [ $# -eq 0 ] || [ "$(cat "$@" | grep -c '"status":"ok"')" -eq 20 ] || { echo "$name: not once each"; exit 1; }
    [ -z "$(find out -newer stamp)" ] || { echo "$name: a repeated task wrote again"; exit 1; }
    echo "ok  $name"
}
small=$(cd "$source/tests/data/pictures" && find . -name '*.jpg' -size -6k | sort | head -n 1)
[ -n "$small" ] || { echo "no small photo in tests/data/pictures"; exit 1; }
ending=jpg

# ---- Slurm: sixteen tasks counted from 1; then one of them again, alone, as a smaller array counts it
recipe slurm
grep -q '^#SBATCH --array=1-16$' slurm.txt
photos
for i in $(seq 16); do
    PHOTOS=photos RESULTS=out SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_COUNT=16 SLURM_CPUS_PER_TASK=1 sh slurm.txt 2>/dev/null
done
cat out.*.jsonl >first
sleep 0.01
touch stamp
PHOTOS=photos RESULTS=out SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=1 SLURM_CPUS_PER_TASK=1 sh slurm.txt 2>/dev/null
grep -q '"status":"skipped"' out.3.jsonl
all_once slurm first

# ---- Kubernetes: the container's command, with indices from 0
recipe kubernetes
awk '/^ *- \|$/ { match($0, /^ */); depth = RLENGTH; on = 1; next } on { match($0, /^ */); if (RLENGTH <= depth) exit; print }' \
    kubernetes.txt | sed 's|/photos|photos|; s|/results|out|' >pod.sh
grep -q 'completions: 16' kubernetes.txt && grep -q '/16"' pod.sh
photos
for i in $(seq 0 15); do JOB_COMPLETION_INDEX=$i sh pod.sh >"out.$i.jsonl" 2>/dev/null; done
touch stamp
all_once kubernetes out.*.jsonl
if python3 -c 'import yaml' 2>/dev/null; then
    python3 -c 'import sys, yaml; j = yaml.safe_load(open(sys.argv[1])); assert j["spec"]["completionMode"] == "Indexed"' kubernetes.txt
fi

# ---- xargs, two at a time
recipe xargs
photos
sh -eu xargs.txt 2>/dev/null
touch stamp
all_once xargs

# ---- watch, ended as a service is
recipe watch
photos
sed 's/^mattebox/exec mattebox/' watch.txt >watch.sh
sh watch.sh 2>/dev/null &
watch=$!
for i in $(seq 300); do
    [ "$(grep -c '"status":"ok"' report.jsonl 2>/dev/null || true)" = 20 ] && break
    sleep 0.05
done
kill -TERM "$watch"
wait "$watch" || { echo "watch: code $?"; exit 1; }
touch stamp
all_once watch report.jsonl
