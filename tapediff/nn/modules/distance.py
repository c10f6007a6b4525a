"""Distances and similarities as layers."""

from __future__ import annotations

from tapediff.nn import functional as F
from tapediff.nn.modules.applied import Applied

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Applied, function=F.cosine_similarity, settings="dim eps=1e-8"): ...
class PairwiseDistance(Applied, function=F.pairwise_distance, settings="p=2.0 eps=1e-6 keepdim"): ...
