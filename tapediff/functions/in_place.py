"""In-place methods, derived from the functions that return a new tensor."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tapediff import inplace, recording
from tapediff.functions.composing import element
from tapediff.functions.elementwise import plain
from tapediff.functions.overwriting import overwrite
from tapediff.functions.random import FILLERS
from tapediff.functions.registry import FUNCTIONS, check_tensor, method
from tapediff.functions.views import expand
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.quick import slow
from tapediff.recording import is_traced, modes
from tapediff.tape.source import SOURCE
from tapediff.tensor import Tensor, of_array

__all__ = ["derive"]

DIRECT = frozenset({"add", "sub", "mul", "div"})  # the operator records just the row

OPERATORS = {"add": "__iadd__", "sub": "__isub__", "mul": "__imul__", "div": "__itruediv__", "pow": "__ipow__",
             "floor_divide": "__ifloordiv__", "remainder": "__imod__", "bitwise_and": "__iand__", "bitwise_or": "__ior__",
             "bitwise_xor": "__ixor__", "bitwise_left_shift": "__ilshift__", "bitwise_right_shift": "__irshift__"}

# functions of one result in their first argument's shape that have no in-place form in PyTorch
WITHOUT = frozenset({"maximum", "minimum", "fmax", "fmin", "isnan", "isinf", "isfinite", "signbit", "positive", "where", "clone",
                     "logaddexp", "logaddexp2", "rsub", "isclose", "isposinf", "isneginf", "isreal"})


def derive(name: str, function: Callable[..., Any] | None = None) -> None:
    """Give the tensor the in-place form `name_` of a function, and the assignment operator that means it."""
    function = function or FUNCTIONS[name]

    @functools.wraps(function)
    def changed(self: Tensor, *arguments: Any, **options: Any) -> Tensor:
        return inplace.in_place(function, self, *arguments, **options)

    changed.__name__ = changed.__qualname__ = f"{name}_"
    changed.__doc__ = f"`{name}`, in place."
    setattr(Tensor, f"{name}_", changed)
    operator = OPERATORS.get(name)
    if operator:
        row = ROWS[name]

        def assigned(self: Tensor, other: Any) -> Any:
            kind = type(other)
            # what optimisers do
            if name in DIRECT and not modes.grad_enabled and (kind is Tensor or kind is float) and not hasattr(self, "extra"):
                if inplace.update(name, self, other):
                    return self
                before = (modes.segment, len(modes.segment))
                return inplace.assign(self, slow(row, self, other), before)
            if not isinstance(other, Tensor | int | float | np.ndarray | np.generic):
                return NotImplemented
            return changed(self, _operand(other))
        assigned.__name__ = assigned.__qualname__ = operator
        setattr(Tensor, operator, assigned)


def _operand(other: Any) -> Any:
    if isinstance(other, np.ndarray):
        return of_array(np.array(other, order="C"))
    return other.item() if isinstance(other, np.generic) else other


@method("zero_")
def zero_(self: Tensor) -> Tensor:
    """All elements set to zero, in place."""
    return _fill("zero_", self, 0)


@method("fill_")
def fill_(self: Tensor, value: Any) -> Tensor:
    """All elements set to one number (or tensor without dimensions), in place.

    >>> import tapediff as td
    >>> td.zeros(3).fill_(2.5)
    tensor([2.5000, 2.5000, 2.5000])
    """
    if isinstance(value, Tensor):
        if value.spec.ndim:
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.spec.ndim} dimensions.")
        return overwrite("fill_tensor_", self, recording.cast(value, self.spec.dtype))
    if not isinstance(value, int | float | np.generic):
        raise TypeError(f"fill_(): argument 'value' (position 1) must be Number, not {type(value).__name__}")
    return _fill("fill_", self, element(plain(value), self.spec.dtype, "fill_"))


def _fill(name: str, self: Tensor, value: Any) -> Tensor:
    if (modes.grad_enabled and self.spec.requires_grad) or is_traced() or not inplace.is_all_one_memory(self):
        return overwrite(name, self, of_array(np.array(value, self.spec.dtype.numpy)))
    inplace.check_writable(self)
    inplace.write(self, lambda array: array.fill(value))
    return self


@method("copy_")
def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """The elements of `src`, broadcast and converted, written in place."""
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    value = recording.cast(src, self.spec.dtype)
    value = value if value.spec.shape == self.spec.shape else expand(value, self.spec.shape)
    return overwrite("copy_", self, value)


def _draw(name: str, filler: Callable[..., Any]) -> None:
    """Give the tensor the in-place form of a distribution."""
    def drawn(self: Tensor, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        inplace.check_writable(self)
        values = filler(self.spec.shape, self.spec.dtype, *args, generator=generator, **named)
        return overwrite(name, self, of_array(np.array(values, self.spec.dtype.numpy, order="C")))

    drawn.__name__ = drawn.__qualname__ = name
    drawn.__doc__ = f"Every element drawn anew, in place. {filler.__doc__}"
    setattr(Tensor, name, drawn)


for _name, _filler in FILLERS.items():
    _draw(_name, _filler)


@method("set_")
def set_(self: Tensor, source: Tensor) -> Tensor:
    """Show the memory of another tensor."""
    inplace.set_data(self, source)
    return self


def stand_in(tensor: Tensor) -> Tensor:
    """A tensor that takes the place of `tensor` among those that share memory, so that `tensor` may become something else."""
    made: Tensor = recording.new_handle(type(tensor))
    made.segment, made.slot, made.spec = tensor.segment, tensor.slot, tensor.spec
    if tensor.segment is SOURCE:
        made.source = tensor.source
    else:
        made.segment.pass_on(made.slot // 3 - 1, made)
    extra = made.extra = tensor.extras()
    for known in extra.views:
        child = known()
        if child is not None:
            child.extras().view = child.extras().view._replace(parent=made)
    if extra.view is not None:
        siblings = extra.view.parent.extras().views
        siblings[:] = [weakref.ref(made) if known() is tensor else known for known in siblings]
    return made


def become(tensor: Tensor, shown: Tensor) -> None:
    """Let a tensor be the view `shown`, which nobody else holds."""
    tensor.segment, tensor.slot, tensor.spec = shown.segment, shown.slot, shown.spec
    if shown.segment is SOURCE:
        tensor.source = shown.source
    else:
        shown.segment.pass_on(shown.slot // 3 - 1, tensor)
    extra = tensor.extra = shown.extras()
    siblings = extra.view.parent.extras().views
    siblings[:] = [weakref.ref(tensor) if known() is shown else known for known in siblings]


def _reshaped_in_place(name: str) -> None:
    """Give the tensor the in-place form of a view: from now on it shows itself in another shape."""
    function = FUNCTIONS[name]

    def changed(self: Tensor, *arguments: Any, **options: Any) -> Tensor:
        inplace.check_writable(self)
        become(self, function(stand_in(self), *arguments, **options))
        return self

    changed.__name__ = changed.__qualname__ = f"{name}_"
    changed.__doc__ = f"`{name}`, in place: the tensor itself takes the new shape."
    setattr(Tensor, f"{name}_", changed)


for _name in ("squeeze", "unsqueeze", "t", "transpose", "swapaxes", "swapdims"):
    _reshaped_in_place(_name)


# PyTorch's in-place forms of functions that are more than their row, or no element-wise op
OTHERS = ("add", "sub", "div", "clamp", "clip", "round", "nan_to_num", "logit", "lerp", "addcmul", "addcdiv", "float_power",
          "pow", "true_divide", "multiply", "subtract", "divide", "negative", "absolute", "arcsin", "arccos", "arctan", "fix",
          "greater", "greater_equal", "less", "less_equal", "not_equal", "masked_fill", "masked_scatter", "index_add",
          "index_copy", "index_fill", "index_put", "scatter", "scatter_add", "scatter_reduce", "tril", "triu", "cumsum",
          "cumprod", "addmm", "addmv", "baddbmm", "addbmm", "addr", "renorm", "fill_diagonal", "arccosh", "arcsinh", "arctanh",
          "arctan2", "sgn", "gcd", "lcm", "ldexp", "nextafter", "index_reduce", "put")

# the in-place methods that PyTorch has as functions, too
AS_FUNCTIONS = ("abs", "acos", "acosh", "addmv", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh",
                "atan", "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "cos", "cosh", "deg2rad", "detach", "erf",
                "erfc", "exp", "exp2", "expm1", "fill", "fix", "floor", "frac", "gcd", "index_put", "lcm", "ldexp", "log",
                "log10", "log1p", "log2", "logit", "nan_to_num", "neg", "negative", "rad2deg", "reciprocal", "relu", "round",
                "rsqrt", "sigmoid", "sin", "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "xlogy", "zero")


def derive_all() -> None:
    """Derive the in-place form of every function that has one in PyTorch."""
    for name, row in ROWS.items():
        if name in FUNCTIONS and name not in WITHOUT and row.arity <= 2:
            derive(name)
    for name in OTHERS:
        if name in FUNCTIONS:
            derive(name)


def as_function(name: str) -> None:
    """Make the in-place method `name` a function of the public interface."""
    changing = getattr(Tensor, name)

    @functools.wraps(changing)
    def call(input: Tensor, *arguments: Any, **options: Any) -> Tensor:
        check_tensor(input, name)
        changed: Tensor = changing(input, *arguments, **options)
        return changed

    call.__name__ = call.__qualname__ = name
    FUNCTIONS[name] = call


derive_all()
for _name in AS_FUNCTIONS:
    as_function(f"{_name}_")
