"""Dropout: elements, channels or activations left out at random while training."""

from __future__ import annotations

import math
from typing import Any

from tapediff.functions.registry import FUNCTIONS, check_tensor
from tapediff.inplace import in_place
from tapediff.ops.elementwise import ELEMENTWISE as ROWS
from tapediff.recording import cast, elementwise
from tapediff.tape.spec import Spec
from tapediff.tensor import Tensor

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def check_probability(p: float) -> None:
    """Refuse what is no probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def kept(shape: tuple[int, ...], spec: Spec, p: float) -> Tensor:
    """1 with probability ``1 - p`` and 0 otherwise, in the dtype of `spec`."""
    is_kept = elementwise(ROWS["ge"], FUNCTIONS["rand"](shape, dtype=spec.dtype), p)
    made: Tensor = cast(is_kept, spec.dtype)
    return made


def dropped(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Tensor:
    """The input times 0 or ``1 / (1 - p)``, drawn in a shape that broadcasts to the input's."""
    check_tensor(input, name)
    check_probability(p)
    if not training or p == 0:
        return input
    if p == 1:
        factors: Any = FUNCTIONS["zeros"](shape, dtype=input.spec.dtype)
    else:
        factors = elementwise(ROWS["div"], kept(shape, input.spec, p), 1 - p)
    if inplace:
        return in_place(lambda x: elementwise(ROWS["mul"], x, factors), input)
    result: Tensor = elementwise(ROWS["mul"], input, factors)
    return result


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element set to zero with probability `p`, and the others divided by ``1 - p``; the tensor itself when not `training`.

    >>> import tapediff as td
    >>> dropout(td.tensor([1., 2.]), training=False)
    tensor([1., 2.])
    """
    check_tensor(input, "dropout")
    return dropped("dropout", input, p, training, inplace, input.spec.shape)


def dropped_channels(name: str, input: Tensor, p: float, training: bool, inplace: bool, spatial: int) -> Tensor:
    """Whole channels set to zero: those of (N, C, ...), or of (C, ...) without a batch."""
    check_tensor(input, name)
    if input.spec.ndim == spatial + 1:
        return dropped_channels(name, input.unsqueeze(0), p, training, inplace, spatial).squeeze(0)
    shape = input.spec.shape
    leading = max(len(shape) - spatial, 0)
    return dropped(name, input, p, training, inplace, shape[:leading] + (1,) * (len(shape) - leading))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each channel of (N, C, L) or (C, L) set to zero with probability `p`, and the others divided by ``1 - p``."""
    if input.spec.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {input.spec.ndim}D input.")
    return dropped_channels("dropout1d", input, p, training, inplace, 1)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each channel of (N, C, H, W) set to zero with probability `p`, and the others divided by ``1 - p``."""
    return dropped_channels("dropout2d", input, p, training, inplace, 2 if input.spec.ndim != 3 else 1)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each channel of (N, C, D, H, W) or (C, D, H, W) set to zero with probability `p`, and the others divided by ``1 - p``."""
    return dropped_channels("dropout3d", input, p, training, inplace, 3)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean 0 and variance 1 behind `selu` (Klambauer et al. 2017): what is dropped takes selu's least value.

    >>> import tapediff as td
    >>> alpha_dropout(td.tensor([1., 2.]))
    tensor([1., 2.])
    """
    check_tensor(input, "alpha_dropout")
    return alpha_dropped(input, p, training, inplace, input.spec.shape)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels, dimension 1 of (N, C, ...).

    >>> import tapediff as td
    >>> feature_alpha_dropout(td.ones(1, 2, 3)).sum()
    tensor(6.)
    """
    check_tensor(input, "feature_alpha_dropout")
    shape = input.spec.shape
    if training and len(shape) < 2:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got shape {list(shape)}")
    return alpha_dropped(input, p, training, inplace, shape[:2] + (1,) * (len(shape) - 2))


def alpha_dropped(input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Tensor:
    """The input with some elements at the least value of selu, moved and scaled; drawn in a shape that broadcasts to its own."""
    check_probability(p)
    if not training or p == 0:
        return input
    if p == 1:
        result: Tensor = elementwise(ROWS["mul"], input, 0.0)
    else:
        least = -1.7580993408473766  # -scale * alpha of selu
        a = 1 / math.sqrt((least * least * p + 1) * (1 - p))
        mask = kept(shape, input.spec, p)
        shift = elementwise(ROWS["mul"], elementwise(ROWS["sub"], 1.0, mask), least * a)
        shift = elementwise(ROWS["sub"], shift, least * a * p)
        result = elementwise(ROWS["add"], elementwise(ROWS["mul"], input, elementwise(ROWS["mul"], mask, a)), shift)
    return input.copy_(result) if inplace else result
