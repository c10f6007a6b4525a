"""Reductions that add, multiply, average and count: functions that fold dimensions."""

from __future__ import annotations

import warnings
from typing import Any

from tapediff import dtypes
from tapediff.functions.arguments import all_dims, converted, numpy_names, one_dim, several_dims, summable
from tapediff.functions.registry import check_tensor, function
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import cast, elementwise, structural
from tapediff.shapes import normalize_dims
from tapediff.tensor import Tensor

__all__ = [
    "all", "any", "count_nonzero", "logsumexp", "mean", "nanmean", "nansum", "prod", "std", "std_mean", "sum", "trace", "var",
    "var_mean",
]

MISSING: Any = object()  # where an argument that is left out means another form than None does


@function()
@numpy_names
def sum(input: Tensor, dim: Any = MISSING, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of all elements, or over the dimensions `dim`; integers and bools add up as int64.

    >>> import tapediff as td
    >>> td.tensor([[1., 2.], [3., 4.]]).sum(dim=0)
    tensor([4., 6.])
    """
    check_tensor(input, "sum")
    input = summable(input, dtype)
    if dim is MISSING and not keepdim:
        return structural(STRUCTURAL["sum"], (all_dims(input), False), input)
    dims = several_dims(None if dim is MISSING else dim, input, "sum")
    return structural(STRUCTURAL["sum_dim"], (dims, bool(keepdim)), input)


@function()
@numpy_names
def mean(input: Tensor, dim: Any = MISSING, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of all elements, or over the dimensions `dim`; integers have to be converted first, or by `dtype`.

    >>> import tapediff as td
    >>> td.tensor([1., 2., 6.]).mean()
    tensor(3.)
    """
    check_tensor(input, "mean")
    input = converted(input, dtype)
    if not input.spec.dtype.is_floating_point:
        which = "Input" if dtype is None else "Optional"
        raise RuntimeError(f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex "
                           f"dtype. Got: {input.dtype.legacy}; convert it first with .float() or pass dtype=torch.float32")
    if dim is MISSING and not keepdim:
        return structural(STRUCTURAL["mean"], (all_dims(input), False), input)
    dims = several_dims(None if dim is MISSING else dim, input, "mean")
    return structural(STRUCTURAL["mean_dim"], (dims, bool(keepdim)), input)


@function()
@numpy_names
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum with nans left out.

    >>> import tapediff as td
    >>> td.tensor([1., float("nan"), 3.]).nansum()
    tensor(4.)
    """
    check_tensor(input, "nansum")
    if not input.spec.dtype.is_floating_point:
        return sum(input, dim, keepdim, dtype=dtype)
    return structural(STRUCTURAL["nansum"], (several_dims(dim, input, "nansum"), bool(keepdim)), converted(input, dtype))


@function()
@numpy_names
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not nan.

    >>> import tapediff as td
    >>> td.tensor([1., float("nan"), 3.]).nanmean()
    tensor(2.)
    """
    check_tensor(input, "nanmean")
    if not input.spec.dtype.is_floating_point:
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype.legacy}; "
                           "convert it first with .float()")
    known = elementwise(ROWS["logical_not"], elementwise(ROWS["isnan"], input))
    return elementwise(ROWS["div"], nansum(input, dim, keepdim, dtype=dtype), sum(known, dim, keepdim))


