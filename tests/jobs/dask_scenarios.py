"""Jobs on a LocalCluster of two processes, run as a script by test_dask.py: prints what came out, as JSON.

A process of its own, since a cluster whose workers are killed leaves sockets and threads that would fail other tests.
"""

import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np

import tapediff as td
from tapediff import jobs
from tapediff.jobs.evaluator import Evaluator

CHUNK_ROWS = 500


def inputs(folder, rows=20_000):
    """Files of inputs in a folder, and the arguments of `run` that name them."""
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", rng.standard_normal((rows, 4)))
    np.save(folder / "w.npy", rng.standard_normal((4, 4)))
    files = {"rows": {"x": str(folder / "x.npy")}, "shared": {"w": str(folder / "w.npy")}}
    return {"f": f"{folder}/model.py:branching", "wrt": ["x", "w"], "chunk_rows": CHUNK_ROWS, **files}


def is_same(one, other):
    """Whether two results have the same bits."""
    return all(np.array(one.array(name)).tobytes() == np.array(other.array(name)).tobytes() for name in one.outputs)


def to_folder(folder, client):
    asked = inputs(folder)
    here, there = jobs.run(**asked, out=folder / "here"), jobs.run(**asked, out=folder / "there", client=client)
    again = jobs.run(**asked, out=folder / "there")
    return {"is_same": is_same(here, there), "is_finished": is_same(here, again), "rows": there.summary["finished_rows"]}


def in_memory(folder, client):
    asked = inputs(folder)
    return {"is_same": is_same(jobs.run(**asked), jobs.run(**asked, client=client))}


def reduced(folder, client):
    asked = inputs(folder) | {"reduce": "mean"}
    return {"is_same": is_same(jobs.run(**asked), jobs.run(**asked, client=client))}


def of_a_session(folder, client):
    """A function that no file of the worker's has, which closes over an array and a tensor."""
    scale, shift = np.array([1.0, 2.0, 3.0, 4.0]), td.tensor([0.5, 0.5, 0.5, 0.5])

    def local(x):
        return (td.tensor(scale) * x + shift).sum()

    rows = {"x": np.load(folder / "x.npy")[:2000]}
    asked = {"f": local, "rows": rows, "wrt": "x", "chunk_rows": 100}
    return {"is_same": is_same(jobs.run(**asked), jobs.run(**asked, client=client))}


def large_chunks(folder, client):
    """Of 16 MB, and Dask does not complain about their size."""
    x = np.random.default_rng(0).standard_normal((80, 50_000))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = jobs.run(lambda x: (x * x).sum(), rows={"x": x}, wrt="x", chunk_rows=40, client=client)
    return {"is_right": bool((found.gradient("x") == 2 * x).all())}


def rows_that_go_wrong(folder, client):
    """Marked as they are here; `strict` stops, and what was finished is kept and gone on with here."""
    asked = inputs(folder) | {"f": f"{folder}/model.py:failing"}
    here = jobs.run(**asked, out=folder / "wrong_here")
    there = jobs.run(**asked, out=folder / "wrong_there", client=client)
    try:
        jobs.run(**asked, out=folder / "wrong_strict", client=client, strict=True)
        stopped = ""
    except jobs.StrictError as error:
        stopped = str(error)
    kept = jobs.info(folder / "wrong_strict").summary["finished_rows"]
    resumed = jobs.resume(folder / "wrong_strict")
    return {"is_same": is_same(here, there), "stopped": stopped, "kept": kept, "is_same_resumed": is_same(here, resumed),
            "failures": [f["row"] for f in there.summary["failures"]] == [f["row"] for f in here.summary["failures"]]}


def half_on_the_cluster(folder, client):
    """Begun here, interrupted, gone on with there."""
    asked = inputs(folder)
    here = jobs.run(**asked, out=folder / "half_here")
    evaluate, calls = Evaluator.evaluate, []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) > 15:
            raise KeyboardInterrupt
        return evaluate(self, *arguments)

    Evaluator.evaluate = interrupted
    try:
        jobs.run(**asked, out=folder / "half_there")
    except KeyboardInterrupt:
        Evaluator.evaluate = evaluate
    before = jobs.info(folder / "half_there").summary["finished_rows"]
    return {"is_same": is_same(here, jobs.run(**asked, out=folder / "half_there", client=client)), "before": before}


def command(folder, client):
    """`tapediff run --scheduler`."""
    asked = inputs(folder)
    line = [sys.executable, "-m", "tapediff", "run", asked["f"], "--rows", f"x={folder}/x.npy", "--shared", f"w={folder}/w.npy"]
    line += ["--wrt", "x", "--wrt", "w", "--chunk-rows", str(CHUNK_ROWS), "--out", str(folder / "command")]
    done = subprocess.run([*line, "--scheduler", client.scheduler.address], capture_output=True, text=True, check=False)
    here = jobs.run(**asked, out=folder / "command_here")
    return {"code": done.returncode, "error": done.stderr, "is_same": is_same(here, jobs.info(folder / "command"))}


def blocks(folder, client):
    import dask.array

    asked = inputs(folder)
    x, w = np.load(folder / "x.npy"), np.load(folder / "w.npy")
    found = jobs.map_blocks(asked["f"], rows={"x": dask.array.from_array(x, chunks=(3000, 2))}, shared={"w": w}, wrt=["x", "w"])
    value, gradients = (future.result() for future in client.compute([found.value, found.gradients["w"]]))
    here = jobs.run(**asked)
    return {"is_same": bool((value == here.value).all() and (gradients == here.gradient("w")).all())}


def a_dead_worker(folder, client):
    """One of two is killed in the middle of a job."""
    asked = inputs(folder, rows=200_000)
    here = jobs.run(**asked)
    victim = next(iter(client.run(os.getpid).values()))
    killed = []

    def kill():
        os.kill(victim, signal.SIGKILL)
        killed.append(time.monotonic())

    timer = threading.Timer(0.3, kill)
    timer.start()
    there = jobs.run(**asked, out=folder / "killed", client=client)
    timer.join()
    return {"is_same": is_same(here, there), "was_in_the_middle": killed[0] < time.monotonic() - 0.1}


def a_function_that_ends_its_process(folder, client):
    asked = inputs(folder) | {"f": f"{folder}/model.py:ending"}
    client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))  # else it takes four workers
    try:
        jobs.run(**asked, out=folder / "ending", client=client)
    except jobs.JobError as error:
        return {"error": str(error)}


def a_scheduler_that_goes(folder, client):
    """The last scenario: the cluster is gone then."""
    asked = inputs(folder, rows=200_000)
    timer = threading.Timer(0.5, client.cluster.close)
    timer.start()
    try:
        jobs.run(**asked, out=folder / "gone", client=client)
        error = None
    except jobs.JobError as caught:
        error = str(caught)
    timer.join()
    resumed = jobs.run(**asked, out=folder / "gone")
    return {"error": error, "is_same": is_same(jobs.run(**asked), resumed)}


def main():
    from distributed import Client, LocalCluster

    faulthandler.dump_traceback_later(400, exit=True)  # a scenario that hangs says where
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    inputs(folder)
    found = {}
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        for name in names:
            found[name] = globals()[name](folder, client)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
