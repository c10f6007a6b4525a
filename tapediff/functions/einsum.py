"""einsum and its relatives: sums of products over named indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapediff.functions.elementwise import refuse_out
from tapediff.functions.products import check_not_bool, check_same_dtype, viewed
from tapediff.functions.registry import check_tensor, function
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import elementwise, structural
from tapediff.shapes import contiguous_strides, normalize_dim
from tapediff.tensor import Tensor

__all__ = ["einsum", "inner", "tensordot"]

Indices = tuple[int, ...]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ELLIPSIS = -1  # stands for the indices of an ellipsis until the ranks are known
FIRST_OF_ELLIPSIS = len(LETTERS)


@function(method=False)
def einsum(equation: Any, *operands: Any) -> Tensor:
    """The sum of products that an equation of indices says: ``einsum("ij,jk->ik", a, b)`` is ``a @ b``.

    An index in the result is kept, every other index is summed over. Without ``->`` the result has the indices that occur once,
    in alphabetical order.
    ``...`` stands for further dimensions, which broadcast. The sublist form ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` says the
    same without letters.

    >>> import tapediff as td
    >>> a = td.tensor([[1., 2.], [3., 4.]])
    >>> td.einsum("ij,jk->ik", a, a), td.einsum("ii", a)
    (tensor([[ 7., 10.],
            [15., 22.]]), tensor(5.))
    """
    if isinstance(equation, Tensor):
        inputs, result, operands = from_sublists((equation, *operands))
    else:
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = tuple(operands[0])
        if not isinstance(equation, str) or not operands:
            raise ValueError("einsum(): must specify the equation string and at least one operand, or at least one operand and "
                             "its subscripts list")
        inputs, result = parsed(equation)
    for position, operand in enumerate(operands):
        check_tensor(operand, "einsum", "operands", position + 1)
    if len(inputs) != len(operands):
        word = "fewer" if len(operands) < len(inputs) else "more"
        raise RuntimeError(f"einsum(): {word} operands were provided than specified in the equation: {len(operands)} operands, "
                           f"{len(inputs)} lists of subscripts")
    names = [with_ellipsis(list(listed), operand, position) for position, (listed, operand) in enumerate(zip(inputs, operands))]
    rank = max((index - FIRST_OF_ELLIPSIS + 1 for listed in names for index in listed), default=0)
    return contraction(names, list(operands), resulting(names, inputs, result, max(rank, 0)))


# --- the equation ---------------------------------------------------------------------------------------------------------------

def parsed(equation: str) -> tuple[list[Indices], Indices | None]:
    """The indices of each operand and of the result, which is None where the equation does not say.

    >>> parsed("ab,b->a")
    ([(26, 27), (27,)], (26,))
    """
    left, arrow, right = equation.partition("->")
    inputs = [subscripts(part, f"operand {position}") for position, part in enumerate(left.split(","))]
    return inputs, subscripts(right, "the output") if arrow else None


def subscripts(text: str, owner: str) -> Indices:
    """The indices that letters and an ellipsis stand for."""
    found: list[int] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if text.startswith("...", position):
            if ELLIPSIS in found:
                raise RuntimeError(f"einsum(): found '.' for {owner} for which an ellipsis was already found")
            found.append(ELLIPSIS)
            position += 2
        elif letter == ".":
            raise RuntimeError(f"einsum(): found '.' for {owner} that is not part of any ellipsis")
        elif letter in LETTERS:
            found.append(LETTERS.index(letter))
        elif letter != " ":
            raise RuntimeError(f"einsum(): invalid subscript given at index {position} in the equation string, subscripts must "
                               "be in [a-zA-Z]")
        position += 1
    return tuple(found)


def from_sublists(arguments: tuple[Any, ...]) -> tuple[list[Indices], Indices | None, tuple[Any, ...]]:
    """Indices and operands of the form ``einsum(a, [0, 1], b, [1, 2], [0, 2])``."""
    result = None
    if len(arguments) % 2:
        *rest, last = arguments
        arguments, result = tuple(rest), sublist(last)
    return [sublist(listed) for listed in arguments[1::2]], result, arguments[::2]


def sublist(listed: Any) -> Indices:
    """Numbers and an Ellipsis as indices."""
    found = []
    for index in listed:
        if index is not Ellipsis and not 0 <= index < len(LETTERS):
            raise RuntimeError(f"einsum(): expected subscripts to be within the range [0, 52), but got {index}")
        found.append(ELLIPSIS if index is Ellipsis else int(index))
    return tuple(found)


def with_ellipsis(listed: list[int], operand: Tensor, position: int) -> list[int]:
    """The indices of an operand, one per dimension; those of an ellipsis are counted from the last."""
    ndim = operand.spec.ndim
    covered = ndim - (len(listed) - 1 if ELLIPSIS in listed else len(listed))
    if covered < 0 or (covered and ELLIPSIS not in listed):
        count = len(listed) - (ELLIPSIS in listed)
        reason = "is more than the number of dimensions" if ELLIPSIS in listed else "does not match the number of dimensions"
        raise RuntimeError(f"einsum(): the number of subscripts in the equation ({count}) {reason} ({ndim}) for operand "
                           f"{position}"
                           + ("" if ELLIPSIS in listed else " and no ellipsis was given"))
    if ELLIPSIS in listed:
        place = listed.index(ELLIPSIS)
        listed[place : place + 1] = range(FIRST_OF_ELLIPSIS + covered - 1, FIRST_OF_ELLIPSIS - 1, -1)
    return listed


def resulting(names: list[list[int]], inputs: Sequence[Indices], result: Indices | None, rank: int) -> Indices:
    """The indices of the result."""
    ellipsis = tuple(range(FIRST_OF_ELLIPSIS + rank - 1, FIRST_OF_ELLIPSIS - 1, -1))
    if result is None:
        counts = [index for listed in inputs for index in listed if index != ELLIPSIS]
        return ellipsis + tuple(sorted(index for index in set(counts) if counts.count(index) == 1))
    out: list[int] = []
    known = {index for listed in names for index in listed}
    for index in result:
        if index == ELLIPSIS:
            out.extend(ellipsis)
            continue
        letter = LETTERS[index]
        if index in out:
            raise RuntimeError(f"einsum(): output subscript {letter} appears more than once in the output")
        if index not in known:
            raise RuntimeError(f"einsum(): output subscript {letter} does not appear in the equation for any input operand")
        out.append(index)
    return tuple(out)


# --- recording ------------------------------------------------------------------------------------------------------------------

def contraction(names: list[list[int]], operands: list[Any], result: Indices) -> Tensor:
    """Record the sum of products; `names` has one index per dimension, -1 nowhere."""
    sizes = index_sizes(names, operands)
    pairs = [plain_operand(listed, operand, position, sizes) for position, (listed, operand) in enumerate(zip(names, operands))]
    everywhere = [set(listed) for listed, _ in pairs]
    for position, (listed, operand) in enumerate(pairs):
        others = set(result).union(*(found for place, found in enumerate(everywhere) if place != position))
        pairs[position] = summed(listed, operand, others)
    missing = [index for index in result if not any(index in listed for listed, _ in pairs)]
    if len(pairs) == 1:
        listed, operand = pairs[0]
        is_sum = operand.spec.ndim < len(set(names[0])) and listed == result
        return operand if is_sum else permuted(listed, operand, result)
    specs = [operand.spec for _, operand in pairs]
    for spec in specs[1:]:
        check_same_dtype(specs[0], spec)
    assert not missing
    if len(pairs) == 2 and set(pairs[0][0]) | set(pairs[1][0]) == set(result):
        return elementwise(ROWS["mul"], *(aligned(listed, operand, result) for listed, operand in pairs))
    check_not_bool("baddbmm_with_gemm", specs[0])
    return structural(STRUCTURAL["einsum"], (tuple(listed for listed, _ in pairs), result), *(operand for _, operand in pairs))


def index_sizes(names: list[list[int]], operands: list[Any]) -> dict[int, int]:
    """The size of each index: operands agree, or have size 1."""
    sizes: dict[int, int] = {}
    for position, (listed, operand) in enumerate(zip(names, operands)):
        own: dict[int, int] = {}
        for index, size in zip(listed, operand.spec.shape):
            if own.setdefault(index, size) != size:
                raise RuntimeError(f"einsum(): subscript {LETTERS[index]} is repeated for operand {position} but the sizes "
                                   f"don't match, {size} != {own[index]}")
            known = sizes.get(index, 1)
            if size not in (1, known) and known != 1:
                what = (f"subscript {LETTERS[index]} has size {size} for operand {position} which does not broadcast with "
                        f"previously seen size {known}"
                        if index < FIRST_OF_ELLIPSIS else
                        f"dimension {index - FIRST_OF_ELLIPSIS} covered by ellipsis in operand {position}has size {size} which "
                        "does not broadcast with "
                        f"previously seen ellipsis with size {known} for the respective dimension")
                raise RuntimeError(f"einsum(): {what}")
            sizes[index] = size if known == 1 else known
    return sizes


def plain_operand(listed: list[int], operand: Any, position: int, sizes: dict[int, int]) -> tuple[Indices, Any]:
    """An operand that has each index once, and none of size 1 that is larger elsewhere."""
    shape, strides = operand.spec.shape, contiguous_strides(operand.spec.shape)
    kept: dict[int, tuple[int, int]] = {}
    for index, size, stride in zip(listed, shape, strides):
        if size == sizes[index]:
            kept[index] = (size, kept[index][1] + stride if index in kept else stride)
    if len(kept) == len(listed):
        return tuple(listed), operand
    attributes = (tuple(size for size, _ in kept.values()), tuple(stride for _, stride in kept.values()), 0)
    return tuple(kept), structural(STRUCTURAL["diagonal"], attributes, operand)


def summed(listed: Indices, operand: Any, wanted: set[int]) -> tuple[Indices, Any]:
    """An operand summed over the indices that neither another operand nor the result has."""
    dims = tuple(dim for dim, index in enumerate(listed) if index not in wanted)
    if not dims:
        return listed, operand
    return tuple(index for index in listed if index in wanted), structural(STRUCTURAL["sum_dim"], (dims, False), operand)


def permuted(listed: Indices, operand: Any, result: Indices) -> Any:
    """An operand with its dimensions in the order of the result."""
    shape, strides = operand.spec.shape, contiguous_strides(operand.spec.shape)
    order = [listed.index(index) for index in result]
    return structural(STRUCTURAL["permute"], (tuple(shape[dim] for dim in order), tuple(strides[dim] for dim in order), 0),
                      operand)


def aligned(listed: Indices, operand: Any, result: Indices) -> Any:
    """An operand in the order of the result, with size 1 for the indices that it lacks."""
    own = tuple(index for index in result if index in listed)
    if own != listed:
        operand = permuted(listed, operand, own)
    sizes = dict(zip(own, operand.spec.shape))
    shape = tuple(sizes.get(index, 1) for index in result)
    return operand if operand.spec.shape == shape else viewed(operand, shape)


# --- relatives ------------------------------------------------------------------------------------------------------------------

@function(method=False)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: None = None) -> Tensor:
    """The sum of products over the last `dims` dimensions of `a` and the first of `b`, or over two lists of dimensions.

    >>> import tapediff as td
    >>> a = td.tensor([[1., 2.], [3., 4.]])
    >>> td.tensordot(a, a, dims=1), td.tensordot(a, a, dims=([0, 1], [0, 1]))
    (tensor([[ 7., 10.],
            [15., 22.]]), tensor(30.))
    """
    check_tensor(a, "tensordot", "a")
    check_tensor(b, "tensordot", "b", 2)
    refuse_out("tensordot", out)
    first, second = contracted_dims(dims, a.spec.ndim, b.spec.ndim)
    for i, j in zip(first, second):
        n, m = a.spec.shape[i], b.spec.shape[j]
        if n != m and n != 1 and m != 1:
            raise RuntimeError(f"contracted dimensions need to match, but first has size {n} in dim {i} and second has size "
                               f"{m} in dim {j}: "
                               f"tensordot got shapes {list(a.spec.shape)} and {list(b.spec.shape)}")
    ndim = a.spec.ndim
    left = list(range(ndim))
    right = [ndim + dim for dim in range(b.spec.ndim)]
    for i, j in zip(first, second):
        right[j] = left[i]
    joined = set(left) & set(right)
    result = tuple(index for index in left + right if index not in joined)
    return viewed_product(contraction([left, right], [a, b], result))


def viewed_product(product: Any) -> Tensor:
    """A product that PyTorch ends with a view, under that name."""
    return product if product.spec.shape == () else viewed(product, product.spec.shape)


def contracted_dims(dims: Any, a_ndim: int, b_ndim: int) -> tuple[list[int], list[int]]:
    """The dimensions of both operands that tensordot sums over, counted from the front."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a_ndim, b_ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return list(range(a_ndim - dims, a_ndim)), list(range(dims))
    first, second = ([each] if isinstance(each, int) else list(each) for each in dims)
    if len(first) != len(second):
        raise RuntimeError(f"both dimension lists should have same length: tensordot got {first} and {second}")

    return [normalize_dim(dim, a_ndim) for dim in first], [normalize_dim(dim, b_ndim) for dim in second]


@function()
def inner(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The sums of products over the last dimension of both.

    >>> import tapediff as td
    >>> td.inner(td.tensor([[1., 2.], [3., 4.]]), td.tensor([1., 10.]))
    tensor([21., 43.])
    """
    check_tensor(input, "inner")
    check_tensor(other, "inner", "other", 2)
    refuse_out("inner", out)
    a, b = input.spec, other.spec
    if not a.ndim or not b.ndim:
        return elementwise(ROWS["mul"], input, other)
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError("inner() the last dimension must match on both input tensors but got shapes "
                           f"{list(a.shape)} and {list(b.shape)}")
    return tensordot(input, other, dims=([-1], [-1]))
