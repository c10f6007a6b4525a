"""Ops of the user's own: from formulas, or from functions on arrays."""

from __future__ import annotations

import ast
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.dtypes import DType
from tapediff.functions.registry import check_tensor
from tapediff.ops.custom import CUSTOM, formula_row
from tapediff.ops.elementwise import ELEMENTWISE
from tapediff.ops.op import BOOL, FLOAT, INT, OPERANDS, Domain, Elementwise, compiled
from tapediff.ops.structural import STRUCTURAL, Structural
from tapediff.recording import elementwise, structural
from tapediff.rules import ARRAYS
from tapediff.tape.spec import Spec, spec_of
from tapediff.tensor import Tensor

__all__ = ["custom_op"]

RESERVED = frozenset({*OPERANDS, "y", "y_bar", "pi", "inf", "nan", "cast", "zeros_like", "ones_like", "full_like"})
NUMBERS = frozenset({"pi", "inf", "nan"})
POINTS = 25  # of a domain, at which partials are compared with differences
_lock = threading.Lock()
_functions: dict[str, tuple[Any, Callable[..., Tensor]]] = {}


def custom_op(name: str, formula: str | None = None, partials: str | Sequence[str | None] = (), *, domain: Any = None,
              doc: str | None = None, forward: Callable[..., Any] | None = None, pullback: Callable[..., Any] | None = None,
              infer: Callable[..., Any] | None = None, once_differentiable: bool = False) -> Callable[..., Tensor]:
    """Register an op of your own; returns its function, which works like those of tapediff.

    name                 of the op in listings, files and formulas; its node is called NameBackward0
    formula              of an element-wise op: an expression in its operands `a`, `b`, `c`, with `+ - * / **`, comparisons,
                         `& | ^ ~`, numbers, `pi`, `inf`, `nan`, and element-wise ops by name: `where(a > 0, a, expm1(a))`
    partials             a formula for each operand, in which `y` is the op's value: the derivative by it. One that mentions
                         `y_bar` is all that the operand's adjoint gains; None: not differentiable by this operand
    domain               (low, high) or (low, high, kinks), or a tuple of them for each operand: there the partials are compared
                         with differences of the formula, at once
    forward(*arrays)     instead of a formula: the value, of NumPy arrays that it must not write; also compiled by Numba
    pullback(F, k, y_bar, y, *operands)
                         what the adjoint of operand k gains, in its shape, from element-wise ops `F.exp(x)`, structural ops
                         `F.sum(x, attributes)`, arithmetic and `F.zeros_like`; None: nothing. Any order of derivatives follows
    once_differentiable  `pullback(k, y_bar, y, *operands)` takes and gives NumPy arrays; there is no second derivative
    infer(*specs)        shape and dtype of the result from the operands' `shape` and `dtype`; those of the first one by default

    Keyword arguments of a call, numbers, strings and tuples of them, are passed on to `forward`, `pullback` and `infer`.

    Registering the same op again gives the same function. Calls take part in programs, batches and derivatives of any order.

    >>> import tapediff as td
    >>> swish = td.custom_op("doc_swish", "a * sigmoid(b * a)", (
    ...     "sigmoid(b * a) + b * y * (1 - sigmoid(b * a))", "a * y * (1 - sigmoid(b * a))"), domain=((-3, 3), (0.5, 2)))
    >>> x = td.tensor(1., dtype=td.float64, requires_grad=True)
    >>> swish(x, 2.0)
    tensor(0.8808, dtype=torch.float64, grad_fn=<DocSwishBackward0>)
    >>> td.autograd.gradgradcheck(lambda x: swish(x, 2.0), x)
    True

    Raises
        ValueError: the name is taken or none; a formula is no formula, calls what is not there, or differs from its partials.
        TypeError: the arguments do not go together.
    """
    if (formula is None) == (forward is None):
        raise TypeError(f"custom_op({name!r}): give a formula with its partials, or forward")
    content: Any
    if formula is not None:
        if pullback is not None or infer is not None or once_differentiable:
            raise TypeError(f"custom_op({name!r}): pullback, infer and once_differentiable go with forward; a formula has "
                            "partials")
        given: Sequence[str | None] = (partials,) if isinstance(partials, str) or partials is None else tuple(partials)
        content = (formula.strip(), tuple(partial if partial is None else partial.strip() for partial in given))
    else:
        if partials or domain is not None:
            raise TypeError(f"custom_op({name!r}): partials and domain go with a formula; forward has a pullback")
        content = (forward, pullback, infer, once_differentiable)
    with _lock:
        known = _functions.get(name)
        if known is not None and known[0] == content:
            return known[1]
        _check_name(name)
        if formula is not None:
            made = _of_formula(name, content[0], content[1], domain, doc)
        else:
            made = _of_functions(name, forward, pullback, infer, once_differentiable, doc)
        _functions[name] = content, made
        return made


