"""Dropout as layers, which do nothing outside of training mode."""

from __future__ import annotations

from tapediff.nn import functional as F
from tapediff.nn.modules.applied import Applied

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]

SHOWN = "p={p}, inplace={inplace}"


def check_probability(settings: dict[str, object]) -> None:
    """Refuse what is no probability."""
    p = settings["p"]
    if not (isinstance(p, int | float) and 0 <= p <= 1):
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


class Dropout(Applied, function=F.dropout, settings="p=0.5 inplace", shown=SHOWN, prepare=check_probability): ...
class Dropout1d(Applied, function=F.dropout1d, settings="p=0.5 inplace", shown=SHOWN, prepare=check_probability): ...
class Dropout2d(Applied, function=F.dropout2d, settings="p=0.5 inplace", shown=SHOWN, prepare=check_probability): ...
class Dropout3d(Applied, function=F.dropout3d, settings="p=0.5 inplace", shown=SHOWN, prepare=check_probability): ...
class AlphaDropout(Applied, function=F.alpha_dropout, settings="p=0.5 inplace", shown=SHOWN, prepare=check_probability): ...
class FeatureAlphaDropout(Applied, function=F.feature_alpha_dropout, settings="p=0.5 inplace", shown=SHOWN,
                          prepare=check_probability): ...
