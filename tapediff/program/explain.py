"""Where the first inf or nan came from: a program and its gradient replayed with a look at every value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapediff.program.closed import ClosedTape, Place
from tapediff.program.listing import instruction, names_of, source_of_place
from tapediff.program.operations import Operation
from tapediff.tape.spec import Spec

__all__ = ["Event", "Explanation", "explain"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Event:
    """An instruction that made an inf or a nan of finite numbers.

    number     of the instruction
    name       of the op
    text       the instruction, as listings show it
    index      the element; the first one of several
    count      how many elements
    operands   the operands there: numbers, or arrays where the op is not element by element
    value      what it gave: the result, or the contribution to the adjoint of operand `position`
    position   in the reverse pass the operand whose adjoint it is, else None
    adjoint    in the reverse pass the adjoint of the result there, else None
    place      file, line, function, where `td.record(..., lines=True)` noted it
    hint       what usually helps
    """

    number: int
    name: str
    text: str
    index: tuple[int, ...]
    count: int
    operands: tuple[Any, ...]
    value: Any
    position: int | None
    adjoint: Any
    place: Place | None
    hint: str

    def __str__(self) -> str:
        where = f" at {list(self.index)}" if self.index else ""
        more = f", and {self.count - 1} more" if self.count > 1 else ""
        operands = ", ".join(map(shown, self.operands))
        if self.position is None:
            line = f"instruction {self.number}, {self.text}, gives {shown(self.value)}{where}{more}\n    of {operands}"
        else:
            line = (f"instruction {self.number}, {self.text}: the adjoint of operand {self.position} becomes {shown(self.value)}"
                    f"{where}{more}\n    operands {operands}; adjoint of the result {shown(self.adjoint)}")
        if self.place is not None:
            line += f"\n    recorded by {source_of_place(self.place)}"
        return line + (f"\n    {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class Explanation:
    """What `Program.explain` found.

    inputs     positions of inputs that hold an inf or a nan
    constants  how many constants do
    forward    the instruction from which the first inf or nan of the result comes, where that was made of finite numbers
    harmless   as `forward`, where the inf or nan does not reach the result
    reverse    the instruction whose derivative made the first inf or nan of the gradient out of a finite adjoint
    result     whether the result is finite; gradient: whether the gradient is, None where there is none
    change     the decision that changed at these inputs, or None: what was looked at is the recorded path
    """

    inputs: tuple[int, ...]
    constants: int
    forward: Event | None
    harmless: Event | None
    reverse: Event | None
    result: bool
    gradient: bool | None
    change: Any = None

    @property
    def is_finite(self) -> bool:
        """Whether the result and the gradient are finite."""
        return self.result and self.gradient is not False

    def __str__(self) -> str:
        lines = [f"input {position} holds an inf or a nan" for position in self.inputs]
        lines += [f"{self.constants} constants hold an inf or a nan"] * (self.constants > 0)
        lines += [f"the program does not apply, {self.change}"] * (self.change is not None)
        if self.result and self.gradient is not False:
            lines.append("the result and its gradient are finite" if self.gradient else "the result is finite")
        if not self.result:
            lines.append("the result is not finite: " + (str(self.forward) if self.forward else "inf or nan came from outside"))
        if self.gradient is False:
            lines.append("the gradient is not finite: " + (str(self.reverse) if self.reverse else "finite adjoints add up to it"))
        if self.harmless is not None:
            lines.append(f"an inf or a nan that does not reach the result: {self.harmless}")
        return "\n".join(lines)


def explain(tape: ClosedTape, inputs: Sequence[Any], change: Any = None) -> Explanation:
    """Replay a tape on NumPy arrays, one instruction after the other, and its reverse pass from adjoints of 1."""
    replay = _Replay(tape, inputs)
    outputs = [value for value in tape.outputs if tape.spec(value).dtype.is_floating_point]
    result = all(is_finite(replay.value(value)) for value in outputs)
    forward = None if result else replay.origin(outputs)
    harmless = replay.first_event() if forward is None and result else None
    gradient, reverse = replay.reverse(outputs)
    positions = tuple(leaf.what for leaf in tape.leaves if leaf.how == "input" and not is_finite(inputs[leaf.what]))
    constants = sum(1 for leaf in tape.leaves if leaf.how == "constant" and not is_finite(leaf.what))
    return Explanation(tuple(sorted(positions)), constants, forward, harmless, reverse, result, gradient, change)


def is_finite(value: Any) -> bool:
    """Whether all of an array is finite."""
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


class _Replay:
    """The values of all instructions of a tape."""

    def __init__(self, tape: ClosedTape, inputs: Sequence[Any]) -> None:
        self.tape = tape
        self.leaves: list[Array] = []
        for leaf in tape.leaves:
            value = inputs[leaf.what] if leaf.how == "input" else leaf.what
            self.leaves.append(np.array(value, leaf.spec.dtype.numpy, order="C").reshape(leaf.spec.shape))
        self.values: list[Array] = []
        self.named = names_of(tape)
        with np.errstate(all="ignore"):
            for operation, operands in zip(tape.operations, tape.operands, strict=True):
                self.values.append(computed(operation, [self.value(x) for x in operands]))

    def value(self, value: int) -> Array:
        """What a value of the tape is."""
        return self.values[value] if value >= 0 else self.leaves[-value - 1]

    # --- forward ----------------------------------------------------------------------------------------------------------------

    def origin(self, outputs: Sequence[int]) -> Event | None:
        """The first instruction that made an inf or a nan of finite numbers on which one in an output depends; None where leaves
        brought them all."""
        bad: dict[int, Array] = {value: ~np.isfinite(self.value(value)) for value in outputs}
        event: tuple[int, Array] | None = None
        for number in range(len(self.tape) - 1, -1, -1):
            mask = bad.get(number)
            if mask is None or not mask.any():
                continue
            operation = self.tape.operations[number]
            made = mask.copy()
            for x in self.tape.operands[number]:
                operand = self.value(x)
                if operand.dtype.kind != "f":
                    continue
                wrong = ~np.isfinite(operand)
                if not operation.is_elementwise:
                    made &= not wrong.any()
                else:
                    made &= ~(wrong if wrong.shape == mask.shape else wrong.reshape(-1)[0])
                    wrong = wrong & mask if wrong.shape == mask.shape else wrong & mask.any()
                bad[x] = wrong | bad[x] if x in bad else wrong
            if made.any():
                event = number, made
        if event is None:
            return None
        number, made = event
        return self._event(number, tuple(int(place) for place in np.argwhere(made)[0]), int(made.sum()))

    @staticmethod
    def _place(operation: Operation, operand: Array, index: tuple[int, ...]) -> tuple[int, ...] | None:
        """Which element of an operand an element-wise result depends on; None: all of them."""
        if not operation.is_elementwise:
            return None
        return index if operand.shape == operation.spec.shape else (0,) * operand.ndim

    def first_event(self) -> Event | None:
        """The first instruction whose result is not finite though its operands are."""
        for number, y in enumerate(self.values):
            if not is_finite(y) and all(is_finite(self.value(x)) for x in self.tape.operands[number]):
                bad = np.argwhere(~np.isfinite(y))
                return self._event(number, tuple(int(place) for place in bad[0]), len(bad))
        return None

    def _event(self, number: int, index: tuple[int, ...], count: int, position: int | None = None, value: Any = None,
               adjoint: Any = None) -> Event:
        """What happened at an element of an instruction's result; in the reverse pass, of the adjoint of operand `position`."""
        operation = self.tape.operations[number]
        arrays = [self.value(x) for x in self.tape.operands[number]]
        at = index
        if position is not None and operation.is_elementwise and arrays[position].shape != operation.spec.shape:
            at = (0,) * len(operation.spec.shape)
        operands = []
        for array in arrays:
            place = self._place(operation, array, at)
            operands.append(array if place is None else array[place])
        value = self.values[number][index] if position is None else value
        hint = forward_hint(operation, operands, value) if position is None else reverse_hint(operation, operands)
        place_of = None if self.tape.lines is None else self.tape.lines[number]
        return Event(number, operation.name, instruction(self.tape, number, self.named), index, count,
                     tuple(operands), value, position, adjoint, place_of, hint)

    # --- reverse ----------------------------------------------------------------------------------------------------------------

    def reverse(self, outputs: Sequence[int]) -> tuple[bool | None, Event | None]:
        """Whether the gradients of the inputs are finite, and what made the first adjoint that is not."""
        tape = self.tape
        wanted = [value for value in tape.inputs() if tape.spec(value).dtype.is_floating_point]
        if not outputs or not wanted:
            return None, None
        adjoints: dict[int, Array] = {}
        for value in outputs:
            spec = tape.spec(value)
            adjoints[value] = adjoints.get(value, 0) + np.ones(spec.shape, spec.dtype.numpy)
        active = [*tape.depends_on(wanted)]
        event: Event | None = None
        with np.errstate(all="ignore"):
            for number in range(len(tape) - 1, -1, -1):
                y_bar = adjoints.pop(number, None)
                if y_bar is None:
                    continue
                operation, operands = tape.operations[number], tape.operands[number]
                for k, x in enumerate(operands):
                    if not operation.flows_to(k) or not (active[x] if x >= 0 else x in wanted):
                        continue
                    found = contribution(operation, k, y_bar, self.values[number], [self.value(other) for other in operands])
                    if found is None:
                        continue
                    if event is None and not is_finite(found):
                        event = self._reverse_event(number, k, found, y_bar)
                    known = adjoints.get(x)
                    adjoints[x] = found if known is None else known + found
        return all(is_finite(adjoints.get(value, 0.0)) for value in wanted), event

    def _reverse_event(self, number: int, position: int, found: Array, y_bar: Array) -> Event | None:
        """The event, where the adjoint of the result was finite."""
        is_same = self.tape.operations[number].is_elementwise and found.shape == y_bar.shape
        bad = ~np.isfinite(found)
        if is_same:
            bad &= np.isfinite(y_bar)
        elif not is_finite(y_bar):
            return None
        if not bad.any():
            return None
        index = tuple(int(place) for place in np.argwhere(bad)[0])
        adjoint = y_bar[index] if is_same else y_bar if y_bar.size > 1 else y_bar.reshape(())[()]
        return self._event(number, index, int(bad.sum()), position, found[index], adjoint)