def _check_name(name: Any) -> None:
    """Refuse a name that means something already."""
    from tapediff.kernels.formula import PRIMITIVES
    from tapediff.kernels.functions import VectorFunctions
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        raise ValueError(f"custom_op: a name is letters, digits and _, such as 'my_swish': got {name!r}")
    if name in CUSTOM:
        raise ValueError(f"custom_op: {name!r} is registered already, as another op, whose kernels may be in use: choose another "
                         "name")
    functions = VectorFunctions()
    if (name in ELEMENTWISE or name in STRUCTURAL or name in RESERVED or name in PRIMITIVES
            or name.startswith(("libm_", "scipy_"))
            or any(functions.definition(name, dtype) for dtype in ("float32", "float64", "int64"))):
        raise ValueError(f"custom_op: {name!r} has a meaning in formulas or is an op of tapediff: choose another name")


def _named(made: Any, name: str, doc: str | None, row: Any) -> Any:
    """The function of an op under its own name."""
    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    made.row = row
    return made


# --- formulas -------------------------------------------------------------------------------------------------------------------

def _of_formula(name: str, formula: str, partials: tuple[str | None, ...], domain: Any, doc: str | None) -> Callable[..., Tensor]:
    arity = len(partials)
    if not 1 <= arity <= len(OPERANDS):
        raise ValueError(f"custom_op({name!r}): a formula has 1 to 3 operands, and a partial or None for each: got {arity} "
                         "partials")
    operands = OPERANDS[:arity]
    tree = _checked(name, "formula", formula, frozenset(operands))
    for k, partial in enumerate(partials):
        if partial is not None:
            _checked(name, f"partial by {OPERANDS[k]}", partial, frozenset({*operands, "y", "y_bar"}))
    is_logic = isinstance(getattr(tree, "op", None), ast.BitAnd | ast.BitOr | ast.BitXor | ast.Invert)
    is_bool = is_logic or isinstance(tree, ast.Compare)
    if is_bool and any(partial is not None for partial in partials):
        raise ValueError(f"custom_op({name!r}): {formula!r} is true or false and has no derivative: the partials are None")
    row = Elementwise(name, formula, partials, None, _domains(name, domain, arity), result=BOOL if is_bool else FLOAT,
                      kinds=frozenset({FLOAT, INT, BOOL}), arguments=("input", "other", "third")[:arity], doc=doc or "")
    CUSTOM[name] = row
    try:
        _print_kernels(row)
        if row.domain:
            _compare_with_differences(row)
    except BaseException:
        del CUSTOM[name]
        raise

    def op(*operands: Any) -> Tensor:
        if len(operands) != arity:
            raise TypeError(f"{name}() takes {arity} operand{'s' * (arity > 1)}: got {len(operands)}")
        if not any(isinstance(x, Tensor) for x in operands):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(operands[0]).__name__}")
        plain = [x.item() if isinstance(x, np.generic) else x for x in operands]
        for position, x in enumerate(plain):
            if not isinstance(x, Tensor | bool | int | float):
                raise TypeError(f"{name}(): argument {position + 1} must be Tensor or Number, not {type(x).__name__}")
        made: Tensor = elementwise(row, *plain)
        return made

    arguments = ", ".join(f"{letter} = {argument}" for letter, argument in zip(OPERANDS, row.arguments))
    return _named(op, name, doc or f"{name}, element by element: ``{formula}`` with {arguments}.", row)


def _checked(name: str, what: str, text: Any, names: frozenset[str]) -> ast.expr:
    """The parsed formula; the printer of kernels checks what its parts mean.

    Raises
        ValueError: it is no expression, or uses a name that is not there.
    """
    if not isinstance(text, str):
        raise TypeError(f"custom_op({name!r}): the {what} should be a string, not {type(text).__name__}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"custom_op({name!r}): the {what} {text!r} is no expression: {error}") from None
    called = set()
    for node in ast.walk(tree):
        if not isinstance(node, _NODES) or (isinstance(node, ast.Constant) and not isinstance(node.value, bool | int | float)):
            raise ValueError(f"custom_op({name!r}): the {what} {text!r} has `{ast.unparse(node)}`, which formulas do not know; "
                             "they are made of operands, numbers, + - * / **, comparisons, & | ^ ~ and calls of element-wise ops")
        if isinstance(node, ast.Call):
            _check_call(name, what, node)
            called.add(node.func)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node not in called and node.id not in names | NUMBERS:
            raise ValueError(f"custom_op({name!r}): the {what} {text!r} reads {node.id!r}; it may read "
                             f"{', '.join(sorted(names))}, pi, inf and nan")
    return tree


_NODES = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Call, ast.operator, ast.unaryop, ast.cmpop,
          ast.expr_context)


