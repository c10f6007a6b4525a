"""The quick path of operators: the instruction appended at once, where the kind is known.

It serves operands for which recording.elementwise has left the kind in `spec.<name>[other spec or number type]`: those that need
no cast and no expansion, while gradients are recorded. Everything else goes through recording.elementwise,
which records the same instruction.
"""

from __future__ import annotations

import functools
from textwrap import indent
from threading import get_ident
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from tapediff import recording
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise, modes, new_handle, unrecorded
from tapediff.tape.source import SOURCE
from tapediff.tensor import Tensor, method, of_array

__all__ = ["BINARY", "POWER", "SWAPPED", "UNARY", "cells", "made_from", "quick", "serve"]

# --- templates ------------------------------------------------------------------------------------------------------------------
# TABLE stands for the name of the spec's table, and is replaced in the compiled code: compiling every operator anew would slow
# `import tapediff` down. The tensor is made first: the garbage collector might call a finalizer that records, too. Another thread
# may close the segment at any time (`code` is then None) and compute it, but leaves its list and the tensor's slot alone.

_APPEND = """\
        if spec.is_large:
            return append_large(segment, kind, spec, {a}, {b})
        made = new_handle(Tensor)
        code = segment.code
        code.append(kind)
        code.append({a})
        code.append({b})
        made.segment = segment
        made.spec = spec
        made.slot = slot = len(code)
        if slot >= SEGMENT_CODE:
            close()
        return made
    except (KeyError, AttributeError):
        return slow(row, {operands})
"""

# the segment of an operation whose only tensor is `self`
_ONE_TENSOR = """\
segment = self.segment
if segment is SOURCE:
    segment = modes.segment
    source = self.source
    if source.stamp is not segment.stamp:
        source.stamp = segment.stamp
        segment.held.append(source)
elif segment.thread != get_ident():
    return slow(row, {operands})
"""

_BINARY = """
def METHOD(self, other):
    try:
        kind_of = type(other)
        if kind_of is Tensor:
            kind, spec = self.spec.TABLE[other.spec]
            segment = self.segment
            if segment is SOURCE:
                source = self.source
                segment = other.segment
                if segment is SOURCE:
                    segment = modes.segment
                    if source.stamp is not segment.stamp:
                        source.stamp = segment.stamp
                        segment.held.append(source)
                    source = other.source
                elif segment.thread != get_ident():
                    return slow(row, self, other)
                if source.stamp is not segment.stamp:
                    source.stamp = segment.stamp
                    segment.held.append(source)
            else:
                if segment.thread != get_ident():
                    return slow(row, self, other)
                if other.segment is not segment:
                    source = other.source
                    if source.stamp is not segment.stamp:
                        source.stamp = segment.stamp
                        segment.held.append(source)
            number = other.slot
        elif kind_of is float or kind_of is int:
            number = self.spec.constants[other]
            kind, spec = self.spec.TABLE[kind_of]
""" + indent(_ONE_TENSOR, " " * 12) + """\
        else:
            return slow(row, self, other)
"""

# the quick table of powers goes by the exponent, since some powers are rows of their own
_POWER = _BINARY.replace("self.spec.TABLE[kind_of]", "self.spec.TABLE[other]")

_NUMBER_ON_THE_LEFT = """
def METHOD(self, other):
    try:
        kind_of = type(other)
        if kind_of is not float and kind_of is not int:
            return slow(row, other, self)
        number = self.spec.constants[other]
        kind, spec = self.spec.TABLE[kind_of]
""" + indent(_ONE_TENSOR, " " * 8)

_UNARY = """
def METHOD(self):
    try:
        kind, spec = self.spec.TABLE[None]
""" + indent(_ONE_TENSOR, " " * 8)


class Template(NamedTuple):
    """The source of an operator's function, the operands of its instruction, those of the general path, the table that it reads.
    """

    source: str
    first: str
    second: str
    operands: str
    table: str = ""


BINARY = Template(_BINARY + _APPEND, "self.slot", "number", "self, other")
POWER = Template(_POWER + _APPEND, "self.slot", "number", "self, other")
REFLECTED = Template(_NUMBER_ON_THE_LEFT + _APPEND, "number", "self.slot", "other, self", "_reflected")
# where the order makes no difference to the value, a number comes second
SWAPPED = Template(_NUMBER_ON_THE_LEFT + _APPEND, "self.slot", "number", "self, other")
UNARY = Template(_UNARY + _APPEND, "self.slot", "0", "self")

