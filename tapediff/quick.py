"""The quick path of operators: the instruction appended at once, where the kind is known.

It serves operands for which recording.elementwise has left the kind in `spec.<name>[other spec or number type]`: those that need
no cast and no expansion, while gradients are recorded. Everything else goes through recording.elementwise,
which records the same instruction.
"""

from __future__ import annotations

import functools
from threading import get_ident
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from tapediff import recording
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import elementwise, modes, new_handle, unrecorded
from tapediff.tape.source import SOURCE
from tapediff.tensor import Tensor, method, of_array

__all__ = ["BINARY", "UNARY", "quick"]

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

BINARY = """
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
            segment = self.segment
            if segment is SOURCE:
                segment = modes.segment
                source = self.source
                if source.stamp is not segment.stamp:
                    source.stamp = segment.stamp
                    segment.held.append(source)
            elif segment.thread != get_ident():
                return slow(row, self, other)
        else:
            return slow(row, self, other)
""" + _APPEND

# the quick table of powers goes by the exponent, since some powers are rows of their own
POWER = BINARY.replace("self.spec.TABLE[kind_of]", "self.spec.TABLE[other]")

REFLECTED = """
def METHOD(self, other):
    try:
        kind_of = type(other)
        if kind_of is not float and kind_of is not int:
            return slow(row, other, self)
        number = self.spec.constants[other]
        kind, spec = self.spec.TABLE[kind_of]
        segment = self.segment
        if segment is SOURCE:
            segment = modes.segment
            source = self.source
            if source.stamp is not segment.stamp:
                source.stamp = segment.stamp
                segment.held.append(source)
        elif segment.thread != get_ident():
            return slow(row, other, self)
""" + _APPEND

UNARY = """
def METHOD(self):
    try:
        kind, spec = self.spec.TABLE[None]
        segment = self.segment
        if segment is SOURCE:
            segment = modes.segment
            source = self.source
            if source.stamp is not segment.stamp:
                source.stamp = segment.stamp
                segment.held.append(source)
        elif segment.thread != get_ident():
            return slow(row, self)
""" + _APPEND


# how each template names its operands in the instruction, and in the call of the general path
_OPERANDS = {BINARY: ("self.slot", "number", "self, other"), POWER: ("self.slot", "number", "self, other"),
             REFLECTED: ("number", "self.slot", "other, self"), UNARY: ("self.slot", "0", "self")}


@functools.cache
def _compiled(template: str) -> CodeType:
    """The code of a template's function."""
    a, b, operands = _OPERANDS[template]
    module = compile(template.format(a=a, b=b, operands=operands), __file__, "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


def quick(template: str, name: str, operator: str) -> Any:
    """An operator or method of the tensor from a template of the quick path, for the row called `name`."""
    table = f"{name}_reflected" if template is REFLECTED else name
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
    return made


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
    method(_method)(quick(BINARY, _name, _method))
for _name, _method in (("sub", "__rsub__"), ("div", "__rtruediv__"), ("pow", "__rpow__")):
    method(_method)(quick(REFLECTED, _name, _method))
method("__pow__")(quick(POWER, "pow", "__pow__"))
method("__neg__")(quick(UNARY, "neg", "__neg__"))
