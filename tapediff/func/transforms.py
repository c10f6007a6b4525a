"""Gradients and products of functions: grad, grad_and_value, vjp, jvp.

They differentiate with the tape as `autograd.grad` does, so they nest, and inside a recording (vmap, record, compile) their
derivative computations become part of the program.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapediff import recording
from tapediff.autograd import engine
from tapediff.grad_modes import enable_grad
from tapediff.nested import Structure, flatten, map_leaves
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import modes, structural
from tapediff.shapes import contiguous_strides
from tapediff.tape.segment import Segment
from tapediff.tensor import Tensor, of_array, origin_of

__all__ = ["grad", "grad_and_value", "jvp", "vjp"]


class Derivative(NamedTuple):
    """What a transformed function is the derivative of; other transforms then record `func` and derive its program.

    how   "grad", "grad_and_value" or "jacobian"
    """

    how: str
    func: Callable[..., Any]
    argnums: int | tuple[int, ...]
    has_aux: bool


_derivatives: weakref.WeakKeyDictionary[Callable[..., Any], Derivative] = weakref.WeakKeyDictionary()


def stating(transformed: Callable[..., Any], *what: Any) -> Callable[..., Any]:
    """The function, known to be a `Derivative` from now on."""
    # an attribute would be copied by functools.wraps to functions that do something else
    _derivatives[transformed] = Derivative(*what)
    return transformed


def derivative_of(func: Callable[..., Any]) -> Derivative | None:
    """What `func` is the derivative of, where a transform made it."""
    try:
        return _derivatives.get(func)
    except TypeError:  # no weak references, or no hash
        return None


def entered(x: Tensor) -> Tensor:
    """A tensor of the same value to differentiate by: it stays connected to x where gradients flow there."""
    if recording.is_traced() or (x.spec.requires_grad and modes.grad_enabled):
        with enable_grad():
            if x.spec.requires_grad:
                made: Tensor = structural(STRUCTURAL["alias"], (x.spec.shape, contiguous_strides(x.spec.shape), 0), x)
                return made
            # x + (-0.0) is x, also for x = -0.0
            return x + of_array(np.full(x.spec.shape, -0.0, x.spec.dtype.numpy), requires_grad=True)
    return x.detach().requires_grad_()


def selected(argnums: int | tuple[int, ...], arguments: tuple[Any, ...], name: str) -> tuple[list[Tensor], Structure, list[int]]:
    """The tensors of the arguments `argnums`, how they are nested, and where the arguments stand.

    Raises
        RuntimeError: there is no such argument, or one has a leaf that is no tensor of floats.
    """
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    if not numbers:
        raise RuntimeError("argnums must be non-empty")
    for k, number in enumerate(numbers):
        if not isinstance(number, int):
            raise RuntimeError(f"argnums must be int or Tuple[int, ...], got {type(number).__name__}")
        if not -len(arguments) <= number < len(arguments):
            raise RuntimeError(f"Got argnum={number}, but only {len(arguments)} positional inputs")
        numbers[k] = number % len(arguments)
    leaves, structure = flatten(tuple(arguments[number] for number in numbers))
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"{name}: expected all inputs of argnums={argnums} to be tensors, got {type(leaf).__name__}")
        if not leaf.spec.dtype.is_floating_point:
            raise RuntimeError(f"{name}: only Tensors of floating point dtype can require gradients, got {leaf.spec.dtype}")
    return leaves, structure, numbers


def replaced(arguments: tuple[Any, ...], numbers: Sequence[int], structure: Structure, leaves: Sequence[Any]) -> list[Any]:
    """The arguments with other leaves in those that `numbers` name."""
    out = list(arguments)
    for number, value in zip(numbers, structure.unflatten(list(leaves)), strict=True):
        out[number] = value
    return out


def flows_in(values: Sequence[Any]) -> bool:
    """Whether gradients flow to one of some tensors or sources."""
    return modes.grad_enabled and any(value.spec.requires_grad for value in values)


def needs_graph(tensors: Sequence[Tensor], outputs: Sequence[Tensor]) -> bool:
    """Whether something outside may want to differentiate the derivative: gradients flow into the function from elsewhere."""
    if recording.is_traced():
        return modes.grad_enabled
    if not modes.grad_enabled:
        return False
    own = {recording.source_of(x).index for x in tensors if origin_of(x)[0] is None}
    if len(own) < len(tensors):
        return True
    seen: set[int] = set()
    waiting = [origin_of(y)[0] for y in outputs if isinstance(y, Tensor) and y.spec.requires_grad]
    while waiting:
        origin = waiting.pop()
        if origin is None or origin.number in seen:
            continue
        seen.add(origin.number)
        if type(origin) is not Segment:
            sources = [source for source in origin.sources if source is not None]
        else:
            sources = [source for source in origin.held if source.spec.requires_grad]
        for source in sources:
            if source.origin is None:
                if source.index not in own:
                    return True
            else:
                waiting.append(source.origin)
    return False


def left(value: Any, is_connected: bool) -> Any:
    """A result as seen from outside: without a graph where nothing outside is part of it."""
    if is_connected:
        return value
    return map_leaves(lambda x: x.detach() if isinstance(x, Tensor) else x, value)


def parted(result: Any, has_aux: bool, who: str) -> tuple[Any, Any]:
    """What a function returns, and what else it returns beside with `has_aux`.

    Raises
        RuntimeError: with `has_aux` it is no pair.
    """
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"{who}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return result


def scalar(output: Any) -> Tensor:
    """What a function returns whose gradient is wanted.

    Raises
        RuntimeError: it is no tensor, or has dimensions.
    """
    if not isinstance(output, Tensor):
        raise RuntimeError(f"Expected f to return a Tensor when using grad, got type {type(output)}")
    if output.spec.ndim:
        raise RuntimeError("Expected the function given to grad to return a scalar tensor. Got tensor with "
                           f"{output.spec.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?")
    return output


def grad_and_value(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of `func` with respect to the arguments `argnums`, and its value.

    func must return one scalar tensor; with `has_aux` a pair of that and anything else, and the value is then a pair, too.

    >>> import tapediff as td
    >>> td.func.grad_and_value(td.sin)(td.tensor(0.))
    (tensor(1.), tensor(0.))
    """
    @functools.wraps(func)
    def transformed(*arguments: Any, **options: Any) -> Any:
        tensors, structure, numbers = selected(argnums, arguments, "grad")
        recording.close()
        inner = [entered(x) for x in tensors]
        with enable_grad():
            output = func(*replaced(arguments, numbers, structure, inner), **options)
        output, aux = parted(output, has_aux, "grad_and_value(f)(*args)")
        output = scalar(output)
        connected = needs_graph(inner, [output])
        if output.spec.requires_grad:
            found = engine.grad(output, inner, create_graph=connected, retain_graph=True, allow_unused=True,
                                materialize_grads=True)
        else:
            found = tuple(of_array(np.zeros(x.spec.shape, x.spec.dtype.numpy)) for x in tensors)
        gradient = structure.unflatten(list(found))
        if isinstance(argnums, int):
            gradient = gradient[0]
        value = left(output, connected)
        return gradient, ((value, left(aux, connected)) if has_aux else value)
    return stating(transformed, "grad_and_value", func, argnums, has_aux)


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of `func` with respect to the arguments `argnums`; with `has_aux` also what else
    `func` returns.

    >>> import tapediff as td
    >>> cosine = td.func.grad(td.sin)
    >>> cosine(td.tensor(0.)), td.func.grad(cosine)(td.tensor(td.pi / 2))
    (tensor(1.), tensor(-1.))
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def transformed(*arguments: Any, **options: Any) -> Any:
        gradient, value = both(*arguments, **options)
        return (gradient, value[1]) if has_aux else gradient
    return stating(transformed, "grad", func, argnums, has_aux)


