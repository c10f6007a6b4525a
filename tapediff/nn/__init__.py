"""Neural networks: modules and parameters under the names of torch.nn."""

from tapediff.nn import functional, init, modules, parameter, utils
from tapediff.nn.modules import *  # noqa: F403
from tapediff.nn.modules import __all__ as _layers
from tapediff.nn.modules.lazy import UninitializedBuffer, UninitializedParameter
from tapediff.nn.parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "functional", "init", "modules", "parameter",
           "utils", *_layers]
