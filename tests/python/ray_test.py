"""Ray Data on a local cluster of two actors, one of which is killed half-way: ray_test.py PHOTO N. Every row must come out once.
Started by ray.sh."""
import io
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time

import numpy as np
import ray

import mattebox
import mattebox.ray

PHOTO, N = pathlib.Path(sys.argv[1]), int(sys.argv[2])
MARKS = pathlib.Path(tempfile.mkdtemp())


class Marked(mattebox.ray.CutOut):
    """Says which process did how much, so that the test can pick one to kill, in the middle of a batch."""

    def __init__(self, marks, **keywords):
        super().__init__(**keywords)
        self.mark = pathlib.Path(marks) / str(os.getpid())
        self.mark.write_text("")

    def __call__(self, batch):
        with self.mark.open("a") as file:
            file.write("." * len(batch["id"]))
        time.sleep(0.3)
        return super().__call__(batch)


def kill_one_half_way(killed):
    while not killed:
        done = {path: len(path.read_text()) for path in MARKS.glob("*")}
        if len(done) >= 2 and sum(done.values()) >= N // 2:
            victim = max(done, key=done.get)
            os.kill(int(victim.name), signal.SIGKILL)
            killed.append(victim.name)
        time.sleep(0.02)


def main():
    ray.init(num_cpus=4, include_dashboard=False, logging_level="error", log_to_driver=False)
    data = PHOTO.read_bytes()
    rows = [{"id": i, "bytes": b"broken" if i % 10 == 7 else data} for i in range(N)]
    killed = []
    threading.Thread(target=kill_one_half_way, args=(killed,), daemon=True).start()
    start = time.time()
    out = ray.data.from_items(rows, override_num_blocks=N // 4).map_batches(
        Marked, batch_size=4, concurrency=2, num_cpus=1, max_restarts=3, max_task_retries=3,
        fn_constructor_kwargs={"marks": str(MARKS), "model": None, "segment": "saliency", "threads": 1}).take_all()
    assert killed, "no actor was killed: too quick"
    ids = sorted(row["id"] for row in out)
    assert ids == list(range(N)), f"{len(ids)} rows, {len(set(ids))} different"
    for row in out:
        assert bool(row["error"]) == (row["id"] % 10 == 7), row["id"]
        assert row["cutout"].startswith(b"\x89PNG") != bool(row["error"])
    good = {row["cutout"] for row in out if not row["error"]}
    assert len(good) == 1, "the same photo gave different files"
    assert good.pop() == mattebox.Model(None, segment="saliency").run(data).encode()
    print(f"{N} rows once each, {sum(bool(r['error']) for r in out)} with errors of their own, actor {killed[0]} killed half-way, "
          f"{len(list(MARKS.glob('*')))} processes in all, {time.time() - start:.0f} s, ray {ray.__version__}")


main()