def _check_call(name: str, what: str, node: ast.Call) -> None:
    """Refuse a call of anything but an element-wise op with as many operands as it takes."""
    called = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    row = formula_row(called) if called != "cast" else None
    if row is None:
        raise ValueError(f"custom_op({name!r}): the {what} calls {called!r}, which is no element-wise op; docs/ops.md lists them")
    if len(node.args) != row.arity or node.keywords:
        raise ValueError(f"custom_op({name!r}): the {what} has `{ast.unparse(node)}`: {called} takes {row.arity} operands, by "
                         "position")
    if not any(isinstance(part, ast.Name) and part.id not in NUMBERS and not formula_row(part.id)
               for argument in node.args for part in ast.walk(argument)):
        raise ValueError(f"custom_op({name!r}): the {what} has `{ast.unparse(node)}`, a call of numbers only: write its value")


def _print_kernels(row: Elementwise) -> None:
    """Print the kernels of a row, which checks the types of its formulas.

    Raises
        ValueError: they do not fit.
    """
    from tapediff.kernels.functions import VectorFunctions
    from tapediff.kernels.instructions import Module
    from tapediff.kernels.loop import KernelSpec, print_kernel
    functions = VectorFunctions()
    for dtype in ("float64", "float32"):
        for which in ("forward", "reverse", "tangent") if row.is_differentiable else ("forward",):
            spec = KernelSpec(row.name, which, (dtype,) * row.arity, "bool" if row.result == BOOL else dtype)
            try:
                print_kernel(Module(functions, True), spec, "kernel")
            except Exception as error:  # the printer says what it does not know in several types
                text = row.formula if which == "forward" else f"{row.formula}, partials {row.partials}"
                raise ValueError(f"custom_op({row.name!r}): {text}: {error}") from None


def _domains(name: str, domain: Any, arity: int) -> tuple[Domain, ...]:
    """The domains of the operands."""
    if domain is None:
        return ()
    is_one = isinstance(domain, Domain) or (len(domain) in (2, 3) and not isinstance(domain[0], tuple | list | Domain))
    given = (domain,) * arity if is_one else tuple(domain)
    if len(given) != arity:
        raise ValueError(f"custom_op({name!r}): {len(given)} domains for {arity} operands")
    found = tuple(one if isinstance(one, Domain) else Domain(float(one[0]), float(one[1]), tuple(map(float, *one[2:3] or ((),))))
                  for one in given)
    for one in found:
        if not one.low < one.high:
            raise ValueError(f"custom_op({name!r}): a domain is (low, high) with low < high: got ({one.low}, {one.high})")
    return found


def _compare_with_differences(row: Elementwise) -> None:
    """Compare the partials with central differences of the formula at points of the domain.

    Raises
        ValueError: they differ; the message names the point.
    """
    generator = random.Random(0)
    columns = [domain.sample(POINTS, generator) for domain in row.domain]
    for point in zip(*columns, strict=True):
        names = dict(zip(OPERANDS, map(np.float64, point)))
        y = _value(row.formula, names)
        for k, partial in enumerate(row.partials):
            if partial is None:
                continue
            stated = float(_value(row.pullback(k), {**names, "y": y, "y_bar": np.float64(1)}))
            step = 1e-5 * max(1.0, abs(point[k]))
            high, low = (float(_value(row.formula, {**names, OPERANDS[k]: np.float64(point[k] + sign * step)}))
                         for sign in (1, -1))
            measured = (high - low) / (2 * step)
            noise = 1e-15 * max(abs(high), abs(low)) / step
            if not abs(stated - measured) <= 1e-5 * max(1.0, abs(stated), abs(measured)) + 10 * noise:
                place = ", ".join(f"{letter} = {number:.6g}" for letter, number in zip(OPERANDS, point))
                raise ValueError(f"custom_op({row.name!r}): at {place} the partial by {OPERANDS[k]}, {partial!r}, is "
                                 f"{stated:.8g}, and the formula's difference is {measured:.8g}")


