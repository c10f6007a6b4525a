"""Normalizations as layers: with scales and shifts that are learned, and running statistics."""

from __future__ import annotations

from typing import Any

from tapediff import dtypes
from tapediff.functions.registry import FUNCTIONS
from tapediff.grad_modes import no_grad
from tapediff.nn import functional as F
from tapediff.nn import init
from tapediff.nn.modules.linear import empty_parameter
from tapediff.nn.modules.module import Module
from tapediff.nn.parameter import Parameter
from tapediff.tensor import Tensor

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "LayerNorm", "RMSNorm",
]


class Scaled(Module):
    """What all of them have: `weight` and `bias` of one shape, either of which may be missing."""

    weight: Parameter | None
    bias: Parameter | None

    def _add_scale(self, shape: tuple[int, ...], has_weight: bool, has_bias: bool, device: Any, dtype: Any) -> None:
        for name, is_there in (("weight", has_weight), ("bias", has_bias)):
            self.register_parameter(name, empty_parameter(*shape, device=device, dtype=dtype) if is_there else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale by 1, shift by 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if getattr(self, "bias", None) is not None:
            init.zeros_(self.bias)  # type: ignore[arg-type]


class PerChannel(Scaled):
    """Batch and instance normalization: one scale and one running statistic for each channel.

    running_mean, running_var   moved by `momentum` towards those of each batch; by the average of all with momentum None
    num_batches_tracked         how many batches there were
    """

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    _version = 2
    allowed_dims: tuple[int, ...] = ()

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        statistics = {"running_mean": FUNCTIONS["zeros"](num_features, device=device, dtype=dtype),
                      "running_var": FUNCTIONS["ones"](num_features, device=device, dtype=dtype),
                      "num_batches_tracked": FUNCTIONS["zeros"]((), dtype=dtypes.int64)}
        for name, value in statistics.items():
            self.register_buffer(name, value if track_running_stats else None)
        self._add_scale((num_features,), affine, affine and bias, device, dtype)

    def reset_running_stats(self) -> None:
        """Forget all batches."""
        if self.track_running_stats:
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        super().reset_parameters()

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *rest: Any) -> None:
        key = prefix + "num_batches_tracked"
        if (local_metadata.get("version") or 0) < 2 and self.track_running_stats and key not in state_dict:
            state_dict[key] = FUNCTIONS["tensor"](0)  # checkpoints from before there was a count
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.allowed_dims:
            listed = " or ".join(f"{ndim}D" for ndim in self.allowed_dims)
            raise ValueError(f"expected {listed} input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class BatchNorm(PerChannel):
    """Each channel normalized over the batch."""

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            with no_grad():
                self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / float(self.num_batches_tracked)
        is_tracking = not self.training or self.track_running_stats
        return F.batch_norm(input, self.running_mean if is_tracking else None, self.running_var if is_tracking else None,
                            self.weight, self.bias, self.training or self.running_mean is None, momentum, self.eps)


class BatchNorm1d(BatchNorm):
    """Each channel of (N, C) or (N, C, L) normalized over the batch.

    >>> import tapediff as td
    >>> BatchNorm1d(1, affine=False)(td.tensor([[1.], [3.]]))
    tensor([[-1.0000],
            [ 1.0000]])
    """

    allowed_dims = (2, 3)


class BatchNorm2d(BatchNorm):
    """Each channel of (N, C, H, W) normalized over the batch."""

    allowed_dims = (4,)


class BatchNorm3d(BatchNorm):
    """Each channel of (N, C, D, H, W) normalized over the batch."""

    allowed_dims = (5,)


class InstanceNorm(PerChannel):
    """Each channel of each sample normalized by itself."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
                 track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        is_batched = input.dim() == self.allowed_dims[-1]
        made = F.instance_norm(input if is_batched else input.unsqueeze(0), self.running_mean, self.running_var, self.weight,
                               self.bias, self.training or not self.track_running_stats, self.momentum or 0.0, self.eps)
        return made if is_batched else made.squeeze(0)


class InstanceNorm1d(InstanceNorm):
    """Each channel of each sample of (N, C, L) normalized by itself."""

    allowed_dims = (2, 3)


class InstanceNorm2d(InstanceNorm):
    """Each channel of each sample of (N, C, H, W) normalized by itself."""

    allowed_dims = (3, 4)


class InstanceNorm3d(InstanceNorm):
    """Each channel of each sample of (N, C, D, H, W) normalized by itself."""

    allowed_dims = (4, 5)


class GroupNorm(Scaled):
    """Each sample normalized within `num_groups` groups of channels."""

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
                 dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._add_scale((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LayerNorm(Scaled):
    """Each sample normalized over its last dimensions, which have the shape `normalized_shape`.

    >>> import tapediff as td
    >>> LayerNorm(2, elementwise_affine=False)(td.tensor([[1., 3.]]))
    tensor([[-1.0000,  1.0000]])
    """

    def __init__(self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._add_scale(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(Scaled):
    """Each sample divided by the root of its mean square over the last dimensions."""

    def __init__(self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = empty_parameter(*self.normalized_shape, device=device, dtype=dtype) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
