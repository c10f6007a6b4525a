"""The pipeline: order, overlap, short queues, and what becomes of results when a stage stops."""

import threading
import time

import pytest

from tapediff.jobs.pipeline import WAITING, Pipeline


def test_results_come_in_order():
    written = []
    Pipeline(lambda x: x + 0.5, lambda x, y: written.append((x, y))).run(range(50), lambda x, given: given * 2)
    assert written == [(x, 2 * x + 1) for x in range(50)]


def test_nothing_to_do():
    Pipeline(lambda x: x, lambda x, y: None).run([], lambda x, y: y)


def test_the_stages_overlap():
    """Each takes 20 ms an item; one after the other they would take 1.2 s."""
    def stage(*_):
        time.sleep(0.02)

    start = time.monotonic()
    Pipeline(stage, stage).run(range(20), stage)
    assert time.monotonic() - start < 0.9


def test_the_reader_is_a_few_items_ahead_at_most():
    read, seen = [], []

    def compute(item, given):
        time.sleep(0.01)
        seen.append(len(read) - item)

    Pipeline(read.append, lambda x, y: None).run(range(20), compute)
    assert max(seen) <= WAITING + 2


def test_what_was_computed_is_written_when_computing_stops():
    written = []

    def write(item, result):
        time.sleep(0.05)
        written.append(item)

    def compute(item, given):
        if item == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pipeline(lambda x: x, write).run(range(20), compute)
    assert written == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("stage", ["read", "write", "compute"])
def test_an_error_of_any_stage_is_raised_and_ends_the_threads(stage):
    def fail(name):
        def step(item, *_):
            if name == stage and item == 3:
                raise OSError(28, stage)
        return step

    with pytest.raises(OSError, match=stage):
        Pipeline(fail("read"), fail("write")).run(range(100), fail("compute"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("tapediff-read", "tapediff-write"))]


def test_a_second_interrupt_gives_up_what_waits_and_leaves_no_thread(monkeypatch):
    written, begun = [], threading.Event()

    def write(item, result):
        begun.set()
        time.sleep(0.3)
        written.append(item)

    def compute(item, given):
        if item == 2:
            begun.wait(5)
            raise KeyboardInterrupt

    def interrupted(self, writer):
        raise KeyboardInterrupt

    monkeypatch.setattr(Pipeline, "_finish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Pipeline(lambda x: x, write).run(range(20), compute)
    assert written == [0]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("tapediff-read", "tapediff-write"))]