class _Names(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return getattr(np, name) if name in NUMBERS else getattr(ARRAYS, name)


def _value(formula: str, names: dict[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        return eval(compiled(formula), {"__builtins__": {}}, _Names(names))


# --- functions on arrays --------------------------------------------------------------------------------------------------------

def _of_functions(name: str, forward: Any, pullback: Callable[..., Any] | None, infer: Callable[..., Any] | None,
                  once_differentiable: bool, doc: str | None) -> Callable[..., Tensor]:
    transpose = f"{name}_pullback"

    def inferred(attributes: Any, *specs: Spec) -> tuple[tuple[int, ...], DType]:
        if infer is None:
            return specs[0].shape, specs[0].dtype
        try:
            shape, dtype = infer(*specs, **dict(attributes))
            if not isinstance(dtype, DType):
                dtype = dtypes.from_numpy_dtype(np.dtype(dtype))
            return tuple(int(size) for size in shape), dtype
        except (TypeError, ValueError, KeyError) as error:
            given = ", ".join(map(repr, specs))
            raise TypeError(f"{name}: infer should give a shape and a dtype for {given}: {error}") from error

    def computed(attributes: Any, *arrays: Any) -> Any:
        shape, dtype = inferred(attributes, *map(_spec_of_array, arrays))
        return _fitting(f"{name}: forward", forward(*map(_read_only, arrays), **dict(attributes)), shape, dtype)

    def rule(F: Any, attributes: Any, k: int, y_bar: Any, y: Any, *operands: Any) -> Any:
        if once_differentiable:
            return getattr(F, transpose)(y_bar, y, *operands, (k, attributes))
        assert pullback is not None
        found = pullback(F, k, y_bar, y, *operands, **dict(attributes))
        if found is None:
            return F.zeros_like(operands[k])
        if tuple(found.shape) != tuple(operands[k].shape):
            raise RuntimeError(f"{name}: pullback gave the shape {list(found.shape)} for operand {k} of shape "
                               f"{list(operands[k].shape)}: sum over what was broadcast")
        return found

    def transposed(attributes: Any, y_bar: Any, y: Any, *operands: Any) -> Any:
        k, outer = attributes
        assert pullback is not None
        found = pullback(k, *map(_read_only, (y_bar, y, *operands)), **dict(outer))
        spec = _spec_of_array(operands[k])
        if found is None:
            return np.zeros(spec.shape, spec.dtype.numpy)
        return _fitting(f"{name}: pullback", found, spec.shape, spec.dtype)

    def like_operand(attributes: Any, y_bar: Spec, y: Spec, *specs: Spec) -> tuple[tuple[int, ...], DType]:
        return specs[attributes[0]].shape, specs[attributes[0]].dtype

    def twice(F: Any, *_: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable: the pullback of "
                           f"{name} computes on arrays; give one in terms of F for derivatives of higher order")

    def saved(position: int) -> frozenset[Any]:
        return frozenset({"y", *range(60)})

    grad_fn = Elementwise(name, "a", ("1",)).grad_fn
    row = Structural(name, inferred, computed, None if pullback is None else rule, saves=saved, grad_fn=grad_fn, doc=doc or "")
    CUSTOM[name] = row
    if once_differentiable:
        CUSTOM[transpose] = Structural(transpose, like_operand, transposed, twice, saves=saved, grad_fn=grad_fn + "Backward0")

    def op(*operands: Any, **options: Any) -> Tensor:
        if not operands:
            raise TypeError(f"{name}() takes at least one tensor")
        for position, x in enumerate(operands):
            check_tensor(x, name, "input" if not position else f"operand {position}", position + 1)
        attributes = tuple(sorted((key, _hashable(name, key, value)) for key, value in options.items()))
        made: Tensor = structural(row, attributes, *operands)
        return made

    return _named(op, name, doc, row)


def _spec_of_array(array: np.ndarray[Any, Any]) -> Spec:
    return spec_of(array.shape, dtypes.from_numpy_dtype(array.dtype), False)


def _read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A view that cannot be written: the tape's memory."""
    view = array.view()
    view.flags.writeable = False
    return view


def _fitting(what: str, value: Any, shape: tuple[int, ...], dtype: DType) -> np.ndarray[Any, Any]:
    """What a function of the user's gave, as an array.

    Raises
        RuntimeError: it has another shape, or a dtype that does not go into the inferred one.
    """
    array = np.asarray(value)
    if array.shape != shape or not np.can_cast(array.dtype, dtype.numpy, "same_kind"):
        raise RuntimeError(f"{what} gave {array.dtype}{list(array.shape)} where {dtype.name}{list(shape)} was inferred")
    return array.astype(dtype.numpy, copy=False)


def _hashable(name: str, key: str, value: Any) -> Any:
    """An option of a call as an attribute: numbers, strings, None, and tuples of them."""
    if isinstance(value, tuple | list):
        return tuple(_hashable(name, key, part) for part in value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name}(): {key}={value!r} should be a number, a string or a tuple of them; pass arrays as tensors, by "
                    "position")
