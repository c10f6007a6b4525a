"""Recipes: an evaluator made of one elsewhere gives the same bits, records nothing anew, and is refused on another machine."""

import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tapediff as td
from tapediff.jobs import JobError, map_blocks, run
from tapediff.jobs.cli import main
from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.function import load_function
from tapediff.jobs.recipe import Recipe

pytest.importorskip("cloudpickle", reason="sending functions to workers needs the extra jobs")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}

X = np.random.default_rng(0).standard_normal((50, 2))


def recipe_of(f, shared=None, wrt=("x",), rows=X, **options):
    evaluator = Evaluator(f, ["x"], shared or {}, wrt, **options)
    evaluator.evaluate({"x": rows}, 0)
    return Recipe.of(f, evaluator, ["x"])


def arrays_of(result):
    return {name: (array.dtype, array.tobytes()) for name, array in result.arrays().items()}


@pytest.mark.parametrize("reduce", [None, "sum"])
@pytest.mark.parametrize("function", ["quadratic", "branches", "fails"])
def test_an_evaluator_made_elsewhere_gives_the_same_bits(folder, function, reduce):
    f = load_function(f"model.py:{function}")
    shared, wrt = ({"w": np.array([0.5, 2.0])}, ["x", "w"]) if function == "quadratic" else ({}, ["x"])
    rows = 3 * X
    recipe = recipe_of(f, shared, wrt, rows, reduce=reduce)
    (folder / "recipe").write_bytes(pickle.dumps((recipe, rows)))
    (folder / "model.py").unlink()
    code = "import pickle; r, x = pickle.load(open('recipe', 'rb')); pickle.dump(r.evaluate({'x': x}, 7), open('result', 'wb'))"
    subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=True)
    found = pickle.loads((folder / "result").read_bytes())
    expected = Evaluator(f, ["x"], shared, wrt, reduce=reduce).evaluate({"x": rows}, 7)
    assert arrays_of(found) == arrays_of(expected)
    assert [failure.row for failure in found.failures] == [failure.row for failure in expected.failures]


def test_a_function_may_import_what_lies_beside_it(folder):
    (folder / "beside.py").write_text("factor = 3.0\n")
    (folder / "other.py").write_text("import beside\ndef f(x):\n    return (beside.factor * x).sum()\n")
    recipe = recipe_of(load_function("other.py:f"))
    (folder / "recipe").write_bytes(pickle.dumps(recipe))
    code = "import pickle, numpy as np; recipe = pickle.load(open('recipe', 'rb'))\n"
    code += "print(recipe.evaluate({'x': np.ones((1, 2))}, 0).values)"
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "recipe").write_bytes((folder / "recipe").read_bytes())
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=elsewhere, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    assert done.stdout == "[6.]\n"


def test_known_programs_are_not_recorded_again():
    calls = []

    def f(x):
        calls.append(1)
        return (x * x).sum()

    recipe = recipe_of(f)
    assert len(recipe.programs) == 1
    made = recipe.make()
    calls.clear()
    made.f = made.paths.f = made.by_row.f = f
    np.testing.assert_allclose(made.evaluate({"x": X}, 0).gradients["x"], 2 * X)
    assert not calls


