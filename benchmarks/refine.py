#!/usr/bin/env python3
"""The classical refinements beside their Python peers, in one run: python3 benchmarks/refine.py BUILD_DIR [CASE...]

The peers run under $MATTEBOX_PEER_PYTHON (default: this Python) and are skipped, and said so, where they do not import.
Ours and theirs alternate; the least wall and CPU times of all rounds count, one thread each (a second line of ours has
all threads). Prints JSON lines, then a table.
"""
import json
import os
import platform
import subprocess
import sys
import tempfile

CASES = {  # name: method, size, parameter, repeats of one process, peer
    "copy-4096": ("copy", 4096, 0, 5, True),
    "remap-4096": ("remap", 4096, 0, 5, True),
    "trimap-6-2048": ("trimap", 2048, 6, 5, True),
    "trimap-100-2048": ("trimap", 2048, 100, 3, True),
    "guided-3-1024": ("guided", 1024, 3, 5, True),
    "guided-3-4096": ("guided", 4096, 3, 2, True),
    "cf-11-1024": ("cholesky", 1024, 11, 3, True),
    "cf-31-1024": ("cholesky", 1024, 31, 2, True),
    "cf-101-1024": ("cholesky", 1024, 101, 1, True),
    "cf-151-1024": ("cholesky", 1024, 151, 1, True),
    "cf-11-2048": ("cholesky", 2048, 11, 2, True),
    "cf-31-2048": ("cholesky", 2048, 31, 1, True),
    "ml-1024": ("ml", 1024, 0, 3, True),
    "ml-2048": ("ml", 2048, 0, 2, True),
    "blurfusion-1024": ("blurfusion", 1024, 0, 3, True),
    "pcg-11-1024": ("pcg", 1024, 11, 1, False),
}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["failed"])[-1]
    return json.loads(done.stdout), None


def best(results):
    out = dict(results[0])
    for key in ("wall_ms", "cpu_ms", "peak_mib"):
        out[key] = (max if key == "peak_mib" else min)(r[key] for r in results)
    return out


def main():
    bench = os.path.join(sys.argv[1], "bench_refine")
    peer_python = os.environ.get("MATTEBOX_PEER_PYTHON", sys.executable)
    peer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "refine_peers.py")
    rounds = int(os.environ.get("MATTEBOX_ROUNDS", "2"))
    names = sys.argv[2:] or list(CASES)
    print(json.dumps({"machine": platform.processor() or platform.machine(), "cpus": os.cpu_count(),
                      "load": os.getloadavg()}))
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            method, size, parameter, repeats, with_peer = CASES[name]
            files = [os.path.join(folder, f"{kind}{size}.raw") for kind in ("photo", "mask")]
            if not os.path.exists(files[0]):
                subprocess.run([bench, "make", str(size), *files], check=True)
            ours, theirs, all_threads, note = [], [], [], ""
            for _ in range(rounds):
                result, error = run([bench, method, str(size), str(parameter), "1", str(repeats), *files])
                if result is None:
                    note = error
                    break
                ours.append(result)
                all_threads.append(run([bench, method, str(size), str(parameter), "0", str(repeats), *files])[0])
                if with_peer and not note:
                    result, error = run([peer_python, peer, method, str(size), str(parameter), str(repeats), *files])
                    if result is None:
                        note = "peer: " + error
                    else:
                        theirs.append(result)
            if not ours:
                print(json.dumps({"case": name, "error": note}))
                continue
            row = {"case": name, "ours": best(ours), "all_threads_wall_ms": best(all_threads)["wall_ms"]}
            if theirs:
                row["peer"] = best(theirs)
                row["ratio_wall"] = round(row["peer"]["wall_ms"] / row["ours"]["wall_ms"], 2)
                row["ratio_cpu"] = round(row["peer"]["cpu_ms"] / row["ours"]["cpu_ms"], 2)
                row["ratio_memory"] = round(row["peer"]["peak_mib"] / row["ours"]["peak_mib"], 2)
            elif note:
                row["note"] = note
            print(json.dumps(row), flush=True)
            table.append(row)
    print(f"\n{'case':18}{'ours ms':>10}{'cpu':>9}{'all thr.':>10}{'MiB':>7}{'peer ms':>10}{'cpu':>10}{'MiB':>7}"
          f"{'x wall':>8}{'x cpu':>8}{'x mem':>7}")
    for r in table:
        o, p = r["ours"], r.get("peer")
        line = f"{r['case']:18}{o['wall_ms']:10.1f}{o['cpu_ms']:9.1f}{r['all_threads_wall_ms']:10.1f}{o['peak_mib']:7.0f}"
        if p:
            line += (f"{p['wall_ms']:10.1f}{p['cpu_ms']:10.1f}{p['peak_mib']:7.0f}{r['ratio_wall']:8.2f}"
                     f"{r['ratio_cpu']:8.2f}{r['ratio_memory']:7.2f}")
        print(line)


main()