@function()
@numpy_names
def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or over one dimension; integers and bools multiply as int64.

    Its derivatives are exact where elements are zero, too.

    >>> import tapediff as td
    >>> x = td.tensor([2., 0., 3.], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    check_tensor(input, "prod")
    input = summable(input, dtype)
    if dim is None:
        return structural(STRUCTURAL["prod"], (all_dims(input), False), input)
    dims = normalize_dims(one_dim(dim, input, "prod"), input.spec.ndim)
    return structural(STRUCTURAL["prod_dim"], (dims, bool(keepdim)), input)


# --- spread ---------------------------------------------------------------------------------------------------------------------

def spread_attributes(name: str, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> tuple[Any, ...]:
    """(dims, keepdim, correction) of `var(dim, unbiased, keepdim)`, `var(unbiased)`, `var(dim, correction=..., keepdim=...)`."""
    check_tensor(input, name)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not MISSING:
            raise TypeError(f"{name}() received an invalid combination of arguments: got both unbiased and correction; "
                            "pass correction alone")
        correction = 1 if unbiased else 0
    elif correction is MISSING or correction is None:
        correction = 1
    if not input.spec.dtype.is_floating_point:
        raise RuntimeError(f"std and var only support floating point and complex dtypes: {name} got {input.dtype}; "
                           "convert it first with .float()")
    dims = several_dims(dim, input, name)
    count = 1
    for folded in dims:
        count *= input.spec.shape[folded]
    if count - correction <= 0:
        warnings.warn(f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
                      "(input numel divided by output numel).", UserWarning, stacklevel=4)
    return dims, bool(keepdim), correction


@function()
@numpy_names
def var(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = MISSING) -> Tensor:
    """The variance: squared deviations from the mean, added up, over (number of elements - correction), which is 1 unless given.

    >>> import tapediff as td
    >>> td.tensor([1., 2., 6.]).var(), td.tensor([1., 2., 6.]).var(correction=0)
    (tensor(7.), tensor(4.6667))
    """
    return structural(STRUCTURAL["var"], spread_attributes("var", input, dim, unbiased, keepdim, correction), input)


@function()
@numpy_names
def std(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = MISSING) -> Tensor:
    """The standard deviation: the square root of `var`; where it is 0 its derivative counts as 0.

    >>> import tapediff as td
    >>> td.tensor([[1., 3.], [2., 6.]]).std(dim=1)
    tensor([1.4142, 2.8284])
    """
    return structural(STRUCTURAL["std"], spread_attributes("std", input, dim, unbiased, keepdim, correction), input)


@function(method=False)
@numpy_names
def var_mean(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = MISSING
) -> tuple[Tensor, Tensor]:
    """The variance and the mean.

    >>> import tapediff as td
    >>> td.var_mean(td.tensor([1., 2., 6.]))
    (tensor(7.), tensor(3.))
    """
    attributes = spread_attributes("var_mean", input, dim, unbiased, keepdim, correction)
    average = structural(STRUCTURAL["var_mean_mean"], attributes[:2], input)
    return structural(STRUCTURAL["var_mean_var"], attributes, input), average


@function(method=False)
@numpy_names
def std_mean(
    input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = MISSING
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean.

    >>> import tapediff as td
    >>> td.std_mean(td.tensor([1., 3.]), correction=0)
    (tensor(1.), tensor(2.))
    """
    attributes = spread_attributes("std_mean", input, dim, unbiased, keepdim, correction)
    average = structural(STRUCTURAL["std_mean_mean"], attributes[:2], input)
    return structural(STRUCTURAL["std_mean_std"], attributes, input), average


# --- exponentials, diagonals, truth and counting --------------------------------------------------------------------------------

@function()
@numpy_names
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log(sum(exp(input))) over `dim`, without overflow.

    >>> import tapediff as td
    >>> td.tensor([1000., 1000.]).logsumexp(0)
    tensor(1000.6932)
    """
    check_tensor(input, "logsumexp")
    if not input.spec.dtype.is_floating_point:
        input = cast(input, dtypes.get_default_dtype())
    return structural(STRUCTURAL["logsumexp"], (several_dims(dim, input, "logsumexp"), bool(keepdim)), input)


@function()
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    >>> import tapediff as td
    >>> td.tensor([[1., 2.], [3., 4.]]).trace()
    tensor(5.)
    """
    check_tensor(input, "trace")
    if input.spec.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.spec.ndim}")
    if input.spec.dtype is dtypes.bool_:
        raise NotImplementedError("\"trace\" not implemented for 'Bool': convert it first with .long()")
    return structural(STRUCTURAL["trace"], None, summable(input, None))


def truth(name: str, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """any or all; an empty tuple of dims folds nothing."""
    check_tensor(input, name)
    if isinstance(dim, tuple | list) and not dim:
        return cast(input, dtypes.bool_)
    return structural(STRUCTURAL[name], (several_dims(dim, input, name), bool(keepdim)), input)


@function()
@numpy_names
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is not zero; False of no elements.

    >>> import tapediff as td
    >>> td.tensor([[0., 1.], [0., 0.]]).any(dim=1)
    tensor([ True, False])
    """
    return truth("any", input, dim, keepdim)


@function()
@numpy_names
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether no element is zero; True of no elements.

    >>> import tapediff as td
    >>> td.tensor([[2., 1.], [0., 0.]]).all(dim=1)
    tensor([ True, False])
    """
    return truth("all", input, dim, keepdim)


@function()
@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """The number of elements that are not zero.

    >>> import tapediff as td
    >>> td.tensor([[2., 1.], [0., 3.]]).count_nonzero(dim=0)
    tensor([1, 2])
    """
    check_tensor(input, "count_nonzero")
    return structural(STRUCTURAL["count_nonzero"], (several_dims(dim, input, "count_nonzero"), False), input)
