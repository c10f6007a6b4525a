"""A job that was stopped goes on where it was, to the same bits; whatever changed meanwhile is refused."""

import json
import os
import threading
from contextlib import contextmanager, suppress

import numpy as np
import pytest

import tapediff as td
from tapediff.jobs import ChangedError, JobError, LockedError, StorageError, info, resume, run
from tapediff.jobs import store as store_module
from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.journal import line_of, record_of
from tapediff.jobs.lock import Lock

EVERY = int(os.environ.get("TAPEDIFF_EVERY_BYTE", "29"))  # 1: all bytes of a damaged file in turn, minutes; or each of so many
X = np.random.default_rng(0).normal(size=(200, 2))


def f(x, k):
    y = (x * x * k).sum()
    return y.sqrt() if y > 1 else y.sin()


def start(out, x=X, k=0.5, **options):
    return run(f, rows={"x": x}, shared={"k": k}, wrt=["x", "k"], out=out, **{"chunk_rows": 16, **options})


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.npy")}


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A folder of a job that was interrupted in its sixth chunk, and the results of an undisturbed run."""
    start(tmp_path / "whole")
    with stopping_at(monkeypatch, 6):
        start(tmp_path / "stopped")
    return tmp_path / "stopped", contents(tmp_path / "whole")


@contextmanager
def stopping_at(monkeypatch, number):
    """A context in which Ctrl-C comes while the chunk of this number is evaluated."""
    evaluate, calls = Evaluator.evaluate, []

    def interrupted(self, inputs, first):
        calls.append(first)
        if len(calls) == number:
            raise KeyboardInterrupt
        return evaluate(self, inputs, first)

    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, "evaluate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            yield


def counted(monkeypatch):
    """The first rows of the chunks that are evaluated from now on."""
    evaluate, calls = Evaluator.evaluate, []

    def noted(self, inputs, first):
        calls.append(first)
        return evaluate(self, inputs, first)

    monkeypatch.setattr(Evaluator, "evaluate", noted)
    return calls


def test_an_interrupted_job_goes_on_behind_its_last_chunk(stopped, monkeypatch):
    folder, expected = stopped
    assert contents(folder) == {}
    assert info(folder).summary["finished_rows"] == 80
    assert not info(folder).is_finished
    calls = counted(monkeypatch)
    result = start(folder)
    assert calls == [16 * k for k in range(5, 13)]
    assert contents(folder) == expected
    assert result.summary["finished_rows"] == 200
    assert sum(program["rows"] for program in result.summary["programs"]) == 200


def test_going_on_with_much_says_what_it_waits_for(stopped, monkeypatch, capsys):
    monkeypatch.setattr(store_module, "LARGE", 1000)
    start(stopped[0], progress="log")
    assert capsys.readouterr().err == ("tapediff: reading again what is finished of 0.0 GB\n"
                                       "tapediff: going on behind 80 of 200 rows\n")


def test_a_finished_job_is_not_computed_again(tmp_path, monkeypatch):
    first = start(tmp_path)
    calls = counted(monkeypatch)
    again = start(tmp_path)
    assert calls == []
    assert again.summary == first.summary


def test_a_result_that_was_taken_away_is_computed_again(tmp_path):
    start(tmp_path)
    expected = contents(tmp_path)
    (tmp_path / "value.npy").unlink()
    start(tmp_path)
    assert contents(tmp_path) == expected


def test_restart_starts_over(stopped, monkeypatch):
    folder, expected = stopped
    calls = counted(monkeypatch)
    start(folder, restart=True)
    assert len(calls) == 13
    assert contents(folder) == expected
    assert start(folder, k=2.0, restart=True).value[0] != np.load(folder.parent / "whole" / "value.npy")[0]


def test_restart_takes_away_results_of_other_names(tmp_path):
    start(tmp_path)
    run(f, rows={"x": X}, shared={"k": 0.5}, wrt="x", out=tmp_path, restart=True)
    assert sorted(contents(tmp_path)) == ["grad_x.npy", "status.npy", "value.npy"]


def test_results_that_no_job_wrote_are_not_replaced(tmp_path):
    np.save(tmp_path / "value.npy", X)
    with pytest.raises(JobError, match=r"already holds value.npy; give another folder, or --restart"):
        start(tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "value.npy"), X)


def other_function(x, k):
    return (x * x * k).sum() * 1.5


CHANGES = {
    "content of the rows": ({"rows": {"x": X + 1e-15}}, "the content of x changed"),
    "number of rows": ({"rows": {"x": X[:-1]}}, "the content of x changed; the number of rows was 200 and is 199"),
    "dtype": ({"rows": {"x": X.astype(np.float32)}}, "x was float64 and is float32"),
    "shape": ({"rows": {"x": X[:, :1]}}, r"x had the shape \(2,\) and has \(1,\)"),
    "shared": ({"shared": {"k": 0.25}}, "the content of k changed"),
    "wrt": ({"wrt": ["x"]}, "wrt was x, k and is x"),
    "reduce": ({"reduce": "sum"}, "reduce was None and is sum"),
    "format": ({"format": "parquet"}, "the format was npy and is parquet"),
    "chunks": ({"chunk_rows": 8}, "chunk_rows was 16 and is 8"),
    "limit": ({"limit": 3}, "the limit of programs was 64 and is 3"),
    "function": ({"f": other_function}, "the function was f and is other_function"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_what_changed_is_refused_by_name(stopped, change, message):
    if "format" in change:
        pytest.importorskip("pyarrow", reason="writing Parquet needs the extra jobs")
    folder, _ = stopped
    given = {"f": f, "rows": {"x": X}, "shared": {"k": 0.5}, "wrt": ["x", "k"], "out": folder, **change}
    before = {path: path.read_bytes() for path in (folder / ".tapediff").iterdir() if path.name != "lock"}
    with pytest.raises(ChangedError, match=message):
        run(given.pop("f"), **given)
    assert {path: path.read_bytes() for path in (folder / ".tapediff").iterdir() if path.name != "lock"} == before


def test_another_library_is_refused(stopped, monkeypatch):
    import scipy

    monkeypatch.setattr(scipy, "__version__", "9.9")
    with pytest.raises(ChangedError, match=r"scipy was [\d.]+ and is 9.9"):
        start(stopped[0])


def test_a_number_that_the_function_closes_over_is_part_of_it(tmp_path):
    def scaled(k):
        return lambda x: (k * x).sum()

    run(scaled(2.0), rows={"x": X}, wrt="x", out=tmp_path)
    with pytest.raises(ChangedError, match="or a number that it closes over"):
        run(scaled(3.0), rows={"x": X}, wrt="x", out=tmp_path)


def test_something_that_the_function_reads_is_part_of_it(tmp_path):
    weights = {"w": td.tensor([1.0, 2.0], dtype=td.float64)}
    module = type(os)("elsewhere")
    module.weights = weights

    def reads(x):
        return (x * module.weights["w"]).sum()

    run(reads, rows={"x": X}, wrt="x", out=tmp_path)
    weights["w"] = td.tensor([1.0, 3.0], dtype=td.float64)
    with pytest.raises(ChangedError, match="computes something else for the first row"):
        run(reads, rows={"x": X}, wrt="x", out=tmp_path)


def test_a_changed_function_file_is_refused(folder):
    options = {"rows": {"x": "x.npy"}, "wrt": "x", "out": "out"}
    run("model.py:scaled", **options)
    text = (folder / "model.py").read_text()
    (folder / "model.py").write_text(text + "\n# another line\n")
    with pytest.raises(ChangedError, match=r"model\.py changed"):
        run("model.py:scaled", **options)
    (folder / "model.py").write_text(text)
    run("model.py:scaled", **options)


def test_inputs_and_function_may_move(folder):
    run("model.py:scaled", rows={"x": "x.npy"}, wrt="x", out="out")
    (folder / "elsewhere").mkdir()
    (folder / "model.py").rename("elsewhere/model.py")
    (folder / "x.npy").rename("elsewhere/y.npy")
    assert run("elsewhere/model.py:scaled", rows={"x": "elsewhere/y.npy"}, wrt="x", out="out").is_finished


def test_two_runs_in_one_folder_are_refused(tmp_path):
    entered, leave = threading.Event(), threading.Event()

    def slow(x):
        entered.set()
        leave.wait(20)
        return x.sum()

    thread = threading.Thread(target=lambda: run(slow, rows={"x": X}, wrt="x", out=tmp_path))
    thread.start()
    try:
        assert entered.wait(20)
        with pytest.raises(LockedError, match=f"in use by process {os.getpid()} on "):
            run(slow, rows={"x": X}, wrt="x", out=tmp_path)
    finally:
        leave.set()
        thread.join()
    assert info(tmp_path).is_finished


def test_who_is_at_a_job_can_be_seen(stopped):
    folder, _ = stopped
    assert info(folder).summary["running"] is None
    with Lock(folder / ".tapediff" / "lock"):
        assert info(folder).summary["running"].startswith(f"process {os.getpid()} on ")


# Resume


def test_resume_goes_on_with_function_and_inputs_of_the_settings(folder, monkeypatch):
    options = {"rows": {"x": "x.npy"}, "shared": {"w": "weights.npz:w"}, "wrt": "x", "chunk_rows": 1}
    run("model.py:quadratic", out="whole", **options)
    with stopping_at(monkeypatch, 2):
        run("model.py:quadratic", out="out", **options)
    calls = counted(monkeypatch)
    monkeypatch.chdir("/")
    result = resume(folder / "out")
    assert calls == [1, 2]
    assert contents(folder / "out") == contents(folder / "whole")
    assert result.is_finished
    assert resume(folder / "out").is_finished


def test_resume_needs_what_a_file_names(stopped):
    with pytest.raises(JobError, match="was started from Python"):
        resume(stopped[0])


def test_resume_needs_a_job(tmp_path):
    with pytest.raises(JobError, match="holds no job"):
        resume(tmp_path)
    with pytest.raises(JobError, match="holds no job"):
        info(tmp_path / "gone")


# What a full disk does


@pytest.mark.parametrize("number", [1, 4, 9, 30])
def test_a_full_disk_is_one_line_and_the_job_goes_on_later(tmp_path, monkeypatch, number):
    start(tmp_path / "whole")
    write, calls = os.pwrite, []

    def full(descriptor, data, offset):
        calls.append(offset)
        if len(calls) == number:
            return write(descriptor, bytes(data)[:3], offset)  # a short write, as before the last free block is gone
        if len(calls) > number:
            raise OSError(28, "No space left on device")
        return write(descriptor, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StorageError, match=r"can't be written: No space left on device; make room"):
            start(tmp_path / "out")
    assert contents(tmp_path / "out") == {}
    whole_chunks = max(0, (number - 2) // 4)  # the first write is the lock's, and each chunk takes four
    assert info(tmp_path / "out").summary["finished_rows"] == 16 * whole_chunks
    start(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_short_writes_are_continued(tmp_path, monkeypatch):
    start(tmp_path / "whole")
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, offset: write(descriptor, bytes(data)[:7], offset))
    start(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("where", ["value.npy", "journal"])
def test_a_flush_that_fails_is_not_tried_again(tmp_path, monkeypatch, where):
    start(tmp_path / "whole")
    sync, calls = os.fsync, []

    def full(descriptor):
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(f".tapediff/{where}"):
            calls.append(where)
            if len(calls) == (2 if where == "journal" else 1):
                raise OSError(5, "Input/output error")  # once, as Linux says it; what was not written is gone
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="Input/output error"):
            start(tmp_path / "out")
    assert info(tmp_path / "out").summary["finished_rows"] in ((0, 200) if where == "journal" else (0,))
    start(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_results_that_do_not_fit_are_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("tapediff.jobs.job.free_bytes", lambda path: 100)
    with pytest.raises(StorageError, match="has room for 100 bytes, and the results take"):
        start(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(JobError, match="can't be made: Permission denied"):
        start(tmp_path / "out")


# A damaged folder


def small_job(folder, **options):
    return run(lambda x: x * x, rows={"x": np.array([1.0, 2.0, 3.0])}, wrt="x", out=folder, chunk_rows=1, **options)


@pytest.fixture
def half(tmp_path, monkeypatch):
    """A small job whose last chunk is missing."""
    with stopping_at(monkeypatch, 3):
        small_job(tmp_path / "half")
    return tmp_path / "half"


def copies(folder):
    return {path: path.read_bytes() for path in (folder / ".tapediff").iterdir()}


def put_back(folder, saved):
    for path in [*folder.glob("*.*"), *(folder / ".tapediff").iterdir()]:
        if path.is_file():
            path.unlink()
    for path, data in saved.items():
        path.write_bytes(data)


def info_or_none(folder):
    """Whether a job is finished; None where its settings can't be read."""
    with suppress(JobError):
        return info(folder).is_finished
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["journal", "value.npy", "status.npy", "settings.json"])
def test_a_flipped_byte_is_never_a_wrong_result(half, name):
    saved = copies(half)
    path = half / ".tapediff" / name
    for position in range(0, len(saved[path]), EVERY):
        put_back(half, saved)
        damaged = bytearray(saved[path])
        damaged[position] ^= 0x04
        path.write_bytes(damaged)
        with suppress(JobError):
            result = small_job(half)
        if not info_or_none(half):
            assert name == "settings.json"
            result = small_job(half, restart=True)
        np.testing.assert_array_equal(result.value, [1, 4, 9])
        np.testing.assert_array_equal(result.gradient("x"), [2, 4, 6])
        np.testing.assert_array_equal(result.status, [0, 0, 0])
        assert result.summary["status"]["ok"] == 3