def test_threads_of_a_process_have_evaluators_of_their_own():
    recipe = recipe_of(lambda x: (x * x).sum() if x[0] > 0 else x.sum())
    expected = arrays_of(recipe.evaluate({"x": X}, 0))
    found = []
    threads = [threading.Thread(target=lambda: found.append(arrays_of(recipe.evaluate({"x": X}, 0)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_other_versions_and_processors_are_refused():
    recipe = recipe_of(lambda x: x.sum())
    with pytest.raises(JobError, match=r"a worker has numpy .*, the job 1.0: last bits of results could differ"):
        replace(recipe, library=recipe.library | {"numpy": "1.0"}, key="other").evaluate({"x": X}, 0)


def test_what_can_t_be_sent_is_one_line():
    lock = threading.Lock()

    def f(x):
        return x.sum() if lock else x

    with pytest.raises(JobError, match=r"the function can't be sent to workers: TypeError: .*lock"):
        recipe_of(f)
    recipe = recipe_of(lambda x: x.sum())
    with pytest.raises(JobError, match=r"the function can't be loaded on a worker: "):
        replace(recipe, function=b"damaged", key="damaged").evaluate({"x": X}, 0)


def test_no_scheduler_at_an_address_is_one_line(folder, capsys, monkeypatch):
    pytest.importorskip("distributed", reason="running on Dask needs the extra jobs")
    monkeypatch.setattr("tapediff.jobs.distributed.CONNECT_SECONDS", 0.2)
    arguments = ["run", "model.py:scaled", "--rows", "x=x.npy", "--wrt", "x", "--out", "out", "--scheduler"]
    for address in ("tcp://127.0.0.1:1", "nowhere://x", "tcp://no.such.host.invalid:1"):
        assert main([*arguments, address]) == 2
        printed = capsys.readouterr().err
        assert printed.startswith(f"tapediff: no Dask scheduler answers at '{address}': ")
        assert printed.count("\n") == 1
    assert not (folder / "out").exists()


@pytest.mark.parametrize("client", [object(), "tcp://127.0.0.1:1"])
def test_what_is_no_client_is_refused(client):
    pytest.importorskip("distributed", reason="running on Dask needs the extra jobs")
    with pytest.raises(JobError, match=r"wanted a distributed.Client that is not asynchronous"):
        run(lambda x: x.sum(), rows={"x": X}, wrt="x", client=client)


# Dask arrays


@pytest.fixture
def dask_array():
    return pytest.importorskip("dask.array", reason="mapping over Dask arrays needs the extra jobs")


def test_blocks_are_what_a_job_gives(dask_array):
    def f(x, y, w):
        return (w * x * x).sum() * y if x[0] > 0 else (w * x).sum() + y

    y, w = np.arange(50.0), np.array([0.5, 2.0])
    expected = run(f, rows={"x": X, "y": y}, shared={"w": w}, wrt=["x", "w", "y"])
    for chunks in ((7, 1), (50, 2), ((20, 0, 30), 2)):
        x = dask_array.from_array(X, chunks=chunks) if chunks != ((20, 0, 30), 2) else dask_array.concatenate(
            [dask_array.from_array(part, chunks=-1) for part in (X[:20], X[:0], X[20:])])
        found = map_blocks(f, rows={"x": x, "y": y}, shared={"w": w}, wrt=["x", "w", "y"])
        assert (found.value.shape, found.value.dtype) == ((50,), np.float64)
        np.testing.assert_array_equal(found.value.compute(), expected.value)
        for name in ("x", "w", "y"):
            assert found.gradients[name].shape == expected.gradient(name).shape
            np.testing.assert_array_equal(found.gradients[name].compute(), expected.gradient(name))
        np.testing.assert_array_equal(found.status.compute(), 0)


def test_blocks_of_unknown_length(dask_array):
    x = dask_array.from_array(X, chunks=(20, 2))
    x = x[x[:, 0] > 0]
    found = map_blocks(lambda x: (x * x).sum(), rows={"x": x}, wrt="x")
    np.testing.assert_array_equal(found.gradients["x"].compute(), 2 * X[X[:, 0] > 0])


def test_blocks_mark_rows_that_go_wrong(dask_array):
    def f(x):
        if x > 2:
            raise ArithmeticError("too large")
        return x.sqrt()

    found = map_blocks(f, rows={"x": dask_array.from_array(np.array([1.0, -1.0, 3.0, 4.0]), chunks=2)}, wrt="x")
    np.testing.assert_array_equal(found.status.compute(), [0, 2, 4, 4])


def test_blocks_in_single_precision(dask_array):
    found = map_blocks(lambda x: (x * x).sum(), rows={"x": dask_array.from_array(X.astype(np.float32), chunks=(9, 2))}, wrt="x")
    assert found.value.compute().dtype == found.value.dtype == np.float32


def test_blocks_that_can_t_be_mapped_are_one_line(dask_array):
    def f(x, y=1.0):
        return (x * y).sum()

    x = dask_array.from_array(X, chunks=(9, 2))
    for rows, wrt, message in (
        ({"x": X}, "x", "no row input is a Dask array"),
        ({"x": x, "y": np.zeros(7)}, "x", "y has 7 rows in 1 chunks, and another input 50 in 6"),
        ({"x": x, "z": x}, "x", r"has no parameter 'z'"),
        ({"x": x}, "y", "wrt names 'y', which is no input"),
        ({"x": x}, (), "wrt names no input"),
        ({"x": x.astype(int)}, "x", "x has dtype int64, which has no gradients"),
        ({"x": x.astype(np.float16)}, "x", "x has dtype float16; a tensor holds"),
        ({"x": x.sum()}, "x", "x is a single number"),
    ):
        with pytest.raises(JobError, match=message):
            map_blocks(f, rows=rows, wrt=wrt)


def test_recipes_send_tensors_that_functions_close_over():
    scale = td.tensor([1.0, 2.0], dtype=td.float64)
    recipe = recipe_of(lambda x: (scale * x).sum())
    np.testing.assert_array_equal(recipe.make().evaluate({"x": X}, 0).gradients["x"], np.tile([1.0, 2.0], (50, 1)))
