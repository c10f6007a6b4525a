"""Memory is bounded: a job of many rows needs what a job of few needs."""

import pytest

from benchmarks.jobs import peak_of_job


@pytest.mark.slow
def test_ten_times_the_rows_take_no_more_memory():
    few, many = peak_of_job(200_000), peak_of_job(2_000_000)  # 34 MB and 340 MB of inputs and results
    assert many < 1.1 * few
