"""Figures of tapediff alone, for its goals: memory, start-up, guards, building; each measured by a process of its own.

`python -m benchmarks.peers.own NAME` measures one of them and prints it as JSON.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks import compiled_tape, memory, scaling, startup
from benchmarks.measure import best_seconds
from benchmarks.peers import conditions
from benchmarks.peers.figures import environment, format_seconds, three_digits

LONGEST = 900  # seconds that one figure may take


@dataclass(frozen=True)
class Figure:
    """`measure` gives a number, `text` writes one of that kind."""

    title: str
    text: Callable[[float], str]
    measure: Callable[[], float]


def number(unit: str) -> Callable[[float], str]:
    return lambda value: f"{three_digits(value)} {unit}".rstrip()


def times(value: float) -> str:
    return f"x {three_digits(value)}"


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def tracked(suite: Callable[[], Any], track: str, *parameters: Any) -> float:
    """What an asv benchmark finds."""
    benchmark = suite()
    benchmark.setup(*parameters)
    try:
        return float(getattr(benchmark, track)(*parameters))
    finally:
        getattr(benchmark, "teardown", lambda *_: None)(*parameters)


def long_chain() -> float:
    """Time an instruction of a chain of 10^7 instructions over that of one of 10^5."""
    short, long = (tracked(scaling.ChainScaling, "track_nanoseconds_per_instruction", size) for size in (100_000, 10_000_000))
    return long / short


def import_ratio() -> float:
    tapediff, numpy = (tracked(startup.Import, "track_seconds", module) for module in ("tapediff", "numpy"))
    return tapediff / numpy


PATHS, STEPS = 20_000, 50


def heston_path(is_guarded: bool) -> Callable[..., Any]:
    """A path of Heston's model; if guarded, with a decision in every step that all paths take."""
    import tapediff as td
    from benchmarks.peers.workloads import heston

    def payoff(*inputs: Any) -> Any:
        *parameters, pairs = inputs
        if not is_guarded:
            return heston.call_payoff(heston.Clamped(td), *parameters, pairs)

        class Guarded(heston.Clamped):
            def maximum(self, x: Any, bound: float) -> Any:
                y = super().maximum(x, bound)
                if y < bound:
                    raise ValueError("below the floor")
                return y

        return heston.call_payoff(Guarded(td), *parameters, pairs)

    return payoff


def heston_rows(is_guarded: bool = False, executor: str = "compiled") -> tuple[Any, tuple[Any, ...]]:
    import tapediff as td
    from benchmarks.peers.workloads import heston

    z = heston.normals(STEPS, PATHS)
    program = td.record(heston_path(is_guarded), *heston.POINT, z[0])
    return program.batch(in_dims=(*[None] * 8, 0), threads=1, executor=executor), (*heston.POINT, z)


def guards() -> float:
    """What a guard in every step adds to the time of Heston's value and gradient."""
    cases = [heston_rows(is_guarded) for is_guarded in (False, True)]
    best = [math.inf, math.inf]
    for _ in range(10):
        for which, (rows, inputs) in enumerate(cases):
            best[which] = min(best[which], best_seconds(lambda: rows.value_and_grad(*inputs, argnums=tuple(range(8))), 1))  # noqa: B023
    return best[1] / best[0] - 1


def gradient_over_value(rows: Any, inputs: tuple[Any, ...], argnums: tuple[int, ...]) -> float:
    """The time of value and gradient over that of the value."""
    best = [math.inf, math.inf]
    for _ in range(10):
        best[0] = min(best[0], best_seconds(lambda: rows(*inputs), 1))
        best[1] = min(best[1], best_seconds(lambda: rows.value_and_grad(*inputs, argnums=argnums), 1))
    return best[1] / best[0]


def heston_ratio() -> float:
    return gradient_over_value(*heston_rows(), tuple(range(8)))