made_from: dict[Any, tuple[Template, str]] = {}  # function -> template and row
cells: dict[Any, list[CellType]] = {}  # function -> where functions above, which check their arguments, find it


@functools.cache
def _compiled(template: Template) -> CodeType:
    """The code of a template's function."""
    source = template.source.format(a=template.first, b=template.second, operands=template.operands)
    module = compile(source, __file__, "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


def quick(template: Template, name: str, operator: str) -> Any:
    """An operator or method of the tensor from a template of the quick path, for the row called `name`."""
    table = name + template.table
    pattern = _compiled(template)
    code = pattern.replace(co_name=operator, co_qualname=operator,
                           co_names=tuple(table if one == "TABLE" else one for one in pattern.co_names))
    namespace: dict[str, Any] = {"Tensor": Tensor, "SOURCE": SOURCE, "slow": slow, "row": ROWS[name], "get_ident": get_ident,
                                 "new_handle": new_handle, "SEGMENT_CODE": recording.SEGMENT_CODE, "close": recording.close,
                                 "append_large": recording.append_large,
                                 "modes": modes, "__name__": __name__}
    made = FunctionType(code, namespace, operator)
    made.__annotations__ = {"return": "Tensor"} if template is UNARY else {"other": "Any", "return": "Tensor"}
    made.__doc__ = f"The operator of the row ``{name}``, on its quick path."
    made_from[made] = template, name
    return made


def serve(fast: Any, function: Any) -> None:
    """Remember that a function calls `fast`, a variable of that name around it: the native recorder may take its place."""
    place = function.__code__.co_freevars.index("fast")
    cells.setdefault(fast, []).append(function.__closure__[place])


def slow(row: Any, *operands: Any) -> Any:
    """Record by the general path; NotImplemented for what is neither tensor nor number nor array."""
    if not modes.segment.grad_enabled:
        try:
            return unrecorded(row, *operands)
        except (KeyError, AttributeError):
            pass
    made = [x if isinstance(x, Tensor) or type(x) in (int, float, bool) else foreign_operand(x) for x in operands]
    if any(x is NotImplemented for x in made):
        return NotImplemented
    if row.name == "pow":
        return power(*made)
    return elementwise(row, *made)


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`; leaves the kind of a power with a number for the quick path."""
    check_integer_power(base, exponent)
    result = elementwise(ROWS["pow"], base, exponent)
    if (type(exponent) in (int, float) and result.spec is base.spec and base.dtype.is_floating_point
        and result.segment.code is not None):
        table = base.spec.quick_table("pow")
        recording.constant(float(exponent), base.dtype)
        if len(table) < 64 and exponent in base.spec.constants:
            table[exponent] = (result.segment.recorded[-3], result.spec)
    return result


def foreign_operand(value: Any) -> Any:
    """NumPy's arrays and numbers as tensors and Python numbers."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return of_array(np.array(value, order="C"))  # a copy: the array may be written before the value is computed
    if isinstance(value, bool | int | float):
        return float(value) if isinstance(value, float) else int(value)
    return NotImplemented


def check_integer_power(base: Any, exponent: Any) -> None:
    """Refuse an integer tensor to a negative integer power, as PyTorch does."""
    if type(exponent) is int and exponent < 0 and not (base.dtype.is_floating_point or base.dtype.category == 0):
        raise RuntimeError(f"Integers to negative integer powers are not allowed: got a tensor of dtype {base.dtype} to the "
                           f"power {exponent}; convert it with .float()")


for _name, _method in (("add", "__add__"), ("sub", "__sub__"), ("mul", "__mul__"), ("div", "__truediv__")):
    method(_method)(quick(BINARY, _name, _method))
for _name, _method in (("add", "__radd__"), ("mul", "__rmul__")):
    method(_method)(quick(SWAPPED, _name, _method))
for _name, _method in (("sub", "__rsub__"), ("div", "__rtruediv__"), ("pow", "__rpow__")):
    method(_method)(quick(REFLECTED, _name, _method))
method("__pow__")(quick(POWER, "pow", "__pow__"))
method("__neg__")(quick(UNARY, "neg", "__neg__"))
