"""Products with Jacobians and Hessians, and the matrices themselves, of functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapediff.autograd.engine import grad
from tapediff.grad_modes import enable_grad
from tapediff.tensor import Tensor, of_array

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Tensor, ...]


def _tensors(value: Any, what: str, name: str) -> tuple[bool, Tensors]:
    """Whether several were given, and all of them as a tuple."""
    if isinstance(value, Tensor):
        return False, (value,)
    if not isinstance(value, tuple):
        raise TypeError(
            f"The {what} must be either a Tensor or a tuple of Tensors but the given {what.split()[0]} has type {type(value)}: "
            f"{name} takes "
            "func, then the inputs as one tensor or a tuple"
        )
    for position, one in enumerate(value):
        if not isinstance(one, Tensor):
            raise TypeError(
                f"The {what} must be either a Tensor or a tuple of Tensors but the value at index {position} of {name} has type "
                f"{type(one)}."
            )
    return True, value


def _inputs(inputs: Tensors, create_graph: bool) -> Tensors:
    """Tensors to differentiate by: those given where the result is to be differentiable, else leaves of their own."""
    if create_graph:
        return tuple(x.view_as(x) if x.requires_grad else x.detach().clone().requires_grad_() for x in inputs)
    return tuple(x.detach().requires_grad_() for x in inputs)


def _called(func: Callable[..., Any], inputs: Tensors, name: str, strict: bool) -> tuple[bool, Tensors]:
    """What func returns."""
    is_several, outputs = _tensors(func(*inputs), f"outputs of the user-provided function given to {name}", name)
    for number, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"Output {number} of the user-provided function does not require gradients. The outputs must be computed in a "
                "differentiable manner from the input when running in strict mode."
            )
    return is_several, outputs


def _vectors(v: Any, like: Tensors, is_several: bool, name: str, who: str) -> Tensors:
    """The weights, checked; ones where they may be left out."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if {who}: pass v, in the shape of what it is multiplied with")
        return (of_array(np.ones(like[0].spec.shape, like[0].spec.dtype.numpy)),)
    vectors = _tensors(v, "v", name)[1]
    if len(vectors) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.")
    for position, (one, wanted) in enumerate(zip(vectors, like, strict=True)):
        if one.spec.shape != wanted.spec.shape:
            where = f"Entry {position} in v" if is_several else "v"
            raise RuntimeError(f"{where} has invalid size: should be {wanted.shape} but got {one.shape}.")
    return vectors


def _derived(
    outputs: Sequence[Any], inputs: Tensors, weights: Sequence[Any], create_graph: bool, strict: bool, what: str
) -> Tensors:
    """The gradients of those outputs that depend on something; zeros where an input is not used."""
    pairs = [(y, w) for y, w in zip(outputs, weights, strict=True) if y is not None and y.requires_grad]
    found: tuple[Any, ...] = (None,) * len(inputs)
    if pairs:
        found = grad(
            [y for y, _ in pairs], inputs, [w for _, w in pairs], retain_graph=True, create_graph=create_graph, allow_unused=True
        )
    out = []
    for position, (one, x) in enumerate(zip(found, inputs, strict=True)):
        if one is None:
            if strict:
                raise RuntimeError(f"{what} is independent of input {position}. This is not allowed in strict mode.")
            one = of_array(np.zeros(x.spec.shape, x.spec.dtype.numpy))
        elif strict and create_graph and not one.requires_grad:
            raise RuntimeError(
                f"The jacobian of {what[0].lower()}{what[1:]} is independent of input {position}. This is not allowed in strict "
                "mode when create_graph=True."
            )
        out.append(one)
    return tuple(out)


def _shown(values: Tensors, is_several: bool, create_graph: bool) -> Any:
    """One tensor or several, cut from the graph unless it is wanted."""
    made = values if create_graph else tuple(one.detach() for one in values)
    return made if is_several else made[0]


