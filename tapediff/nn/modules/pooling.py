"""Pooling, unfold and fold as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapediff.nn import functional as F
from tapediff.nn.modules.applied import Applied
from tapediff.nn.sliding import numbers

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Fold",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "LocalResponseNorm",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Unfold",
]

MAX = "kernel_size stride padding dilation return_indices ceil_mode"
MAX_SHOWN = "kernel_size={kernel_size}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil_mode}"
MEAN = "kernel_size stride padding ceil_mode count_include_pad divisor_override"
MEAN_SHOWN = "kernel_size={kernel_size}, stride={stride}, padding={padding}"
LP = "norm_type kernel_size stride ceil_mode"
LP_SHOWN = "norm_type={norm_type}, kernel_size={kernel_size}, stride={stride}, ceil_mode={ceil_mode}"
WINDOWS_SHOWN = "kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}"


def adjoining(settings: dict[str, Any]) -> None:
    """Windows without a stride are as far apart as they are long."""
    if settings["stride"] is None:
        settings["stride"] = settings["kernel_size"]


def adjoining_tuples(settings: dict[str, Any]) -> None:
    """Likewise, and one number is a tuple of it."""
    adjoining(settings)
    for name in ("kernel_size", "stride", "padding"):
        settings[name] = (settings[name],) if isinstance(settings[name], int) else settings[name]


def unpooled(sliding: int) -> Callable[[dict[str, Any]], None]:
    """Likewise, with one number for each dimension."""
    def prepare(settings: dict[str, Any]) -> None:
        settings["stride"] = settings["stride"] or settings["kernel_size"]
        for name in ("kernel_size", "stride", "padding"):
            settings[name] = numbers(settings[name], sliding, name)
    return prepare


class MaxPool1d(Applied, function=F.max_pool1d, settings=MAX, shown=MAX_SHOWN, prepare=adjoining): ...
class MaxPool2d(Applied, function=F.max_pool2d, settings=MAX, shown=MAX_SHOWN, prepare=adjoining): ...
class MaxPool3d(Applied, function=F.max_pool3d, settings=MAX, shown=MAX_SHOWN, prepare=adjoining): ...
class AvgPool1d(Applied, function=F.avg_pool1d, settings="kernel_size stride padding ceil_mode count_include_pad",
                shown=MEAN_SHOWN, prepare=adjoining_tuples): ...
class AvgPool2d(Applied, function=F.avg_pool2d, settings=MEAN, shown=MEAN_SHOWN, prepare=adjoining): ...
class AvgPool3d(Applied, function=F.avg_pool3d, settings=MEAN, shown=MEAN_SHOWN, prepare=adjoining): ...
class AdaptiveAvgPool1d(Applied, function=F.adaptive_avg_pool1d, settings="output_size", shown="output_size={output_size}"): ...
class AdaptiveAvgPool2d(Applied, function=F.adaptive_avg_pool2d, settings="output_size", shown="output_size={output_size}"): ...
class AdaptiveMaxPool1d(Applied, function=F.adaptive_max_pool1d, settings="output_size return_indices",
                        shown="output_size={output_size}"): ...
class AdaptiveMaxPool2d(Applied, function=F.adaptive_max_pool2d, settings="output_size return_indices",
                        shown="output_size={output_size}"): ...
class AdaptiveAvgPool3d(Applied, function=F.adaptive_avg_pool3d, settings="output_size", shown="output_size={output_size}"): ...
class AdaptiveMaxPool3d(Applied, function=F.adaptive_max_pool3d, settings="output_size return_indices",
                        shown="output_size={output_size}"): ...
class LPPool1d(Applied, function=F.lp_pool1d, settings=LP, shown=LP_SHOWN): ...
class LPPool2d(Applied, function=F.lp_pool2d, settings=LP, shown=LP_SHOWN): ...
class LPPool3d(Applied, function=F.lp_pool3d, settings=LP, shown=LP_SHOWN): ...
class LocalResponseNorm(Applied, function=F.local_response_norm, settings="size alpha beta k",
                        shown="{size}, alpha={alpha}, beta={beta}, k={k}"): ...
class MaxUnpool1d(Applied, function=F.max_unpool1d, settings="kernel_size stride padding", shown=MEAN_SHOWN,
                  prepare=unpooled(1)): ...
class MaxUnpool2d(Applied, function=F.max_unpool2d, settings="kernel_size stride padding", shown=MEAN_SHOWN,
                  prepare=unpooled(2)): ...
class MaxUnpool3d(Applied, function=F.max_unpool3d, settings="kernel_size stride padding", shown=MEAN_SHOWN,
                  prepare=unpooled(3)): ...
class Unfold(Applied, function=F.unfold, settings="kernel_size dilation padding stride", shown=WINDOWS_SHOWN): ...
class Fold(Applied, function=F.fold, settings="output_size kernel_size dilation padding stride",
           shown="output_size={output_size}, " + WINDOWS_SHOWN): ...
