"""Lazy layers: they learn the width of their input from the first one, and are ordinary layers from then on."""

from __future__ import annotations

from typing import Any, ClassVar

from tapediff import inplace
from tapediff.functions.registry import FUNCTIONS
from tapediff.nn.modules import conv, linear, normalization
from tapediff.nn.modules.module import Module
from tapediff.nn.parameter import Buffer, Parameter
from tapediff.tensor import Tensor

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d",
    "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear",
    "UninitializedBuffer", "UninitializedParameter",
]

NOT_YET = ("Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when "
           "trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters "
           "before accessing their attributes.")


class UninitializedParameter(Parameter):
    """A parameter whose shape is not known yet; it becomes an ordinary one, as the same object.

    >>> UninitializedParameter()
    <UninitializedParameter>
    """

    cls_to_become: ClassVar[type] = Parameter

    @staticmethod
    def _construct(requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:  # type: ignore[override]
        made: Any = Parameter._construct(FUNCTIONS["empty"](0, device=device, dtype=dtype), requires_grad)
        made.__class__ = UninitializedParameter
        return made

    @property
    def shape(self) -> Any:
        raise RuntimeError(NOT_YET)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Take a shape; the elements are for somebody else to fill."""
        inplace.set_data(self, FUNCTIONS["empty"](tuple(shape), device=device, dtype=dtype or self.spec.dtype))
        self.__class__ = type(self).cls_to_become

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"<{type(self).__name__}>"


class UninitializedBuffer(Buffer):
    """A buffer whose shape is not known yet; it becomes an ordinary tensor, as the same object."""

    cls_to_become: ClassVar[type] = Tensor

    @staticmethod
    def _construct(requires_grad: bool = False, device: Any = None, dtype: Any = None,  # type: ignore[override]
                   persistent: bool = True) -> UninitializedBuffer:
        made: Any = Buffer._construct(FUNCTIONS["empty"](0, device=device, dtype=dtype), persistent=persistent)
        made.__class__ = UninitializedBuffer
        return made

    @property
    def shape(self) -> Any:
        raise RuntimeError(NOT_YET)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Take a shape; the elements are for somebody else to fill."""
        inplace.set_data(self, FUNCTIONS["empty"](tuple(shape), device=device, dtype=dtype or self.spec.dtype))
        self.__class__ = Buffer  # type: ignore[assignment]

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"<{type(self).__name__}>"


Unknown = UninitializedParameter | UninitializedBuffer


class Lazy(Module):
    """A layer whose parameters wait for the first input, or for a state that is loaded."""

    becomes: ClassVar[type[Module]]
    width: ClassVar[str]  # the attribute that the first input gives

    def _materialize(self, name: str, shape: tuple[int, ...]) -> None:
        """Give a parameter or buffer its shape, unless it has one or there is none."""
        value = getattr(self, name)
        if isinstance(value, Unknown):
            value.materialize(shape)

    def has_uninitialized_params(self) -> bool:
        """Whether the layer still waits."""
        return any(isinstance(value, Unknown) for table in (self._parameters, self._buffers) for value in table.values())

    def initialize_parameters(self, input: Tensor) -> None:
        """Give the parameters the shapes that the input asks for."""
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw the parameters, once they have shapes."""
        if not self.has_uninitialized_params() and getattr(self, self.width):
            super().reset_parameters()  # type: ignore[misc]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        is_waiting = self.has_uninitialized_params()
        if not getattr(self, self.width):
            self.initialize_parameters(*args, **kwargs)
        if is_waiting:
            self.reset_parameters()
        self.__class__ = self.becomes  # type: ignore[assignment]
        return self(*args, **kwargs)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        for table in (self._parameters, self._buffers):
            for name, value in table.items():
                given = state_dict.get(prefix + name)
                if isinstance(value, Unknown) and isinstance(given, Tensor) and not isinstance(given, Unknown):
                    value.materialize(given.spec.shape)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class LazyLinear(Lazy, linear.Linear):
    """`Linear` whose `in_features` is the last size of the first input.

    >>> import tapediff as td
    >>> layer = LazyLinear(3)
    >>> layer(td.ones(2, 5)).shape, layer
    (torch.Size([2, 3]), Linear(in_features=5, out_features=3, bias=True))
    """

    becomes = linear.Linear
    width = "in_features"

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)  # type: ignore[call-arg]
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)  # type: ignore[call-arg]

    def initialize_parameters(self, input: Tensor) -> None:
        self.in_features = input.spec.shape[-1]
        self._materialize("weight", (self.out_features, self.in_features))
        self._materialize("bias", (self.out_features,))


class LazyWindowed(Lazy, conv.Windowed):
    """A convolution whose `in_channels` are those of the first input."""

    width = "in_channels"

    def _await(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.in_channels, self.out_channels = 0, out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)  # type: ignore[call-arg]
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)  # type: ignore[call-arg]

    def initialize_parameters(self, input: Tensor, *rest: Any, **named: Any) -> None:
        shape = input.spec.shape
        if len(shape) not in (self.sliding + 1, self.sliding + 2):
            raise RuntimeError(f"Expected {self.sliding + 1}D (unbatched) or {self.sliding + 2}D (batched) input to "
                               f"{type(self).__name__}, but got input of size: {list(shape)}")
        self.in_channels = shape[len(shape) - self.sliding - 1]
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        channels = ((self.in_channels, self.out_channels // self.groups) if self.transposed
                    else (self.out_channels, self.in_channels // self.groups))
        self._materialize("weight", (*channels, *self.kernel_size))
        self._materialize("bias", (self.out_channels,))


class LazyConvolution(LazyWindowed, conv.Convolution):
    """A convolution that waits."""

    def __init__(self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                 groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._await(out_channels, bias, device, dtype)


class LazyTransposedConvolution(LazyWindowed, conv.TransposedConvolution):
    """The transpose of a convolution that waits."""

    def __init__(self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
                 groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._await(out_channels, bias, device, dtype)


class LazyConv1d(LazyConvolution, conv.Conv1d):
    """`Conv1d` that waits for its first input."""

    becomes = conv.Conv1d


class LazyConv2d(LazyConvolution, conv.Conv2d):
    """`Conv2d` that waits for its first input."""

    becomes = conv.Conv2d


class LazyConv3d(LazyConvolution, conv.Conv3d):
    """`Conv3d` that waits for its first input."""

    becomes = conv.Conv3d


class LazyConvTranspose1d(LazyTransposedConvolution, conv.ConvTranspose1d):
    """`ConvTranspose1d` that waits for its first input."""

    becomes = conv.ConvTranspose1d


class LazyConvTranspose2d(LazyTransposedConvolution, conv.ConvTranspose2d):
    """`ConvTranspose2d` that waits for its first input."""

    becomes = conv.ConvTranspose2d


class LazyConvTranspose3d(LazyTransposedConvolution, conv.ConvTranspose3d):
    """`ConvTranspose3d` that waits for its first input."""

    becomes = conv.ConvTranspose3d


class LazyPerChannel(Lazy, normalization.PerChannel):
    """A normalization whose `num_features` are the channels of the first input."""

    width = "num_features"

    def __init__(self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
                 device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype)
        self.affine, self.track_running_stats = affine, track_running_stats
        made = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**made)
            self.bias = UninitializedParameter(**made) if bias else None
        if track_running_stats:
            self.running_mean, self.running_var = UninitializedBuffer(**made), UninitializedBuffer(**made)
            self.num_batches_tracked = FUNCTIONS["tensor"](0)

    def initialize_parameters(self, input: Tensor) -> None:
        self._check_input_dim(input)
        shape = input.spec.shape
        self.num_features = shape[1] if len(shape) == max(self.allowed_dims) or 2 in self.allowed_dims else shape[0]
        for name in ("weight", "bias", "running_mean", "running_var"):
            self._materialize(name, (self.num_features,))


class LazyBatchNorm1d(LazyPerChannel, normalization.BatchNorm1d):
    """`BatchNorm1d` that waits for its first input."""

    becomes = normalization.BatchNorm1d


class LazyBatchNorm2d(LazyPerChannel, normalization.BatchNorm2d):
    """`BatchNorm2d` that waits for its first input."""

    becomes = normalization.BatchNorm2d


class LazyBatchNorm3d(LazyPerChannel, normalization.BatchNorm3d):
    """`BatchNorm3d` that waits for its first input."""

    becomes = normalization.BatchNorm3d


class LazyInstanceNorm(LazyPerChannel):
    """Without scale and running statistics, unless they are asked for."""

    def __init__(self, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True, track_running_stats: bool = True,
                 device: Any = None, dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__(eps, momentum, affine, track_running_stats, device, dtype, bias=bias)


class LazyInstanceNorm1d(LazyInstanceNorm, normalization.InstanceNorm1d):
    """`InstanceNorm1d` that waits for its first input."""

    becomes = normalization.InstanceNorm1d


class LazyInstanceNorm2d(LazyInstanceNorm, normalization.InstanceNorm2d):
    """`InstanceNorm2d` that waits for its first input."""

    becomes = normalization.InstanceNorm2d


class LazyInstanceNorm3d(LazyInstanceNorm, normalization.InstanceNorm3d):
    """`InstanceNorm3d` that waits for its first input."""

    becomes = normalization.InstanceNorm3d
