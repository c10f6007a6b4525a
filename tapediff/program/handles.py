"""Handles: a program as a function that other compiled code calls, and as what SciPy's optimisers take.

A handle is a native function `int64 f(double *inputs, double *results)`. It needs no Python and no memory but its stack:
constants are part of its code. Results are the outputs, one after the other, then the gradients; it returns 0, or 1 + the number
of the guard that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numba.core.types import WrapperAddressProtocol

from tapediff.errors import TapediffError
from tapediff.kernels.instructions import Module
from tapediff.kernels.library import get_library
from tapediff.program.layout import (
    F_ACTIONS,
    F_BUFFERS,
    F_CODE,
    F_FAILED,
    F_LANES,
    F_POINTERS,
    F_ROW,
    F_ROWS,
    F_STEPS,
    UNIFORM,
    WORKSPACE,
)
from tapediff.program.machine import APART, content_key, print_schedule, size_of
from tapediff.program.running import addresses_of

if TYPE_CHECKING:
    from tapediff.program.program import Program

__all__ = ["Handle", "ScipyFunctions"]

Array = np.ndarray[Any, Any]
MOST_STACK = 1 << 18  # bytes of workspace that a handle may take on its caller's stack


class Handle(WrapperAddressProtocol):
    """A program's native function.

    address  of `int64 f(double *inputs, double *results)`: for ctypes, Cython, C, or any compiler
    inputs, results  how many doubles each of the two arrays has

    Numba calls it with the addresses of two arrays; the handle is passed to the compiled function as an argument:

    >>> import numba, numpy as np, tapediff as td
    >>> handle = td.record(lambda x, y: x * y + x.sin(), 1.0, 1.0).handle()
    >>> @numba.njit
    ... def total(f, points):
    ...     results, sum = np.empty(3), 0.0
    ...     for k in range(len(points)):
    ...         f(points[k].ctypes.data, results.ctypes.data)
    ...         sum += results[0]
    ...     return sum
    >>> total(handle, np.array([[0.0, 5.0], [0.0, 7.0]]))
    0.0
    """

    def __init__(self, address: int, inputs: int, results: int, kept: Any) -> None:
        self.address = address
        self.inputs = inputs
        self.results = results
        self._kept = kept

    def __repr__(self) -> str:
        return f"<handle at {self.address:#x}: {self.inputs} inputs, {self.results} results>"

    # Numba takes an object with these two methods for a first-class function
    def __wrapper_address__(self) -> int:
        return self.address

    def signature(self) -> Any:
        """The type that Numba gives it."""
        from numba import types
        return types.int64(types.uint64, types.uint64)

    def __call__(self, inputs: Array, results: Array | None = None) -> Array:
        """The results for an array of inputs, from Python.

        Raises
            ValueError: the arrays have other sizes, or are not contiguous arrays of float64.
            TapediffError: a guard failed.
        """
        import ctypes
        results = np.empty(self.results) if results is None else results
        for what, array, size in (("inputs", inputs, self.inputs), ("results", results, self.results)):
            if array.size != size or array.dtype != np.float64 or not array.flags.c_contiguous:
                raise ValueError(f"handle: {what} must be a contiguous array of {size} float64: got {array.dtype} of shape "
                                 f"{array.shape}")
        function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(self.address)
        failed = function(inputs.ctypes.data, results.ctypes.data)
        if failed:
            raise TapediffError(f"guard {failed - 1} failed: the inputs take another path than the one recorded")
        return results


def make_handle(program: Program, wanted: tuple[int, ...]) -> Handle:
    """The native function of a program's outputs and its gradients by the inputs `wanted`.

    Raises
        TapediffError: an input or output is no float64, or an operation has no formula.
    """
    request = program.request(wanted)
    schedule = program.schedule(request)
    if any(spec.dtype.name != "float64" for spec in (*program.specs, *program.output_specs)):
        raise TapediffError("handle: inputs and outputs must be float64")
    size = size_of(schedule)
    if size is None or schedule.prologue.size:
        raise TapediffError("handle: the program has operations that only NumPy does here (docs/ops.md says which)")
    if schedule.workspace_bytes > MOST_STACK:
        raise TapediffError(f"handle: the program takes {schedule.workspace_bytes} bytes of workspace, a handle at most "
                            f"{MOST_STACK}")
    starts_in = np.cumsum([0, *(spec.size for spec in program.specs)]).tolist()
    starts_out = np.cumsum([0, *(spec.size for spec in program.output_specs)]).tolist()
    starts_grad = (np.cumsum([0, *(program.specs[k].size for k in wanted)]) + starts_out[-1]).tolist()
    places = {**{("input", k): ("%inputs", start) for k, start in enumerate(starts_in[:-1])},
              **{("output", k): ("%results", start) for k, start in enumerate(starts_out[:-1])},
              **{("grad", k): ("%results", start) for k, start in zip(wanted, starts_grad[:-1], strict=True)}}
    library = get_library()
    fixed = [program.tape.outputs[k] for k in schedule.uniform_outputs]
    if fixed:
        raise TapediffError("handle: an output does not depend on the inputs")

    def text(symbol: str) -> str:
        module = library.module()
        print_schedule(module, schedule, (APART,) * len(schedule.buffers), symbol + ".tape")
        _print_entry(module, symbol, schedule, [places[key] for key in schedule.buffers], [
            start for k, start in zip(wanted, starts_grad[:-1], strict=True) if k in schedule.zero_gradients],
            bool(size.called))
        return module.text()

    key = content_key(schedule, "handle", schedule.buffers, schedule.workspace_bytes, schedule.uniform.tobytes())
    words = addresses_of(schedule) if size.called else ()  # what is only printed needs nothing of Python
    address = library.function(key, text, words, schedule)
    assert address is not None
    return Handle(address, starts_in[-1], starts_grad[-1], schedule)


def _print_entry(module: Module, symbol: str, schedule: Any, places: Sequence[tuple[str, int]], zeros: Sequence[int],
                 has_calls: bool) -> None:
    """Add the function that makes a frame on its stack and calls the tape."""
    constants = ", ".join(f"i8 {byte}" for byte in schedule.uniform.tobytes())
    module.declare(f"@{symbol}.constants = internal constant [{len(schedule.uniform)} x i8] [{constants}], align 64")
    words = F_BUFFERS + 3 * len(places) + schedule.most_pointers
    lines = [f"  %frame = alloca [{words} x i64], align 64",
             f"  %workspace = alloca [{schedule.workspace_bytes + 64} x i8], align 64",
             "  %failed = alloca [2 x i32], align 8",
             "  store i64 0, ptr %failed, align 8",
             "  %workspace.at = ptrtoint ptr %workspace to i64",
             "  %failed.at = ptrtoint ptr %failed to i64"]

    def store(word: int, value: str) -> None:
        lines.append(f"  %word.{word} = getelementptr i64, ptr %frame, i64 {word}")
        lines.append(f"  store i64 {value}, ptr %word.{word}, align 8")

    store(0, "0")
    store(WORKSPACE, "%workspace.at")
    store(UNIFORM, f"ptrtoint (ptr @{symbol}.constants to i64)")
    store(F_ROW, "0")
    store(F_ROWS, "1")
    store(F_LANES, "1")
    store(F_FAILED, "%failed.at")
    if has_calls:
        module.declare(f"@{symbol}.words = global [3 x i64] zeroinitializer")
        for k, word in enumerate((F_CODE, F_ACTIONS, F_STEPS)):
            lines.append(f"  %known.{k}.at = getelementptr i64, ptr @{symbol}.words, i64 {k}")
            lines.append(f"  %known.{k} = load i64, ptr %known.{k}.at, align 8")
            store(word, f"%known.{k}")
        lines.append("  %frame.at = ptrtoint ptr %frame to i64")
        lines.append(f"  %pointers.at = add i64 %frame.at, {8 * (F_BUFFERS + 3 * len(places))}")
        store(F_POINTERS, "%pointers.at")
    for number, (base, start) in enumerate(places):
        lines.append(f"  %place.{number} = add i64 {base}, {8 * start}")
        store(F_BUFFERS + 3 * number, f"%place.{number}")
        store(F_BUFFERS + 3 * number + 1, "0")
        store(F_BUFFERS + 3 * number + 2, "8")
    for start in zeros:
        lines.append(f"  %zero.{start} = add i64 %results, {8 * start}")
        lines.append(f"  %zero.{start}.at = inttoptr i64 %zero.{start} to ptr")
        lines.append(f"  store double 0.0, ptr %zero.{start}.at, align 8")
    body = "\n".join(lines)
    module.define(f"""define i64 @{symbol}(i64 %inputs, i64 %results) nounwind {{
entry:
{body}
  call void @{symbol}.tape(ptr %frame, i64 0, i64 1)
  %code = load i32, ptr %failed, align 4
  %result = sext i32 %code to i64
  ret i64 %result
}}
""")


class ScipyFunctions:
    """A program of one vector as what `scipy.optimize` takes.

    fun      x -> the value (for `minimize`), or the residuals (for `least_squares` and `root`)
    jac      x -> the gradient, or the Jacobian
    both     x -> (value, gradient), for `minimize(..., jac=True)`
    hess     x -> the Hessian of a value; hessp  (x, p) -> its product with p

    >>> import numpy as np, scipy.optimize, tapediff as td
    >>> def rosenbrock(x):
    ...     return (100 * (x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2).sum()
    >>> functions = td.record(rosenbrock, np.zeros(4)).scipy()
    >>> found = scipy.optimize.minimize(functions.both, np.zeros(4), jac=True, method="BFGS")
    >>> np.round(found.x, 4)
    array([1., 1., 1., 1.])
    """

    def __init__(self, program: Program, arguments: tuple[Any, ...]) -> None:
        self.program = program
        self.arguments = arguments
        if len(program.specs) != 1 + len(arguments) or program.specs[0].ndim > 1:
            raise ValueError(f"scipy: the program must take one vector, then the {len(arguments)} fixed arguments given: it "
                             f"takes {[list(spec.shape) for spec in program.specs]}")

    def _shaped(self, x: Any) -> Any:
        return np.asarray(x, self.program.specs[0].dtype.numpy).reshape(self.program.specs[0].shape)

    def fun(self, x: Any, *more: Any) -> Any:
        """The value, or the residuals."""
        return self.program(self._shaped(x), *self.arguments, *more)

    def both(self, x: Any) -> tuple[float, Array]:
        """The value and the gradient."""
        value, gradient = self.program.value_and_grad(self._shaped(x), *self.arguments)
        return float(value), np.atleast_1d(gradient)

    def jac(self, x: Any) -> Array:
        """The gradient of one value, or the Jacobian of several."""
        if self.program.output_specs[0].ndim == 0:
            return self.both(x)[1]
        found: Array = self.program.jacobian((self._shaped(x), *self.arguments))[0]
        return found

    def hess(self, x: Any) -> Array:
        """The Hessian of the value."""
        found: Array = self.program.hessian((self._shaped(x), *self.arguments))[0][0]
        return found

    def hessp(self, x: Any, p: Any) -> Array:
        """The Hessian of the value times p."""
        zeros = [np.zeros(spec.shape) for spec in self.program.specs[1:]]
        found: Array = self.program.hvp((self._shaped(x), *self.arguments), (self._shaped(p), *zeros))[1][0]
        return found