_OUTPUT = "The output of the user-provided function"


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs of func, and the product of the vector `v` with its Jacobian.

    >>> import tapediff as td
    >>> vjp(lambda x: x * x, td.tensor([1., 2.]), td.tensor([1., 10.]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        is_several, given = _tensors(inputs, "inputs given to vjp", "vjp")
        given = _inputs(given, create_graph)
        returns_several, outputs = _called(func, given, "vjp", strict)
        weights = _vectors(
            v, outputs, returns_several, "vjp", "the user-provided function returns a single Tensor with a single element"
        )
        found = _derived(outputs, given, weights, create_graph, strict, _OUTPUT)
    return _shown(outputs, returns_several, create_graph), _shown(found, is_several, create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs of func, and the product of its Jacobian with the vector `v`.

    >>> import tapediff as td
    >>> jvp(lambda x: x * x, td.tensor([1., 2.]), td.tensor([1., 10.]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        is_several, given = _tensors(inputs, "inputs given to jvp", "jvp")
        given = _inputs(given, create_graph)
        vectors = _vectors(
            v, given, is_several, "jvp", "the input to the user-provided function is a single Tensor with a single element"
        )
        returns_several, outputs = _called(func, given, "jvp", strict)
        # a product with a Jacobian from the left is linear in its weights: the gradient by them is a product from the right
        weights = tuple(of_array(np.ones(y.spec.shape, y.spec.dtype.numpy), True) for y in outputs)
        left = _derived(outputs, given, weights, True, strict, _OUTPUT)
        found = _derived(left, weights, vectors, create_graph, False, _OUTPUT)
    return _shown(outputs, returns_several, create_graph), _shown(found, returns_several, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for every output and every input a tensor of the output's shape followed by the input's.

    vectorize and strategy are accepted; the rows are computed by one reverse pass each.

    >>> import tapediff as td
    >>> jacobian(lambda x: x * x, td.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            f'Expected strategy to be either "forward-mode" or "reverse-mode", got {strategy!r}. Hint: If your function has '
            "more outputs "
            'than inputs, "forward-mode" tends to be more performant.'
        )
    from tapediff.functions import FUNCTIONS

    with enable_grad():
        is_several, given = _tensors(inputs, "inputs given to jacobian", "jacobian")
        given = _inputs(given, create_graph)
        returns_several, outputs = _called(func, given, "jacobian", strict)
        rows = []
        for number, y in enumerate(outputs):
            flat = y.reshape(-1)
            what = f"Output {number} of the user-provided function"
            found = [_derived((flat[place],), given, (None,), create_graph, strict, what) for place in range(y.numel())]
            rows.append(
                tuple(
                    FUNCTIONS["stack"]([row[position] for row in found]).reshape((*y.spec.shape, *x.spec.shape))
                    if found
                    else of_array(np.zeros((*y.spec.shape, *x.spec.shape), x.spec.dtype.numpy))
                    for position, x in enumerate(given)
                )
            )
    made = tuple(_shown(row, is_several, create_graph) for row in rows)
    return made if returns_several else made[0]


def _scalar(func: Callable[..., Any], name: str) -> Callable[..., Any]:
    """func, refusing to return anything but one tensor of one element."""

    def call(*inputs: Any) -> Any:
        y = func(*inputs)
        if not isinstance(y, Tensor):
            raise RuntimeError(f"The function given to {name} should return a single Tensor: got {type(y).__name__}")
        if y.numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {name} should contain a single element: got shape {list(y.shape)}"
            )
        return y.reshape(())

    return call


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function of one element: for every pair of inputs a tensor of the first one's shape followed by the
    second one's.

    >>> import tapediff as td
    >>> hessian(lambda x: (x ** 3).sum(), td.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    is_several = _tensors(inputs, "inputs given to hessian", "hessian")[0]
    scalar = _scalar(func, "hessian")

    def gradient(*given: Tensor) -> Any:
        found = _derived((scalar(*given),), given, (None,), True, strict, _OUTPUT)
        return found if is_several else found[0]

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of func, of one element, and the product of the vector `v` with its Hessian.

    >>> import tapediff as td
    >>> vhp(lambda x: (x ** 3).sum(), td.tensor([1., 2.]), td.tensor([1., 1.]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "vhp")


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of func, of one element, and the product of its Hessian with the vector `v`; the same as `vhp`, as a Hessian is
    symmetric.

    >>> import tapediff as td
    >>> hvp(lambda x: (x ** 3).sum(), td.tensor([1., 2.]), td.tensor([1., 1.]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "hvp")


def _hessian_product(
    func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool, name: str
) -> tuple[Any, Any]:
    with enable_grad():
        is_several, given = _tensors(inputs, f"inputs given to {name}", name)
        given = _inputs(given, create_graph)
        vectors = _vectors(
            v, given, is_several, name, "the input to the user-provided function is a single Tensor with a single element"
        )
        value = _scalar(func, name)(*given)
        first = _derived((value,), given, (None,), True, strict, _OUTPUT)
        found = _derived(first, given, vectors, create_graph, strict, "The jacobian of the user-provided function")
    return _shown((value,), False, create_graph), _shown(found, is_several, create_graph)
