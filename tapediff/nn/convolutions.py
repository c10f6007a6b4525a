"""Convolutions over one, two and three dimensions, and their transposes."""

from __future__ import annotations

from typing import Any

from tapediff.functions.registry import check_tensor
from tapediff.nn.padding import pad
from tapediff.nn.sliding import numbers
from tapediff.ops.sliding import outputs
from tapediff.ops.structural import STRUCTURAL
from tapediff.recording import structural
from tapediff.tensor import Tensor

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]

Shape = tuple[int, ...]


def check_operands(name: str, input: Tensor, weight: Tensor, bias: Tensor | None, sliding: int) -> None:
    """Refuse what is no tensor, and an input that has neither the dimensions of a sample nor those of several."""
    check_tensor(input, name)
    check_tensor(weight, name, "weight", 2)
    if bias is not None:
        check_tensor(bias, name, "bias", 3)
    if input.spec.ndim not in (sliding + 1, sliding + 2):
        raise RuntimeError(f"Expected {sliding + 1}D (unbatched) or {sliding + 2}D (batched) input to {name}, but got input of "
                           f"size: {list(input.spec.shape)}")


def check_windows(stride: Shape, padding: Shape, dilation: Shape, groups: int) -> None:
    """Refuse steps, paddings and groups that mean nothing."""
    for is_wrong, complaint in ((min(padding) < 0, "negative padding"), (min(stride) < 1, "non-positive stride"),
                                (min(dilation) < 1, "non-positive dilation"), (groups < 1, "non-positive groups")):
        if is_wrong:
            raise RuntimeError(f"{complaint} is not supported")


def check_fit(input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, sliding: int, transposed: bool) -> None:
    """Refuse channels, ranks and dtypes of input, weight and bias that do not fit each other."""
    a, w = input.spec, weight.spec
    if w.ndim != sliding + 2:
        raise RuntimeError(f"Expected {sliding + 2}-dimensional weight for a convolution over {sliding} dimensions, but got "
                           f"weight of size {list(w.shape)}")
    if w.shape[0] % groups:
        raise RuntimeError(f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got "
                           f"weight of size [{list(w.shape)}] instead")
    channels = w.shape[0] if transposed else w.shape[1] * groups
    if a.shape[1] != channels:
        given = f"transposed={int(transposed)}" if transposed else f"groups={groups}"
        raise RuntimeError(f"Given {given}, weight of size {list(w.shape)}, expected input{list(a.shape)} to have {channels} "
                           f"channels, but got {a.shape[1]} channels instead")
    if bias is not None:
        wanted = w.shape[1] * groups if transposed else w.shape[0]
        if bias.spec.shape != (wanted,):
            kind = f"transposed={int(transposed)}, weight" if transposed else "weight"
            raise RuntimeError(f"Given {kind} of size {list(w.shape)}, expected bias to be 1-dimensional with {wanted} "
                               f"elements, but got bias of size {list(bias.spec.shape)} instead")
        if bias.spec.dtype is not a.dtype:
            raise RuntimeError(f"Input type ({a.dtype.legacy.lower()}) and bias type ({bias.spec.dtype.legacy.lower()}) "
                               "should be the same")
    if a.dtype is not w.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.legacy} but found {w.dtype.legacy}: the input and the weight of a "
                           "convolution have one dtype")