def computed(operation: Operation, operands: Sequence[Array]) -> Array:
    """The result of an operation: by the kernel of the program where a row of formulas states it, else by NumPy."""
    spec = operation.spec
    if not operation.is_elementwise:
        value = np.asarray(operation.row.forward(operation.attributes, *operands))
        return np.ascontiguousarray(value.astype(spec.dtype.numpy, copy=False)).reshape(spec.shape)
    from tapediff.kernels.calling import call_kernel, get_library
    from tapediff.kernels.library import KernelSpec
    y = np.empty(spec.shape, spec.dtype.numpy)
    kernel = KernelSpec(operation.row.name, "forward", dtype_names(operation.operands), spec.dtype.name, operation.scalars, 0)
    call_kernel(get_library(), kernel, spec.size, y=y, **dict(zip("abc", operands)))
    return y


def contribution(operation: Operation, position: int, y_bar: Array, y: Array, operands: Sequence[Array]) -> Array | None:
    """What an operation adds to the adjoint of an operand; None where nothing."""
    spec = operation.operands[position]
    if not operation.is_elementwise:
        from tapediff.rules import ARRAYS
        found = operation.row.pullback(ARRAYS, operation.attributes, position, y_bar, y, *operands)
        return None if found is None else np.asarray(found, spec.dtype.numpy).reshape(spec.shape)
    from tapediff.kernels.calling import call_kernel, get_library
    from tapediff.kernels.library import KernelSpec
    adjoint = np.zeros(spec.shape, spec.dtype.numpy)
    kernel = KernelSpec(operation.row.name, "reverse", dtype_names(operation.operands), operation.spec.dtype.name,
                        operation.scalars, 1 << position)
    call_kernel(get_library(), kernel, operation.spec.size, y_bar=np.ascontiguousarray(y_bar), y=y, **dict(zip("abc", operands)),
                **{f"{'abc'[position]}_bar": adjoint})
    return adjoint