def tensors_of(value: Any, who: str) -> tuple[list[Tensor], Structure]:
    """The leaves of a result, which must be tensors.

    Raises
        RuntimeError: one is not.
    """
    leaves, structure = flatten(value)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"{who}: expected f to only return tensors, got type {type(leaf)}")
    if not leaves:
        raise RuntimeError(f"{who}: expected f to return at least one tensor, got {value!r}")
    return leaves, structure


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The result of `func(*primals)`, and a function from cotangents, nested as the result, to the tuple of the vector-Jacobian
    products by the primals. It may be called again and again: what its `retain_graph` and `create_graph` ask for in PyTorch is
    always so.

    >>> import tapediff as td
    >>> value, pullback = td.func.vjp(td.sin, td.tensor([0., 1.]))
    >>> pullback(td.tensor([1., 0.]))
    (tensor([1., 0.]),)
    """
    tensors, structure, numbers = selected(tuple(range(len(primals))), primals, "vjp")
    recording.close()
    inner = [entered(x) for x in tensors]
    with enable_grad():
        result = func(*replaced(primals, numbers, structure, inner))
    result, aux = parted(result, has_aux, "vjp(f, *primals)")
    outputs, out_structure = tensors_of(result, "vjp(f, *primals)")
    connected = needs_graph(inner, outputs)

    def pullback(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        """The products with the cotangents."""
        vectors, nest = flatten(cotangents)
        if nest != out_structure:
            raise RuntimeError("Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                               "function. "
                               f"cotangents: {nest}, primal output: {out_structure}")
        pairs = [(y, v) for y, v in zip(outputs, vectors, strict=True) if y.spec.requires_grad]
        if not pairs:
            found: tuple[Any, ...] = tuple(of_array(np.zeros(x.spec.shape, x.spec.dtype.numpy)) for x in tensors)
        else:
            is_wanted = connected or (modes.grad_enabled and any(v.spec.requires_grad for _, v in pairs))
            found = engine.grad([y for y, _ in pairs], inner, [v for _, v in pairs], create_graph=is_wanted, retain_graph=True,
                                allow_unused=True, materialize_grads=True)
        return structure.unflatten(list(found))

    value = left(result, connected)
    return (value, pullback, left(aux, connected)) if has_aux else (value, pullback)


def jvp(func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, strict: bool = False,
        has_aux: bool = False) -> Any:
    """The result of `func(*primals)`, and the product of its Jacobian with the tangents, nested as the primals.

    strict  refuse a result that does not depend on the primals

    The product is the transpose of the vector-Jacobian product, which is linear in its vector.

    >>> import tapediff as td
    >>> td.func.jvp(td.sin, (td.tensor(0.),), (td.tensor(2.),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call "
                           "f(*primals). "
                           f"Got {type(primals).__name__}")
    leaves, nest = flatten(tangents)
    tensors, structure, numbers = selected(tuple(range(len(primals))), primals, "jvp")
    if nest != structure:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. For "
                           "example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with structure "
                           f"{structure} and tangents with structure {nest}")
    is_outer = recording.is_traced() or flows_in((*tensors, *leaves))
    recording.close()
    inner = [entered(x) for x in tensors]
    with enable_grad():
        result = func(*replaced(primals, numbers, structure, inner))
        result, aux = parted(result, has_aux, "jvp(f, primals, tangents)")
        outputs, out_structure = tensors_of(result, "jvp(f, primals, tangents)")
        if strict and not all(y.spec.requires_grad for y in outputs):
            raise RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is "
                               "not allowed with strict=True.")
        connected = is_outer or needs_graph(inner, outputs)
        pushed: list[Any] = []
        known = [y for y in outputs if y.spec.requires_grad]
        if known:
            units = [of_array(np.ones(y.spec.shape, y.spec.dtype.numpy), requires_grad=True) for y in known]
            products = engine.grad(known, inner, units, create_graph=True, allow_unused=True, materialize_grads=True)
            used = [(product, tangent) for product, tangent in zip(products, leaves, strict=True) if product.spec.requires_grad]
            pushed = [None] * len(units)
            if used:
                pushed = list(engine.grad([p for p, _ in used], units, [t for _, t in used], create_graph=connected,
                                          allow_unused=True, materialize_grads=True))
    moved = []
    for y in outputs:
        product = pushed.pop(0) if y.spec.requires_grad else None
        moved.append(of_array(np.zeros(y.spec.shape, y.spec.dtype.numpy)) if product is None else product)
    value, product = left(result, connected), out_structure.unflatten(moved)
    return (value, product, left(aux, connected)) if has_aux else (value, product)