def same_ends(kernel: Shape, dilation: Shape) -> list[tuple[int, int]]:
    """How much is added before and after each dimension so that there are as many windows as elements."""
    totals = [apart * (length - 1) for length, apart in zip(kernel, dilation)]
    return [(total // 2, total - total // 2) for total in totals]


def convolution(name: str, sliding: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any,
                dilation: Any, groups: int) -> Tensor:
    """A convolution over the last `sliding` dimensions."""
    check_operands(name, input, weight, bias, sliding)
    is_single = input.spec.ndim == sliding + 1
    x = input.unsqueeze(0) if is_single else input
    stride, dilation = numbers(stride, sliding, "stride"), numbers(dilation, sliding, "dilation")
    kernel = weight.spec.shape[2:]
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        ends = same_ends(kernel, dilation) if padding == "same" else [(0, 0)] * sliding
        if padding == "same" and max(stride) > 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        padding = tuple(before for before, _ in ends)
        if any(before != after for before, after in ends):
            x = pad(x, [end for before, after in reversed(ends) for end in (0, after - before)])
    else:
        padding = numbers(padding, sliding, "padding")
    check_windows(stride, padding, dilation, groups)
    check_fit(x, weight, bias, groups, sliding, False)
    geometry = (x.spec.shape[2:], kernel, stride, padding, dilation)
    if min(outputs(geometry)) < 1:
        room = " x ".join(str(size + 2 * before) for size, before in zip(geometry[0], padding))
        reach = " x ".join(str(apart * (length - 1) + 1) for length, apart in zip(kernel, dilation))
        raise RuntimeError(f"Calculated padded input size per channel: ({room}). Kernel size: ({reach}). Kernel size can't be "
                           "greater than actual input size")
    operands = (x, weight) if bias is None else (x, weight, bias)
    made: Tensor = structural(STRUCTURAL["convolution"], (geometry, groups), *operands)
    return made.squeeze(0) if is_single else made


def transposed(name: str, sliding: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any,
               output_padding: Any, groups: int, dilation: Any) -> Tensor:
    """The transpose of a convolution over the last `sliding` dimensions."""
    check_operands(name, input, weight, bias, sliding)
    is_single = input.spec.ndim == sliding + 1
    x = input.unsqueeze(0) if is_single else input
    stride, dilation = numbers(stride, sliding, "stride"), numbers(dilation, sliding, "dilation")
    padding, extra = numbers(padding, sliding, "padding"), numbers(output_padding, sliding, "output_padding")
    check_windows(stride, padding, dilation, groups)
    check_fit(x, weight, bias, groups, sliding, True)
    if any(more >= max(step, apart) for more, step, apart in zip(extra, stride, dilation)):
        raise RuntimeError("output padding must be smaller than either stride or dilation, but got "
                           f"output_padding={extra}, stride={stride}, dilation={dilation}")
    kernel = weight.spec.shape[2:]
    sizes = tuple((count - 1) * step - 2 * before + apart * (length - 1) + more + 1 for count, step, before, apart, length, more
                  in zip(x.spec.shape[2:], stride, padding, dilation, kernel, extra))
    if min(sizes) < 1:
        raise RuntimeError(f"Given input size per channel: {x.spec.shape[2:]}. Calculated output size per channel: {sizes}. "
                           "Output size is too small")
    operands = (x, weight) if bias is None else (x, weight, bias)
    geometry = (sizes, kernel, stride, padding, dilation)
    made: Tensor = structural(STRUCTURAL["convolution_transpose"], (geometry, groups), *operands)
    return made.squeeze(0) if is_single else made


def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1) -> Tensor:
    """Kernels sliding over (N, C, L) or (C, L): for each one the products with what is under it, added up.

    weight   (F, C / groups, kernel size)
    padding  zeros at both ends; "same" for as many results as elements, "valid" for none

    >>> import tapediff as td
    >>> conv1d(td.tensor([[1., 2., 4.]]), td.tensor([[[1., -1.]]]))
    tensor([[-1., -2.]])
    """
    return convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1) -> Tensor:
    """Kernels sliding over (N, C, H, W) or (C, H, W): for each one the products with what is under it, added up.

    weight   (F, C / groups, kernel height, kernel width)
    padding  zeros at all sides; "same" for as many results as elements, "valid" for none

    >>> import tapediff as td
    >>> conv2d(td.arange(9.).reshape(1, 3, 3), td.ones(1, 1, 2, 2))
    tensor([[[ 8., 12.],
             [20., 24.]]])
    """
    return convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
           groups: int = 1) -> Tensor:
    """`conv2d` with one dimension more.

    >>> import tapediff as td
    >>> conv3d(td.ones(1, 1, 2, 2, 2), td.ones(1, 1, 2, 2, 2)).item()
    8.0
    """
    return convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                     output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Tensor:
    """The transpose of `conv1d` by its input: kernels times elements, added up where they lie.

    weight  (C, F / groups, kernel size)

    >>> import tapediff as td
    >>> conv_transpose1d(td.tensor([[1., 2.]]), td.tensor([[[1., 10.]]]))
    tensor([[ 1., 12., 20.]])
    """
    return transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                     output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Tensor:
    """The transpose of `conv2d` by its input: kernels times elements, added up where they lie.

    weight  (C, F / groups, kernel height, kernel width)
    """
    return transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                     output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Tensor:
    """The transpose of `conv3d` by its input."""
    return transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)
