"""Pooling, unfold and fold as layers."""

from __future__ import annotations

from typing import Any

from tapediff.nn import functional as F
from tapediff.nn.modules.applied import Applied

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AvgPool1d", "AvgPool2d", "AvgPool3d",
    "Fold", "MaxPool1d", "MaxPool2d", "MaxPool3d", "Unfold",
]

MAX = "kernel_size stride padding dilation return_indices ceil_mode"
MAX_SHOWN = "kernel_size={kernel_size}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil_mode}"
MEAN = "kernel_size stride padding ceil_mode count_include_pad divisor_override"
MEAN_SHOWN = "kernel_size={kernel_size}, stride={stride}, padding={padding}"
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
class Unfold(Applied, function=F.unfold, settings="kernel_size dilation padding stride", shown=WINDOWS_SHOWN): ...
class Fold(Applied, function=F.fold, settings="output_size kernel_size dilation padding stride",
           shown="output_size={output_size}, " + WINDOWS_SHOWN): ...