@pytest.mark.parametrize("name", ["journal", "value.npy"])
def test_a_file_cut_anywhere_is_never_a_wrong_result(half, name):
    saved = copies(half)
    path = half / ".tapediff" / name
    for length in range(0, len(saved[path]), 37):
        put_back(half, saved)
        path.write_bytes(saved[path][:length])
        result = small_job(half)
        np.testing.assert_array_equal(result.value, [1, 4, 9])
        assert result.summary["status"]["ok"] == 3


def test_a_line_with_a_flipped_byte_is_no_record():
    line = line_of({"chunk": 3, "status": [10, 2], "digests": {"value": "0123456789abcdef"}})[:-1]
    assert record_of(line) is not None
    for position in range(len(line)):
        for bit in range(8):
            damaged = bytearray(line)
            damaged[position] ^= 1 << bit
            assert record_of(bytes(damaged)) is None


def test_records_twice_and_of_another_job_count_once(half, tmp_path):
    journal = half / ".tapediff" / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines, *lines[1:], lines[1][: len(lines[1]) // 2]]))
    assert info(half).summary["finished_rows"] == 2
    small_job(tmp_path / "other")
    foreign = (tmp_path / "other" / ".tapediff" / "journal").read_bytes()
    journal.write_bytes(foreign)
    assert info(half).summary["finished_rows"] == 0
    assert small_job(half).summary["finished_rows"] == 3


# Folders from somebody else


def test_resume_runs_nothing_for_settings_of_somebody_else(folder, monkeypatch):
    (folder / "evil.py").write_text("import pathlib\npathlib.Path('ran').write_text('')\ndef f(x):\n    return x.sum()\n")
    run("evil.py:f", rows={"x": "x.npy"}, wrt="x", out="out")
    (folder / "ran").unlink()
    (folder / "out" / "value.npy").unlink()
    monkeypatch.setenv("TAPEDIFF_STATE_DIR", str(folder / "other"))
    with pytest.raises(JobError, match="was not started by you on this machine"):
        resume("out")
    info("out")
    assert not (folder / "ran").exists()


def test_resume_runs_nothing_for_settings_that_were_changed(folder):
    (folder / "evil.py").write_text("raise SystemExit\n")
    run("model.py:scaled", rows={"x": "x.npy"}, wrt="x", out="out")
    path = folder / "out" / ".tapediff" / "settings.json"
    content = json.loads(path.read_text())
    content["settings"] = content["settings"].replace("model.py", "evil.py")
    from tapediff.jobs.settings import checksum
    content["digest"] = checksum(content["settings"])
    path.write_text(json.dumps(content))
    with pytest.raises(JobError, match="was not started by you"):
        resume("out")


@pytest.mark.parametrize("name", ["value.npy", "journal", "settings.json", "lock"])
def test_links_in_a_folder_are_not_followed(half, tmp_path, name):
    target = tmp_path / "precious"
    target.write_bytes(b"x" * 1000)
    (half / ".tapediff" / name).unlink()
    (half / ".tapediff" / name).symlink_to(target)
    with pytest.raises(JobError, match="is a link, which no job makes"):
        small_job(half)
    assert target.read_bytes() == b"x" * 1000


def test_a_work_folder_that_leads_elsewhere_is_refused(half, tmp_path):
    (half / ".tapediff").rename(tmp_path / "moved")
    (half / ".tapediff").symlink_to(tmp_path / "moved")
    for look in (info, small_job):
        with pytest.raises(JobError, match="is a link or a file, not a folder"):
            look(half)


def test_a_result_is_written_over_a_link_and_not_through_it(tmp_path):
    target = tmp_path / "precious"
    target.write_bytes(b"x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "value.npy").symlink_to(target)
    small_job(tmp_path / "out", restart=True)
    assert target.read_bytes() == b"x"
    assert not (tmp_path / "out" / "value.npy").is_symlink()


def test_a_pickle_in_a_result_is_not_loaded(tmp_path):
    result = small_job(tmp_path)
    np.save(tmp_path / "value.npy", np.array([None]), allow_pickle=True)
    with pytest.raises(JobError, match="is no array that a job wrote"):
        result.value  # noqa: B018


def test_the_journal_says_finished_only_after_the_names(tmp_path, monkeypatch):
    append = store_module.Journal.append

    def killed(self, records):
        if {"finished": True} in records:
            raise KeyboardInterrupt
        append(self, records)

    monkeypatch.setattr(store_module.Journal, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        small_job(tmp_path)
    monkeypatch.undo()
    assert not info(tmp_path).is_finished
    calls = counted(monkeypatch)
    np.testing.assert_array_equal(small_job(tmp_path).value, [1, 4, 9])
    assert info(tmp_path).is_finished
    assert calls == []  # what had its name already was found
