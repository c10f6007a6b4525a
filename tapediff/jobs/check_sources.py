"""A sample of rows, evaluated as a job evaluates them and compared with finite differences."""

from collections.abc import Mapping, Sequence

import numpy as np

from tapediff.jobs.check import Comparison, compare_rows, sample_rows
from tapediff.jobs.errors import JobError
from tapediff.jobs.evaluator import Evaluator
from tapediff.jobs.function import Function, match_parameters
from tapediff.jobs.plan import require_differentiable
from tapediff.jobs.sources import Source, common_length
from tapediff.jobs.status import EXCEPTION, UNMET_GUARD


def check_sources(
    f: Function, sources: Mapping[str, Source], shared: Mapping[str, np.ndarray], wrt: Sequence[str], count: int, seed: int = 0
) -> list[Comparison]:
    """Evaluate `count` rows of `sources` as a job does, and compare each with finite differences."""
    match_parameters(f, [*sources, *shared])
    for name in wrt:
        if name not in sources and name not in shared:
            raise JobError(f"wrt names {name!r}, which is no input; the inputs are {', '.join([*sources, *shared])}")
        require_differentiable(name, (shared[name] if name in shared else sources[name]).dtype)
    sample = sample_rows(common_length(sources), count, seed).tolist()
    if not sample:
        return []
    rows = {name: np.concatenate([source.read(row, row + 1) for row in sample]) for name, source in sources.items()}
    result = Evaluator(f, list(rows), shared, wrt).evaluate(rows, 0)
    for failure in result.failures:
        if failure.code in (EXCEPTION, UNMET_GUARD):
            raise JobError(f"row {sample[failure.row]}: {failure.text}")
    with np.errstate(all="ignore"):
        return compare_rows(f, rows, shared, result.gradients, range(len(sample)), names=sample, seed=seed)
