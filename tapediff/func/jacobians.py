"""Jacobians and Hessians of functions of tensors, and their linear approximation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.func.transforms import derivative_of, flows_in, parted, replaced, scalar, selected, stating, tensors_of, vjp
from tapediff.functions import FUNCTIONS
from tapediff.nested import flatten
from tapediff.program.known import program_of
from tapediff.program.products import jacobian_blocks
from tapediff.program.recorder import Recorder
from tapediff.tensor import Tensor, of_array

__all__ = ["hessian", "jacfwd", "jacrev", "linearize"]

Array = np.ndarray[Any, Any]


def jacrev(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False, chunk_size: int | None = None,
           _preallocate_and_copy: bool = False) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func` by the arguments `argnums`, by reverse mode: in the nest of the result, and
    inside of that in the nest of the arguments, of shape output.shape + input.shape.

    chunk_size is accepted: products are always computed a few lanes at a time, so that it has nothing to save.

    >>> import tapediff as td
    >>> td.func.jacrev(td.sin)(td.tensor([0., 0.]))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _jacobian(func, argnums, has_aux, "reverse", "jacrev")


def jacfwd(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
           randomness: str = "error") -> Callable[..., Any]:
    """As `jacrev`, by forward mode: cheaper where the result has more elements than the arguments."""
    return _jacobian(func, argnums, has_aux, "forward", "jacfwd", randomness)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of `func` by the arguments `argnums`.

    >>> import tapediff as td
    >>> td.func.hessian(lambda x: (x**3).sum())(td.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    # the Hessian is symmetric: rows by reverse mode are its columns, and need no second transposition
    return _jacobian(_jacobian(func, argnums, False, "reverse", "jacrev"), argnums, False, "reverse", "hessian")


def _jacobian(func: Callable[..., Any], argnums: int | tuple[int, ...], has_aux: bool, mode: str, name: str,
              randomness: str = "error") -> Callable[..., Any]:
    inner = derivative_of(func)
    is_second = (inner is not None and inner.how in ("grad", "jacobian") and inner.argnums == argnums
                 and not inner.has_aux and not has_aux)

    @functools.wraps(func)
    def transformed(*arguments: Any, **options: Any) -> Any:
        tensors, structure, numbers = selected(argnums, arguments, name)
        if recording.is_traced() or flows_in(tensors):
            return _by_products(func, argnums, arguments, options, has_aux)

        def nested(made: _Recorded, blocks: Sequence[Sequence[Array]]) -> list[Any]:
            """For each line of blocks the nest of the arguments."""
            found = [structure.unflatten([of_array(block) for block in row[:len(tensors)]]) for row in blocks]
            return [row[0] if isinstance(argnums, int) else row for row in found]

        def recorded(func: Callable[..., Any]) -> _Recorded:
            def run(*leaves: Tensor) -> Any:
                return func(*replaced(arguments, numbers, structure, leaves), **options)
            return _Recorded(run, tensors, has_aux, name, randomness)

        if inner is not None and is_second:
            is_gradient = inner.how == "grad"
            made = recorded((lambda *some, **more: scalar(inner.func(*some, **more))) if is_gradient else inner.func)
            if flows_in(made.sources):
                return _by_products(func, argnums, arguments, options, has_aux)
            lines = nested(made, made.second(mode))
            count = len(tensors)
            rows = [structure.unflatten(lines[k:k + count]) for k in range(0, len(lines), count)]
            return made.structure.unflatten([row[0] if isinstance(argnums, int) else row for row in rows])
        made = recorded(func)
        if flows_in(made.sources):
            return _by_products(func, argnums, arguments, options, has_aux)
        result = made.structure.unflatten(nested(made, made.jacobian(mode)))
        return (result, made.aux) if has_aux else result
    return stating(transformed, "jacobian", func, argnums, has_aux)


class _Recorded:
    """A function recorded at tensors: its program, with captured tensors as further inputs, and the rest of its result."""

    def __init__(self, run: Callable[..., Any], tensors: Sequence[Tensor], has_aux: bool, name: str, randomness: str) -> None:
        values = [np.array(recording.source_of(x).values(), order="C") for x in tensors]  # nobody may write them meanwhile
        recorder = Recorder(randomness)
        with recorder:
            result = run(*[recorder.input(value) for value in values])
            result, aux = parted(result, has_aux, f"{name}(f)(*args)")
            outputs, self.structure = tensors_of(result, f"{name}(f)(*args)")
        self.outputs = outputs
        self.aux: Any = None
        if has_aux:
            found, nest = flatten(aux)
            self.aux = nest.unflatten([of_array(np.array(recording.source_of(x).values())) if isinstance(x, Tensor) else x
                                       for x in found])
        self.program, self.sources = program_of(recorder, outputs, name)
        self.values = [*values, *(source.values() for source in self.sources)]
        self.wanted = tuple(range(len(values)))

    def jacobian(self, mode: str) -> list[list[Array]]:
        """For each output its derivatives by each tensor, and by what was captured."""
        return jacobian_blocks(self.program, self.values, range(len(self.outputs)), self.wanted, mode)

    def second(self, mode: str) -> list[list[Array]]:
        """For each output and each tensor the derivatives of its derivative by each tensor, and by what was captured."""
        is_scalar = len(self.outputs) == 1 and not self.outputs[0].spec.ndim
        derived = self.program.derived("grad" if is_scalar else "jacobian", self.wanted)
        return jacobian_blocks(derived, self.values, range(len(self.outputs) * len(self.wanted)), self.wanted, mode)


def _by_products(func: Callable[..., Any], argnums: int | tuple[int, ...], arguments: tuple[Any, ...], options: dict[str, Any],
                 has_aux: bool) -> Any:
    """The Jacobian row by row, on the tape: it can be differentiated again, and recorded."""
    tensors, structure, numbers = selected(argnums, arguments, "jacrev")

    def run(*leaves: Tensor) -> Any:
        return func(*replaced(arguments, numbers, structure, leaves), **options)

    value, pullback, *aux = vjp(run, *tensors, has_aux=has_aux)
    outputs, out_structure = tensors_of(value, "jacrev(f)(*args)")
    rows_of = []
    for number, y in enumerate(outputs):
        rows = []
        for element in range(y.spec.size):
            seeds = [np.zeros(other.spec.shape, other.spec.dtype.numpy) for other in outputs]
            seeds[number].flat[element] = 1
            rows.append(pullback(out_structure.unflatten([of_array(seed) for seed in seeds])))
        blocks = []
        for x, column in zip(tensors, zip(*rows, strict=True) if rows else [()] * len(tensors), strict=True):
            shape = (*y.spec.shape, *x.spec.shape)
            blocks.append(FUNCTIONS["stack"](list(column)).reshape(shape) if column
                          else of_array(np.zeros(shape, x.spec.dtype.numpy)))
        nested = structure.unflatten(blocks)
        rows_of.append(nested[0] if isinstance(argnums, int) else nested)
    result = out_structure.unflatten(rows_of)
    return (result, aux[0]) if has_aux else result


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The result of `func(*primals)`, and the function from tangents to the Jacobian-vector product at these primals; the latter
    is recorded once and replayed.

    >>> import tapediff as td
    >>> value, push = td.func.linearize(td.sin, td.tensor(0.))
    >>> push(td.tensor(3.))
    tensor(3.)
    """
    tensors, structure, numbers = selected(tuple(range(len(primals))), primals, "linearize")

    def run(*leaves: Tensor) -> Any:
        return func(*replaced(primals, numbers, structure, leaves))

    made = _Recorded(run, tensors, False, "linearize", "error")
    derived = made.program.derived("jvp", made.wanted)
    primals_of = [np.array(value) for value in made.values]
    count = len(made.outputs)

    def push(*tangents: Any) -> Any:
        """The product of the Jacobian with the tangents, which are nested as the primals."""
        leaves, nest = flatten(tangents)
        if nest != structure:
            raise RuntimeError(f"linearize: expected the tangents to be nested as the primals, {structure}: got {nest}")
        found = derived(*primals_of, *leaves)
        return made.structure.unflatten([of_array(np.array(y)) for y in found[count:]])

    values = [of_array(np.array(recording.source_of(y).values())) for y in made.outputs]
    return made.structure.unflatten(values), push
