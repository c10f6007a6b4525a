"""Instruction counts: what is asked of perf and Callgrind, and that counts of the same work are the same."""

import shutil
import subprocess
import sys

import pytest

from benchmarks import counted, counters, instructions

EXP = "exp, forward kernel"


@pytest.fixture
def perf(tmp_path, monkeypatch):
    """A function that puts a `perf` of one's own in the place of the machine's: it answers `line` and runs nothing."""

    def install(line, code=0):
        program = tmp_path / "perf"
        program.write_text(
            f"#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = -o ] && answer=$2; shift; done\necho '{line}' > $answer\nexit {code}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        counters.counter.cache_clear()

    yield install
    counters.counter.cache_clear()


def test_the_processor_counts_where_it_can(perf):
    perf("123456789,,instructions:u,1000000,100.00,,")
    assert counters.counter() == "perf"
    assert counters.count_by_perf([sys.executable, "-c", ""]) == 123456789


@pytest.mark.parametrize("line", ["<not supported>,,instructions:u,0,100.00,,", "<not counted>,,instructions:u,0,100.00,,", ""])
def test_perf_without_a_counter_counts_nothing(perf, line):
    perf(line)
    assert counters.count_by_perf([sys.executable, "-c", ""]) is None
    assert counters.counter() != "perf"


def test_perf_that_fails_counts_nothing(perf):
    perf("123456789,,instructions:u,1000000,100.00,,", code=255)
    assert counters.count_by_perf([sys.executable, "-c", ""]) is None


def test_where_nothing_counts_the_benchmark_is_skipped(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    counters.counter.cache_clear()
    try:
        assert counters.counter() is None
        benchmark = instructions.Instructions()
        with pytest.raises(NotImplementedError, match="nothing counts"):
            benchmark.setup(benchmark.setup_cache(), EXP)
        with pytest.raises(RuntimeError, match="Valgrind"):
            counters.instructions([EXP])
    finally:
        counters.counter.cache_clear()


def test_counts_are_given_by_the_unit():
    counts = {name: 1000.0 * piece.units for name, piece in counted.PIECES.items()}
    assert {instructions.Instructions().track_instructions(counts, name) for name in counts} == {1000}


@pytest.mark.slow
def test_requests_do_nothing_outside_of_valgrind():
    command = [sys.executable, "-P", counted.__file__, "callgrind", EXP]
    assert subprocess.run(command, capture_output=True, text=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(counters.counter() != "callgrind", reason="counts by Callgrind, on machines without counters of instructions")
def test_callgrind_counts_the_same_twice():
    first, second = (counters.instructions([EXP])[EXP] for _ in range(2))
    assert first == pytest.approx(second, rel=1e-3)
    assert 5 < first / counted.PIECES[EXP].units < 100, "instructions for an exponential"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in counted.PIECES if "rows" not in name])
def test_pieces_work(name):
    work = counted.PIECES[name].make()
    work()
    work()


def test_valgrind_is_only_asked_where_it_is(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    counters.counter.cache_clear()
    assert counters.counter() is None
    counters.counter.cache_clear()
