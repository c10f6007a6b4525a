"""Neural networks: the functions of torch.nn.functional."""

from tapediff.nn import functional

__all__ = ["functional"]