def sabr_ratio() -> float:
    """A path of the SABR model, Euler's scheme for the forward and the exact step of the volatility; four sensitivities."""
    import tapediff as td

    def payoff(forward: Any, volatility: Any, exponent: Any, change: Any, pairs: Any) -> Any:
        dt = 1.0 / STEPS
        for k in range(STEPS):
            forward = forward + volatility * td.clamp_min(forward, 1e-6) ** exponent * (math.sqrt(dt) * pairs[k, 0])
            volatility = volatility * (change * (math.sqrt(dt) * pairs[k, 1]) - 0.5 * change * change * dt).exp()
        return td.clamp_min(forward - 1.0, 0.0)

    pairs = np.random.default_rng(0).standard_normal((PATHS, STEPS, 2))
    point = (1.0, 0.3, 0.7, 0.4)
    rows = td.record(payoff, *point, pairs[0]).batch(in_dims=(*[None] * 4, 0), threads=1, executor="compiled")
    return gradient_over_value(rows, (*point, pairs), (0, 1, 2, 3))


def rosenbrock_ratio() -> float:
    """Rosenbrock's function of 1,000 variables, scalar by scalar, of 512 points."""
    import tapediff as td

    def rosenbrock(x: Any) -> Any:
        values = list(x.unbind(0))
        total = 0.0
        for a, b in pairwise(values):
            total = total + 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2
        return total

    x = np.random.default_rng(0).uniform(0.5, 1.5, (512, 1_000))
    rows = td.record(rosenbrock, x[0]).batch(threads=1, executor="compiled")
    return gradient_over_value(rows, (x,), (0,))


FIGURES: dict[str, Figure] = {
    "tape bytes": Figure(
        "tape memory of a scalar instruction",
        number("bytes"),
        lambda: tracked(memory.TapeBytes, "track_bytes_per_evaluated_instruction"),
    ),
    "long chain": Figure("time an instruction of a chain of 10^7 over one of 10^5", times, long_chain),
    "growth of training": Figure(
        "memory gained by 10^6 training steps of 20 operations",
        number("MB"),
        lambda: tracked(memory.Growth, "track_growth_of_training"),
    ),
    "growth of evaluations": Figure(
        "memory gained by 10^6 evaluations that nobody differentiates",
        number("MB"),
        lambda: tracked(memory.Growth, "track_growth_of_dropped_evaluations"),
    ),
    "import": Figure("`import tapediff` over `import numpy`", times, import_ratio),
    "first gradient, empty caches": Figure(
        "the first `backward()` of a process, with empty caches",
        format_seconds,
        lambda: tracked(startup.FirstGradient, "track_seconds_with_empty_caches"),
    ),
    "first gradient, warm caches": Figure(
        "the first `backward()` of a process, with warm caches",
        format_seconds,
        lambda: tracked(startup.FirstGradient, "track_seconds_with_warm_caches"),
    ),
    "guards": Figure("what a guard in each of Heston's steps adds to value and gradient, compiled", percent, guards),
    "gradient over value, Heston": Figure("time of value and gradient over the value: Heston, compiled", times, heston_ratio),
    "gradient over value, SABR": Figure("time of value and gradient over the value: SABR paths, compiled", times, sabr_ratio),
    "gradient over value, Rosenbrock": Figure(
        "time of value and gradient over the value: Rosenbrock's function of 1,000 variables, compiled", times, rosenbrock_ratio
    ),
    "build": Figure(
        "time to compile an instruction of a program of 4,000",
        format_seconds,
        lambda: tracked(compiled_tape.Build, "track_build", 4_000) / 1e3,
    ),
    "load": Figure("time to load Heston's program, compiled before, from the disk", format_seconds,
                   lambda: tracked(compiled_tape.HestonBuild, "track_load")),
}


def measured(told: Callable[[str, float | None], None]) -> dict[str, Any]:
    """All figures with where they were measured; `told` gets each as soon as it is known, None where its process failed."""
    figures = {}
    for name in FIGURES:
        command = [sys.executable, "-m", "benchmarks.peers.own", name]
        try:
            done = subprocess.run(command, env=conditions.environment(1), capture_output=True, text=True, timeout=LONGEST)
            figures[name] = json.loads(done.stdout.splitlines()[-1])["figure"]
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            told(name, None)
        else:
            told(name, figures[name])
    return {**environment(), "figures": figures}


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        conditions.keep_to(1)
    print(json.dumps({"figure": FIGURES[sys.argv[1]].measure()}))
