#!/usr/bin/env python3
"""Times the bare network beside another engine, in turn, in one run, and prints ratios as a JSON line.

    network.py BUILD MODEL.mbw [--size 1024x1024] [--threads 2] [--rounds 3] [--peer "COMMAND"]

The peer's command prints one JSON line with wall_min and, if it knows them, cpu_min (seconds) and peak_rss_mb. Without a
peer only our figures are printed. A ratio is ours / peer: below 1 we are faster. On a machine that others use, compare
CPU seconds of the same minutes; wall times only when `others` (share of the machine used by other programs) is small.
"""
import argparse
import json
import os
import platform
import resource
import shlex
import statistics
import subprocess
import sys


def busy():
    """seconds of processor time used by everything on the machine, and idle ones"""
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    tick = os.sysconf("SC_CLK_TCK")
    idle = (v[3] + v[4]) / tick
    return sum(v) / tick - idle, idle


def run(command):
    before = busy()
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    done = resource.getrusage(resource.RUSAGE_CHILDREN)
    after = busy()
    cpu = done.ru_utime + done.ru_stime - own.ru_utime - own.ru_stime
    total = after[0] - before[0] + after[1] - before[1]
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    figures = next(r for r in reversed(rows) if "wall_min" in r)
    figures["others"] = round(max(0.0, after[0] - before[0] - cpu) / total, 3) if total else 0.0
    return figures


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("model")
    p.add_argument("--size", default="1024x1024")
    p.add_argument("--threads", default="2")
    p.add_argument("--runs", default="3", help="measured runs in each round")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--peer", help="a command line")
    a = p.parse_args()
    ours = [os.path.join(a.build, "mattebox"), "bench", a.model, "--size", a.size, "--threads", a.threads, "--runs",
            a.runs, "--json"]
    rows = {"ours": [], "peer": []}
    for _ in range(a.rounds):
        rows["ours"].append(run(ours))
        if a.peer:
            rows["peer"].append(run(shlex.split(a.peer)))
    result = {"machine": platform.machine(), "cpus": os.cpu_count(), "model": os.path.basename(a.model), "size": a.size,
              "threads": int(a.threads), "rounds": a.rounds}
    for side, figures in rows.items():
        for key in ("wall_min", "cpu_min", "peak_rss_mb", "others"):
            values = [f[key] for f in figures if key in f]
            if values:
                result[f"{side}_{key}"] = round(statistics.median(values), 3)
    for key in ("wall_min", "cpu_min", "peak_rss_mb"):
        pairs = [o[key] / q[key] for o, q in zip(rows["ours"], rows["peer"]) if key in o and key in q]
        if pairs:
            result[f"ratio_{key}"] = round(statistics.median(pairs), 3)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
