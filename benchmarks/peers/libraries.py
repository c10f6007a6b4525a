"""Which library runs which workload, and the ratio to each that the project wants to stay under."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from benchmarks import workloads
from benchmarks.workloads import Case


@dataclass(frozen=True)
class Comparison:
    """A workload, how each library makes it, the wanted ratios tapediff / peer, and the difference allowed between results."""

    name: str
    makers: dict[str, Callable[[], Case]]
    wanted: dict[str, float] = field(default_factory=dict)
    tolerance: float = 1e-9


def pytorch_api(workload: Callable[..., Case], *arguments: Any) -> dict[str, Callable[[], Case]]:
    """Makers for the two libraries that run the same source code."""
    return {name: (lambda name=name: workload(import_pytorch_api(name), *arguments)) for name in ("tapediff", "torch")}


def import_pytorch_api(name: str) -> Any:
    module = import_module(name)
    if name == "torch":
        module.set_num_threads(1)
    return module


def micrograd_scalar_mlp() -> Case:
    value = import_module("micrograd.engine").Value
    return workloads.scalar_mlp_case(scalar=value, constant=value, no_gradient=0, read=lambda v: getattr(v, "data", v))


def xad_chain(tape: Any, length: int = 100) -> tuple[float, float]:
    """Value and gradient of the scalar chain on an active xad tape: inputs and outputs registered, adjoints computed."""
    sin = import_module("xad.math").sin
    x = import_module("xad.adj_1st").Real(workloads.SCALAR_CHAIN_START)
    tape.registerInput(x)
    tape.newRecording()
    y = x
    for _ in range(length):
        y = sin(y * x + 0.5)
    tape.registerOutput(y)
    y.setDerivative(1.0)
    tape.computeAdjoints()
    return y.getValue(), x.getDerivative()


def xad_tape_per_step() -> Case:
    """xad as its documentation writes it: a tape for each evaluation."""
    new_tape = import_module("xad.adj_1st").Tape

    def step() -> tuple[float, float]:
        with new_tape() as tape:
            return xad_chain(tape)

    return Case(step, list)


def xad_tape_kept() -> Case:
    """xad at its fastest: one tape that is rewound."""
    tape = import_module("xad.adj_1st").Tape()

    def step() -> tuple[float, float]:
        tape.activate()
        try:
            return xad_chain(tape)
        finally:
            tape.deactivate()

    return Case(step, list)


def comparisons() -> list[Comparison]:
    """Every row of the table, in the order in which it is printed."""
    return [
        Comparison(
            "scalar MLP 2-16-16-1",
            {**pytorch_api(workloads.scalar_mlp), "micrograd": micrograd_scalar_mlp},
            {"micrograd": 1 / 4, "torch": 1 / 8},
        ),
        Comparison(
            "scalar chain, 100 x sin(y*x + 0.5)",
            {**pytorch_api(workloads.scalar_chain), "xad": xad_tape_per_step, "xad, tape kept": xad_tape_kept},
            {"torch": 1 / 8, "xad": 0.8, "xad, tape kept": 0.8},
        ),
        *(
            Comparison(f"vector chain, n = {size:,}", pytorch_api(workloads.vector_chain, size), {"torch": ratio})
            for size, ratio in ((3, 1 / 4), (100, 1 / 4), (10_000, 1 / 2), (1_000_000, 2 / 5))
        ),
        Comparison("MLP step 64-128-10, batch 64, float32", pytorch_api(workloads.mlp_step), {"torch": 1 / 2}, tolerance=1e-5),
    ]