def dtype_names(specs: Sequence[Spec]) -> tuple[str, ...]:
    """The names of dtypes."""
    return tuple(spec.dtype.name for spec in specs)


def shown(value: Any) -> str:
    """A number, or what an array holds, in short."""
    array = np.asarray(value)
    if not array.ndim:
        return repr(array.item())
    if array.size == 1:
        return f"[{array.reshape(-1)[0].item()!r}]"
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array.reshape(-1)
    between = f" from {finite.min().item():.6g} to {finite.max().item():.6g}" if finite.size else ""
    return f"{array.dtype}{list(array.shape)}{between}"


# --- hints ----------------------------------------------------------------------------------------------------------------------

LOGARITHMS = frozenset({"log", "log2", "log10", "log1p", "xlogy", "entr", "logit"})
EXPONENTIALS = frozenset({"exp", "exp2", "expm1", "sinh", "cosh"})
DOMAINS = {"sqrt": "from 0 on", "rsqrt": "above 0", "acos": "from -1 to 1", "asin": "from -1 to 1", "acosh": "from 1 on",
           "atanh": "between -1 and 1", "erfinv": "between -1 and 1", "lgamma": "where it has no pole",
           "digamma": "where it has no pole"}


def forward_hint(operation: Operation, operands: Sequence[Any], value: Any) -> str:
    """What usually helps against an inf or nan of finite operands."""
    name = operation.name
    first = np.asarray(operands[0]) if operands else np.asarray(0.0)
    if name in LOGARITHMS:
        argument = np.asarray(operands[1]) if name == "xlogy" else first + (name == "log1p")
        if (argument <= 0).any():
            return ("the logarithm of 0 or of a negative number: clamp the argument, add a small number, or use log1p, "
                    "logsigmoid, logsumexp or xlogy")
    if name in EXPONENTIALS:
        return "the exponential overflows: subtract the largest exponent first, as softmax, logsumexp and logsigmoid do"
    if name in ("div", "reciprocal", "floor_divide", "remainder", "fmod", "addcdiv") and (np.asarray(operands[-1]) == 0).any():
        return "a division by 0: replace the divisor with td.where before dividing"
    if name == "pow" and np.isnan(value):
        return "a power of a negative number with an exponent that is no integer"
    if name == "pow" and (first == 0).any():
        return "a negative power of 0"
    if name in DOMAINS and not np.isinf(value):
        return f"{name} is defined {DOMAINS[name]}"
    if name in ("rsqrt", "atanh", "lgamma", "digamma", "erfinv") and np.isinf(value):
        return f"{name} has a pole here: it is finite {DOMAINS[name]}"
    if name in ("inverse", "solve", "solve_triangular", "log_det", "cholesky"):
        return "the matrix is singular"
    if (np.isnan(value) and all(np.asarray(operand).size == 0 for operand in operands)) or name.startswith(("var", "std")):
        return "a mean or variance of too few elements"
    if np.isinf(value):
        largest = float(np.finfo(operation.spec.dtype.numpy).max)
        help_ = "; float64 goes to 1.8e308" if operation.spec.dtype.name == "float32" else ""
        return f"an overflow: {operation.spec.dtype.name} goes to {largest:.3g}{help_}; scale the values or work with logarithms"
    return ""


def reverse_hint(operation: Operation, operands: Sequence[Any]) -> str:
    """What usually helps where a derivative is not finite."""
    name = operation.name
    if not all(map(is_finite, operands)):
        return "an operand is not finite already"
    if name in ("sqrt", "vector_norm", "hypot", "std") and (np.asarray(operands[0]) == 0).any():
        return (f"the derivative of {name} at 0 is not finite: add a small number inside, or choose another value there with "
                "td.where")
    if name == "pow" and (np.asarray(operands[0]) == 0).any():
        return "the derivative of a power below 1 at 0 is not finite: add a small number to the base"
    if name in ("div", "reciprocal", "log", "log2", "log10", "rsqrt", "addcdiv", "xlogy"):
        return "a division by 0 or by something tiny in the derivative: keep the argument away from 0, by td.where before the op"
    if name in ("acos", "asin", "atanh", "acosh", "logit"):
        return f"the derivative of {name} at the border of its domain is not finite: clamp the argument inside"
    return f"the derivative of {name} is not finite at these operands"
