"""Runs one case with one library and describes everything that is compared: values, dtypes, names, gradients, errors."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from parity_operands import LAYOUTS, Operand, build

RTOL = {"float32": 8e-6, "float64": 1e-12}
SECOND_RTOL = {"float32": 4e-5, "float64": 1e-9}


@dataclass(frozen=True)
class Case:
    """One call, compared with PyTorch's; `call(library, *operands)`.

    `looser` multiplies the tolerance; `spicy` names the dtypes whose special values are compared: the others are those in which
    PyTorch's own answer is wrong. `layouts` names the arrangements in memory, besides the contiguous one, that are compared.
    """

    name: str
    call: Callable[..., Any]
    operands: tuple[Operand, ...]
    elementwise: bool = False
    graph_name: bool = True
    looser: float = 1.0
    spicy: tuple[str, ...] = ("float64", "float32")
    layouts: tuple[str, ...] = LAYOUTS[1:]


@dataclass
class Outcome:
    """What a run gave: flat list of results, and the gradients of its leaves."""

    results: list[Any]
    gradients: list[Any]


def flat(result: Any) -> list[Any]:
    """Tensors, numbers and sizes of a result, in order."""
    if isinstance(result, (tuple, list)) and not all(isinstance(item, int) for item in result):
        return [leaf for item in result for leaf in flat(item)]
    return [result]


def is_tensor(value: Any) -> bool:
    return hasattr(value, "requires_grad") and hasattr(value, "dtype")


def array(tensor: Any) -> np.ndarray:
    # PyTorch gives some second derivatives as a tensor without storage
    if getattr(tensor, "_is_zerotensor", bool)():
        return np.zeros(tuple(tensor.shape), str(tensor.dtype).rpartition(".")[2])
    return np.asarray(tensor.detach().numpy())


def cotangent(library: Any, tensor: Any, salt: int) -> Any:
    """A fixed weight for every element of a result, never zero."""
    random = np.random.default_rng([salt, *tensor.shape])
    shape = tuple(tensor.shape)
    weights = random.uniform(0.5, 1.5, shape) * random.choice([-1.0, 1.0], shape)
    return library.tensor(np.asarray(weights)).to(tensor.dtype)


def evaluate(
    library: Any,
    case: Case,
    dtype: str,
    layout: str = "contiguous",
    order: int = 0,
    numbers: list[np.ndarray] | None = None,
    only: int | None = None,
) -> Outcome:
    """Run the case with gradients of the given order (0: none are taken, but operands require them).

    `only` is the one operand that requires a gradient; without it every floating-point operand does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if numbers is None:
            numbers = [operand.numbers(position, dtype) for position, operand in enumerate(case.operands)]
        pairs = [
            build(library, values, layout, requires_grad=values.dtype.kind == "f" and only in (None, place))
            for place, values in enumerate(numbers)
        ]
        leaves = [leaf for leaf, _ in pairs if leaf.requires_grad]
        results = flat(case.call(library, *(seen for _, seen in pairs)))
        outputs = [result for result in results if is_tensor(result) and result.requires_grad]
        if order == 0 or not outputs:
            return Outcome(results, [])
        weights = [cotangent(library, output, 1) for output in outputs]
        if order == 1:
            library.autograd.backward(outputs, weights)
            return Outcome(results, [leaf.grad for leaf in leaves])
        first = library.autograd.grad(outputs, leaves, weights, create_graph=True, allow_unused=True)
        usable = [gradient for gradient in first if gradient is not None and gradient.requires_grad]
        if not usable:
            return Outcome(results, [None for _ in leaves])
        weights = [cotangent(library, gradient, 2) for gradient in usable]
        return Outcome(results, list(library.autograd.grad(usable, leaves, weights, allow_unused=True)))


def describe(value: Any) -> str:
    """Kind, dtype, shape and flag of a result, for comparison."""
    if is_tensor(value):
        return f"tensor {str(value.dtype).rpartition('.')[2]} {tuple(value.shape)} requires_grad={value.requires_grad}"
    if isinstance(value, tuple):
        return f"size {tuple(value)}"
    return f"{type(value).__name__} {value}"


def closeness(
    wanted: np.ndarray,
    given: np.ndarray,
    rtol: float,
    atol: float | None = None,
    excused: np.ndarray | None = None,
    ignored: np.ndarray | None = None,
) -> str | None:
    """What differs between two arrays, or None.

    Without `atol` it is `rtol` times the largest number wanted, and never less than the rounding of numbers around 1. Where
    `excused` is True and PyTorch gives nan, any answer passes; where `ignored` is True, every answer.
    """
    if wanted.shape != given.shape or wanted.dtype != given.dtype:
        return f"wanted {wanted.dtype}{wanted.shape}, got {given.dtype}{given.shape}"
    if wanted.dtype.kind != "f":
        same = wanted == given
    else:
        if atol is None:
            finite = np.abs(wanted[np.isfinite(wanted)])
            eps = float(np.finfo(wanted.dtype).eps)
            rtol = max(rtol, 4 * eps)
            atol = max(rtol * (min(float(finite.max()), 1e3) if finite.size else 0.0), 16 * eps)
        with np.errstate(all="ignore"):
            same = np.isclose(given, wanted, rtol=rtol, atol=atol, equal_nan=True)
        if excused is not None:
            same |= np.isnan(wanted) & excused
        if ignored is not None:
            same |= ignored
    if same.all():
        return None
    at = tuple(int(index) for index in np.argwhere(~same)[0]) if wanted.ndim else ()
    return f"at {at}: wanted {wanted[at]!r}, got {given[at]!r} ({int((~same).sum())} of {same.size} differ)"


def differences_of_values(wanted: Outcome, given: Outcome, rtol: float, atol: float | None = None) -> list[str]:
    """Differing results, in kind or in value."""
    found = []
    kinds = [describe(value) for value in wanted.results], [describe(value) for value in given.results]
    if kinds[0] != kinds[1]:
        return [f"wanted {kinds[0]}\n     got {kinds[1]}"]
    for number, (left, right) in enumerate(zip(wanted.results, given.results)):
        if is_tensor(left):
            problem = closeness(array(left), array(right), rtol, atol)
            if problem:
                found.append(f"result {number} {problem}")
    return found


def differences_of_gradients(
    wanted: Outcome,
    given: Outcome,
    rtol: float,
    none_is_zero: bool,
    atol: float | None = None,
    excused: np.ndarray | None = None,
    ignored: np.ndarray | None = None,
) -> list[str]:
    """Differing gradients; a second order that does not reach an operand may be None or zeros."""
    found = []
    for number, (left, right) in enumerate(zip(wanted.gradients, given.gradients, strict=True)):
        if none_is_zero and (left is None or right is None):
            present = left if right is None else right
            if present is not None and array(present).any():
                found.append(f"gradient {number} wanted {left}, got {right}")
            continue
        if left is None or right is None:
            if left is not right:
                found.append(f"gradient {number} wanted {left}, got {right}")
            continue
        if describe(left).split("requires")[0] != describe(right).split("requires")[0]:
            found.append(f"gradient {number} wanted {describe(left)}, got {describe(right)}")
            continue
        problem = closeness(array(left), array(right), rtol, atol, excused, ignored)
        if problem:
            found.append(f"gradient {number} {problem}")
    return found


def names(outcome: Outcome) -> list[str | None]:
    """The grad_fn names of a run's tensors."""
    tensors = [result for result in outcome.results if is_tensor(result)]
    return [tensor.grad_fn.name() if tensor.grad_fn is not None else None for tensor in tensors]
