"""The names of the package. Printed by `python -m tools.write_stubs`."""

import builtins
from numpy import ndarray
from typing import Any
from tapediff.dtypes import DType
from tapediff.functions.return_types import ReturnType

from tapediff.dtypes import DType as dtype
from tapediff.dtypes import bool_ as bool
from tapediff.dtypes import finfo as finfo
from tapediff.dtypes import float32 as float32
from tapediff.dtypes import float64 as float64
from tapediff.dtypes import get_default_dtype as get_default_dtype
from tapediff.dtypes import iinfo as iinfo
from tapediff.dtypes import int32 as int32
from tapediff.dtypes import int64 as int64
from tapediff.dtypes import set_default_dtype as set_default_dtype
from tapediff.errors import GuardError as GuardError
from tapediff.errors import ProgramFileError as ProgramFileError
from tapediff.errors import SavedFileError as SavedFileError
from tapediff.grad_modes import enable_grad as enable_grad
from tapediff.grad_modes import inference_mode as inference_mode
from tapediff.grad_modes import is_grad_enabled as is_grad_enabled
from tapediff.grad_modes import is_inference_mode_enabled as is_inference_mode_enabled
from tapediff.grad_modes import no_grad as no_grad
from tapediff.grad_modes import set_grad_enabled as set_grad_enabled
from tapediff.printing import set_printoptions as set_printoptions
from tapediff.shapes import Size as Size
from tapediff.tensor import Device as device
from tapediff.tensor import Tensor as Tensor
from tapediff.program.program import record as record
from tapediff.program.program import Program as Program
from tapediff.program.program import load_program as load_program
from tapediff.custom import custom_op as custom_op
from tapediff.program.compiled import compile_function as compile
from tapediff.func.vectorized import vmap as vmap
from tapediff.saving import save as save
from tapediff.saving import load as load
from tapediff.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from tapediff.autograd.anomaly import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from tapediff.nn.direct import adaptive_avg_pool1d as adaptive_avg_pool1d
from tapediff.nn.direct import adaptive_max_pool1d as adaptive_max_pool1d
from tapediff.nn.direct import alpha_dropout as alpha_dropout
from tapediff.nn.direct import alpha_dropout_ as alpha_dropout_
from tapediff.nn.direct import avg_pool1d as avg_pool1d
from tapediff.nn.direct import batch_norm as batch_norm
from tapediff.nn.direct import bilinear as bilinear
from tapediff.nn.direct import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from tapediff.nn.direct import celu as celu
from tapediff.nn.direct import celu_ as celu_
from tapediff.nn.direct import channel_shuffle as channel_shuffle
from tapediff.nn.direct import constant_pad_nd as constant_pad_nd
from tapediff.nn.direct import conv1d as conv1d
from tapediff.nn.direct import conv2d as conv2d
from tapediff.nn.direct import conv3d as conv3d
from tapediff.nn.direct import conv_transpose1d as conv_transpose1d
from tapediff.nn.direct import conv_transpose2d as conv_transpose2d
from tapediff.nn.direct import conv_transpose3d as conv_transpose3d
from tapediff.nn.direct import cosine_embedding_loss as cosine_embedding_loss
from tapediff.nn.direct import dropout as dropout
from tapediff.nn.direct import dropout_ as dropout_
from tapediff.nn.direct import embedding as embedding
from tapediff.nn.direct import feature_alpha_dropout as feature_alpha_dropout
from tapediff.nn.direct import feature_alpha_dropout_ as feature_alpha_dropout_
from tapediff.nn.direct import feature_dropout as feature_dropout
from tapediff.nn.direct import feature_dropout_ as feature_dropout_
from tapediff.nn.direct import group_norm as group_norm
from tapediff.nn.direct import hardshrink as hardshrink
from tapediff.nn.direct import hinge_embedding_loss as hinge_embedding_loss
from tapediff.nn.direct import instance_norm as instance_norm
from tapediff.nn.direct import kl_div as kl_div
from tapediff.nn.direct import layer_norm as layer_norm
from tapediff.nn.direct import margin_ranking_loss as margin_ranking_loss
from tapediff.nn.direct import max_pool1d as max_pool1d
from tapediff.nn.direct import max_pool1d_with_indices as max_pool1d_with_indices
from tapediff.nn.direct import max_pool2d as max_pool2d
from tapediff.nn.direct import max_pool3d as max_pool3d
from tapediff.nn.direct import pixel_shuffle as pixel_shuffle
from tapediff.nn.direct import pixel_unshuffle as pixel_unshuffle
from tapediff.nn.direct import poisson_nll_loss as poisson_nll_loss
from tapediff.nn.direct import prelu as prelu
from tapediff.nn.direct import rms_norm as rms_norm
from tapediff.nn.direct import rrelu as rrelu
from tapediff.nn.direct import rrelu_ as rrelu_
from tapediff.nn.direct import selu as selu
from tapediff.nn.direct import selu_ as selu_
from tapediff.nn.direct import threshold as threshold
from tapediff.nn.direct import threshold_ as threshold_
from tapediff.nn.direct import triplet_margin_loss as triplet_margin_loss
from tapediff import autograd as autograd
from tapediff import backends as backends
from tapediff import cuda as cuda
from tapediff import func as func
from tapediff import jobs as jobs
from tapediff import linalg as linalg
from tapediff import nn as nn
from tapediff import optim as optim
from tapediff import random as random
from tapediff import special as special
from tapediff import utils as utils

double: DType
float: DType
long: DType
int: DType
inf: builtins.float
nan: builtins.float
pi: builtins.float
e: builtins.float
__version__: str

BoolTensor: Any
DoubleTensor: Any
FloatTensor: Any
from tapediff.functions.random import Generator as Generator
IntTensor: Any
LongTensor: Any
def abs(input: Tensor, *, out: None = None) -> Tensor:
    """The absolute value."""
def abs_(input: Tensor, *, out: None = None) -> Tensor:
    """`abs`, in place."""
def absolute(input: Tensor, *, out: None = None) -> Tensor:
    """The absolute value."""
def acos(input: Tensor, *, out: None = None) -> Tensor:
    """The angle whose cosine is the element."""
def acos_(input: Tensor, *, out: None = None) -> Tensor:
    """`acos`, in place."""
def acosh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic cosine; nan below 1."""
def acosh_(input: Tensor, *, out: None = None) -> Tensor:
    """`acosh`, in place."""
def add(input: Tensor, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
    """``input + alpha * other``; the operands broadcast and promote."""
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2).sum(0)``."""
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
    """``input + value * tensor1 / tensor2``."""
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``; the input broadcasts to the product's shape."""
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``."""
def addmv_(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """`addmv`, in place."""
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``."""
def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged: the transpose, as all numbers are real."""
def all(input: Tensor, dim: Any = None, keepdim: builtins.bool = False) -> Tensor:
    """Whether no element is zero; True of no elements."""
def allclose(input: Tensor, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> builtins.bool:
    """Whether all elements are close, as `isclose` tells."""
def amax(input: Tensor, dim: Any = ..., keepdim: builtins.bool = False) -> Tensor:
    """The largest element over the dimensions `dim`, without its index; equal elements share the gradient evenly."""
def amin(input: Tensor, dim: Any = ..., keepdim: builtins.bool = False) -> Tensor:
    """The smallest element over the dimensions `dim`, without its index; equal elements share the gradient evenly."""
def aminmax(input: Tensor, *, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> ReturnType:
    """The smallest and the largest element, of all or along one dimension."""
def any(input: Tensor, dim: Any = None, keepdim: builtins.bool = False) -> Tensor:
    """Whether any element is not zero; False of no elements."""
def arange(*args: Any, start: Any = None, end: Any = None, step: Any = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """The numbers from `start` (0) up to but not including `end`, `step` (1) apart: `arange(end)`, `arange(start, end)`, `arange(start, end, step)`."""
def arccos(input: Tensor, *, out: None = None) -> Tensor:
    """The angle whose cosine is the element."""
def arccos_(input: Tensor, *, out: None = None) -> Tensor:
    """`arccos`, in place."""
def arccosh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic cosine; nan below 1."""
def arccosh_(input: Tensor, *, out: None = None) -> Tensor:
    """`arccosh`, in place."""
def arcsin(input: Tensor, *, out: None = None) -> Tensor:
    """The angle whose sine is the element."""
def arcsin_(input: Tensor, *, out: None = None) -> Tensor:
    """`arcsin`, in place."""
def arcsinh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic sine."""
def arcsinh_(input: Tensor, *, out: None = None) -> Tensor:
    """`arcsinh`, in place."""
def arctan(input: Tensor, *, out: None = None) -> Tensor:
    """The angle whose tangent is the element."""
def arctan2(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The angle of the point (other, input), in (-pi, pi]."""
def arctan_(input: Tensor, *, out: None = None) -> Tensor:
    """`arctan`, in place."""
def arctanh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic tangent; nan outside [-1, 1]."""
def arctanh_(input: Tensor, *, out: None = None) -> Tensor:
    """`arctanh`, in place."""
def are_deterministic_algorithms_enabled() -> builtins.bool:
    """True: results never depend on chance or on the number of threads."""
def argmax(input: Tensor, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
    """The index of the largest element, the first one of equals: in the flat tensor, or along `dim`."""
def argmin(input: Tensor, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
    """The index of the smallest element, the first one of equals: in the flat tensor, or along `dim`."""
def argsort(input: Tensor, dim: builtins.int = -1, descending: builtins.bool = False, *, stable: builtins.bool = False) -> Tensor:
    """The indices that put the elements along `dim` in order."""
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements that are not zero, one row each."""
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: builtins.int | None = None) -> Tensor:
    """The memory of a contiguous tensor in any arrangement of sizes and strides."""
def as_strided_scatter(input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: builtins.int | None = None) -> Tensor:
    """A copy with `src` where `as_strided` shows the elements."""
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy where it is a tensor of this dtype already, or an array whose memory can be shared."""
def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: builtins.bool | None = None, requires_grad: builtins.bool = False) -> Tensor:
    """`obj` as a tensor; copied where `copy` is true or where it must be."""
def asin(input: Tensor, *, out: None = None) -> Tensor:
    """The angle whose sine is the element."""
def asin_(input: Tensor, *, out: None = None) -> Tensor:
    """`asin`, in place."""
def asinh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic sine."""
def asinh_(input: Tensor, *, out: None = None) -> Tensor:
    """`asinh`, in place."""
def atan(input: Tensor, *, out: None = None) -> Tensor:
    """The angle whose tangent is the element."""
def atan2(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The angle of the point (other, input), in (-pi, pi]."""
def atan_(input: Tensor, *, out: None = None) -> Tensor:
    """`atan`, in place."""
def atanh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic tangent; nan outside [-1, 1]."""
def atanh_(input: Tensor, *, out: None = None) -> Tensor:
    """`atanh`, in place."""
def atleast_1d(*tensors: Any) -> Any:
    """A number as a vector of one element; everything else as it is."""
def atleast_2d(*tensors: Any) -> Any:
    """Numbers and vectors as matrices of one row."""
def atleast_3d(*tensors: Any) -> Any:
    """With dimensions of size 1 added, a vector of n as (1, n, 1) and a matrix of n by m as (n, m, 1)."""
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``; the input broadcasts to the product's shape."""
def bartlett_window(window_length: builtins.int, periodic: builtins.bool = True, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """A triangle from 0 to 1 and back."""
def bernoulli(input: Tensor, p: builtins.float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` gives, or `p` everywhere in its shape, else 0."""
def bincount(input: Tensor, weights: Tensor | None = None, minlength: builtins.int = 0) -> Tensor:
    """How often each number from 0 to the largest occurs in a vector of integers, or the sum of the weights of its occurrences."""
def bitwise_and(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The bits that are set in both."""
def bitwise_left_shift(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The bits moved up by `other` places."""
def bitwise_not(input: Tensor, *, out: None = None) -> Tensor:
    """Every bit turned over; of a bool tensor the negation."""
def bitwise_or(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The bits that are set in at least one."""
def bitwise_right_shift(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The bits moved down by `other` places, keeping the sign."""
def bitwise_xor(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The bits that are set in exactly one."""
def blackman_window(window_length: builtins.int, periodic: builtins.bool = True, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """``0.42 - 0.5 cos(2 pi x) + 0.08 cos(4 pi x)``."""
def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices one after the other on the diagonal of a matrix that is zero elsewhere."""
def bmm(input: Tensor, mat2: Tensor, *, out: None = None) -> Tensor:
    """The products of two stacks of matrices, b x n x m and b x m x p."""
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that shapes broadcast to."""
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All repeated to the shape that they broadcast to."""
def broadcast_to(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """Repeated to a shape."""
def bucketize(input: Any, boundaries: Tensor, *, out_int32: builtins.bool = False, right: builtins.bool = False) -> Tensor:
    """The number of the bucket, between the rising `boundaries`, that each value of `input` falls into."""
def can_cast(from_: DType, to: DType) -> builtins.bool:
    """Whether an in-place operation may store a result of one dtype in a tensor of another: no category is lost."""
def cartesian_prod(*tensors: Any) -> Tensor:
    """All ways to take one element of each vector, one way a row."""
def cat(tensors: Any, dim: builtins.int = 0, *, axis: builtins.int | None = None) -> Tensor:
    """The tensors behind each other along `dim`; all other sizes are equal. dtypes promote; an empty vector may join anything."""
def cdist(x1: Tensor, x2: Tensor, p: builtins.float = 2.0, compute_mode: Any = None) -> Tensor:
    """The p-norm of the difference of every row of x1 and every row of x2; batches broadcast."""
def ceil(input: Tensor, *, out: None = None) -> Tensor:
    """The smallest integer that is not less."""
def ceil_(input: Tensor, *, out: None = None) -> Tensor:
    """`ceil`, in place."""
def chain_matmul(*matrices: Tensor, out: None = None) -> Tensor:
    """The product of several matrices; deprecated for `linalg.multi_dot`."""
def cholesky(input: Tensor, upper: builtins.bool = False, *, out: None = None) -> Tensor:
    """`linalg.cholesky` under its old name."""
def cholesky_inverse(L: Tensor, upper: builtins.bool = False, *, out: None = None) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is L."""
def cholesky_solve(B: Tensor, L: Tensor, upper: builtins.bool = False, *, out: None = None) -> Tensor:
    """The solution X of ``A X = B``, given the Cholesky factor of A."""
def chunk(input: Tensor, chunks: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size along a dimension; the last may be smaller."""
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
    """Each element brought between `min` and `max`, numbers or tensors; an element that is moved passes no gradient on."""
def clamp_(input: Tensor, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
    """`clamp`, in place."""
def clamp_max(input: Any, max: Any, *, out: None = None) -> Tensor:
    """The element, at most `max`."""
def clamp_max_(input: Any, max: Any, *, out: None = None) -> Tensor:
    """`clamp_max`, in place."""
def clamp_min(input: Any, min: Any, *, out: None = None) -> Tensor:
    """The element, at least `min`."""
def clamp_min_(input: Any, min: Any, *, out: None = None) -> Tensor:
    """`clamp_min`, in place."""
def clip(input: Tensor, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
    """Each element brought between `min` and `max`, numbers or tensors; an element that is moved passes no gradient on."""
def clip_(input: Tensor, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
    """`clip`, in place."""
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, through which gradients flow."""
def column_stack(tensors: Any) -> Tensor:
    """The tensors beside each other; a vector is one column."""
def combinations(input: Tensor, r: builtins.int = 2, with_replacement: builtins.bool = False) -> Tensor:
    """All ways to take `r` elements of a vector in its order, one way a row."""
def concat(tensors: Any, dim: builtins.int = 0, *, axis: builtins.int | None = None) -> Tensor:
    """The tensors behind each other along `dim`; all other sizes are equal. dtypes promote; an empty vector may join anything."""
def concatenate(tensors: Any, dim: builtins.int = 0, *, axis: builtins.int | None = None) -> Tensor:
    """The tensors behind each other along `dim`; all other sizes are equal. dtypes promote; an empty vector may join anything."""
def copysign(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The magnitude of input with the sign of other."""
def corrcoef(input: Tensor) -> Tensor:
    """The correlations of variables, one in each row: covariances over the standard deviations, brought between -1 and 1."""
def cos(input: Tensor, *, out: None = None) -> Tensor:
    """The cosine of an angle in radians."""
def cos_(input: Tensor, *, out: None = None) -> Tensor:
    """`cos`, in place."""
def cosh(input: Tensor, *, out: None = None) -> Tensor:
    """The hyperbolic cosine."""
def cosh_(input: Tensor, *, out: None = None) -> Tensor:
    """`cosh`, in place."""
def cosine_similarity(x1: Tensor, x2: Tensor, dim: builtins.int = 1, eps: builtins.float = 1e-08) -> Tensor:
    """The cosine of the angle between vectors along `dim`; a norm below `eps` counts as `eps`."""
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """The number of elements that are not zero."""
def cov(input: Tensor, *, correction: builtins.int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """The covariances of variables, one in each row; each column is an observation."""
def cross(input: Tensor, other: Tensor, dim: builtins.int | None = None, *, out: None = None) -> Tensor:
    """The vector product along `dim`, a dimension of size 3; without `dim` (deprecated) the first such dimension."""
def cummax(input: Tensor, dim: builtins.int) -> ReturnType:
    """The largest elements along `dim` up to each one, and their indices, the last ones of equals."""
def cummin(input: Tensor, dim: builtins.int) -> ReturnType:
    """The smallest elements along `dim` up to each one, and their indices, the last ones of equals."""
def cumprod(input: Tensor, dim: builtins.int, *, dtype: Any = None) -> Tensor:
    """The products of the elements along `dim` up to each one."""
def cumsum(input: Tensor, dim: builtins.int, *, dtype: Any = None) -> Tensor:
    """The sums of the elements along `dim` up to each one; integers and bools add up as int64."""
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: builtins.int = -1) -> Tensor:
    """The integrals of `trapezoid` from the first sample to each later one."""
def deg2rad(input: Tensor, *, out: None = None) -> Tensor:
    """Degrees in radians."""
def deg2rad_(input: Tensor, *, out: None = None) -> Tensor:
    """`deg2rad`, in place."""
def det(A: Tensor, *, out: None = None) -> Tensor:
    """The determinant of a square matrix, or of each in a batch."""
def detach(input: Tensor) -> Tensor:
    """The same value, sharing memory, through which no gradient flows."""
def detach_(self: Tensor) -> Tensor:
    """Cut this tensor from its graph; it becomes a leaf."""
def diag(input: Tensor, diagonal: builtins.int = 0) -> Tensor:
    """A vector as a diagonal of a square matrix of zeros; of a matrix, a copy of a diagonal."""
def diag_embed(input: Tensor, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1) -> Tensor:
    """The last dimension as a diagonal of square matrices of zeros in the dimensions `dim1` and `dim2` of the result."""
def diagflat(input: Tensor, offset: builtins.int = 0) -> Tensor:
    """A matrix with the elements on a diagonal."""
def diagonal(input: Tensor, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
    """The elements whose indices in dim1 and dim2 differ by `offset`, as the last dimension."""
def diagonal_scatter(input: Tensor, src: Tensor, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
    """A copy with `src` on a diagonal."""
def diff(input: Tensor, n: builtins.int = 1, dim: builtins.int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """Each element minus the one before it along `dim`, `n` times over; bools by exclusive or."""
def digamma(input: Tensor, *, out: None = None) -> Tensor:
    """The derivative of lgamma."""
def dist(input: Tensor, other: Tensor, p: builtins.float = 2) -> Tensor:
    """The p-norm of input - other, which broadcast."""
def div(input: Tensor, other: Any, *, rounding_mode: str | None = None, out: None = None) -> Tensor:
    """``input / other``, rounded down ("floor") or towards zero ("trunc") if asked for; a quotient of integers is floating without rounding."""
def divide(input: Tensor, other: Any, *, rounding_mode: str | None = None, out: None = None) -> Tensor:
    """``input / other``, rounded down ("floor") or towards zero ("trunc") if asked for; a quotient of integers is floating without rounding."""
def dot(input: Tensor, tensor: Tensor, *, out: None = None) -> Tensor:
    """The sum of the products of two vectors' elements."""
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along the dimension that `dsplit` stands for; sections must be equally long."""
def dstack(tensors: Any) -> Tensor:
    """The tensors behind each other along the third dimension."""
def einsum(equation: Any, *operands: Any) -> Tensor:
    """The sum of products that an equation of indices says: ``einsum("ij,jk->ik", a, b)`` is ``a @ b``."""
def empty(*args: Any, size: Any = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """A tensor of the shape `size` whose elements are whatever lay in its memory."""
def empty_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """A tensor of the shape and dtype of `input` whose elements are whatever lay in its memory."""
def eq(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether two elements are equal."""
def equal(input: Tensor, other: Tensor) -> builtins.bool:
    """Whether two tensors have the same shape and the same elements."""
def erf(input: Tensor, *, out: None = None) -> Tensor:
    """The error function."""
def erf_(input: Tensor, *, out: None = None) -> Tensor:
    """`erf`, in place."""
def erfc(input: Tensor, *, out: None = None) -> Tensor:
    """One minus the error function, accurate where that is near 1."""
def erfc_(input: Tensor, *, out: None = None) -> Tensor:
    """`erfc`, in place."""
def erfinv(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse of the error function."""
def exp(input: Tensor, *, out: None = None) -> Tensor:
    """e to the power of the element."""
def exp2(input: Tensor, *, out: None = None) -> Tensor:
    """2 to the power of the element."""
def exp2_(input: Tensor, *, out: None = None) -> Tensor:
    """`exp2`, in place."""
def exp_(input: Tensor, *, out: None = None) -> Tensor:
    """`exp`, in place."""
def expm1(input: Tensor, *, out: None = None) -> Tensor:
    """``exp(x) - 1``, accurate near 0."""
def expm1_(input: Tensor, *, out: None = None) -> Tensor:
    """`expm1`, in place."""
def eye(n: builtins.int, m: builtins.int | None = None, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """Ones on the diagonal of an `n` x `m` matrix of zeros."""
def fill(input: Tensor, value: Any) -> Tensor:
    """One number, or a tensor without dimensions, everywhere in the shape and dtype of `input`."""
def fill_(self: Tensor, value: Any) -> Tensor:
    """All elements set to one number (or tensor without dimensions), in place."""
def fix(input: Tensor, *, out: None = None) -> Tensor:
    """The integer part, rounded towards zero."""
def fix_(input: Tensor, *, out: None = None) -> Tensor:
    """`fix`, in place."""
def flatten(input: Tensor, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
    """The dimensions from start_dim to end_dim made one."""
def flip(input: Tensor, *args: Any, dims: Any = None) -> Tensor:
    """The elements in reverse order along `dims`."""
def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order."""
def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order."""
def float_power(input: Any, exponent: Any, *, out: None = None) -> Tensor:
    """``input ** exponent`` in double precision."""
def floor(input: Tensor, *, out: None = None) -> Tensor:
    """The largest integer that is not greater."""
def floor_(input: Tensor, *, out: None = None) -> Tensor:
    """`floor`, in place."""
def floor_divide(input: Tensor, other: Any, *, out: None = None) -> Tensor:
    """The quotient, rounded down."""
def fmax(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The larger of two elements; the other one if one is nan."""
def fmin(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The smaller of two elements; the other one if one is nan."""
def fmod(input: Tensor, other: Any, *, out: None = None) -> Tensor:
    """The remainder of a division rounded towards zero; it has the dividend's sign."""
def frac(input: Tensor, *, out: None = None) -> Tensor:
    """The part after the decimal point, with the sign of the element."""
def frac_(input: Tensor, *, out: None = None) -> Tensor:
    """`frac`, in place."""
def frexp(input: Tensor) -> Any:
    """The fraction, of a size from 1/2 to below 1, and the integer exponent of ``input = mantissa * 2**exponent``."""
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: builtins.bool | None = None) -> Tensor:
    """A tensor that shares the memory of what speaks DLPack: a tensor of another library, an array."""
def from_numpy(ndarray: ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the memory of an array: a change of one shows in the other."""
def frombuffer(buffer: Any, *, dtype: Any, count: builtins.int = -1, offset: builtins.int = 0, requires_grad: builtins.bool = False) -> Tensor:
    """A vector that shares the memory of an object with Python's buffer protocol: bytes, a bytearray, an array."""
def full(size: Any, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """One number everywhere in the shape `size`; its type gives the dtype: bool, int64 or the default."""
def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """One number everywhere in the shape of `input`, in its dtype."""
def gather(input: Tensor, dim: builtins.int, index: Tensor, *, sparse_grad: builtins.bool = False) -> Tensor:
    """The elements of `input` at `index` along `dim`: `out[i][j] = input[index[i][j]][j]` for dim 0."""
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor of integers, which broadcast; of 0 and 0 it is 0."""
def gcd_(input: Tensor, other: Tensor) -> Tensor:
    """`gcd`, in place."""
def ge(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is at least other."""
def ger(input: Tensor, vec2: Tensor, *, out: None = None) -> Tensor:
    """The products of every element of one vector with every element of another."""
def get_default_device() -> Any:
    """The CPU."""
def get_device(input: Tensor) -> builtins.int:
    """-1, which stands for the CPU."""
def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told last; without effect."""
def get_num_threads() -> builtins.int:
    """1: eager operations run on one thread."""
def get_rng_state() -> Tensor:
    """The state of the default generator, for `set_rng_state`."""
def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: builtins.int = 1) -> tuple[Tensor, ...]:
    """The derivative of samples along each of some dimensions: by central differences, at the ends by one-sided ones."""
def greater(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is greater than other."""
def greater_equal(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is at least other."""
def gt(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is greater than other."""
def hamming_window(window_length: builtins.int, periodic: builtins.bool = True, alpha: builtins.float = 0.54, beta: builtins.float = 0.46, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """``alpha - beta cos(2 pi x)``."""
def hann_window(window_length: builtins.int, periodic: builtins.bool = True, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """``sin(pi x)^2``."""
def heaviside(input: Tensor, values: Tensor, *, out: None = None) -> Tensor:
    """0 where `input` is negative, 1 where it is positive, and `values` where it is zero."""
def histc(input: Tensor, bins: builtins.int = 100, min: builtins.float = 0, max: builtins.float = 0) -> Tensor:
    """How many elements fall into each of `bins` intervals of equal width from `min` to `max`, or over the elements' own range where both are 0."""
def histogram(input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: builtins.bool = False) -> Any:
    """How many elements, or what sum of weights, fall between neighbouring edges; and the edges."""
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along the dimension that `hsplit` stands for; sections must be equally long."""
def hstack(tensors: Any) -> Tensor:
    """The tensors beside each other: along the second dimension, or the only one."""
def hypot(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The length of the hypotenuse ``sqrt(input**2 + other**2)``, without overflow."""
def i0(input: Tensor, *, out: None = None) -> Tensor:
    """The modified Bessel function of the first kind and order 0."""
def igamma(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The lower incomplete gamma function of `other` for the parameter `input`, as a fraction of the whole."""
def igammac(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The upper incomplete gamma function, ``1 - gammainc(input, other)``; differentiated by `other` only."""
def index_add(input: Tensor, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """`input` with `alpha` times the slices of `source` added to its slices at the positions in the vector `index` along `dim`."""
def index_copy(input: Tensor, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
    """`input` with its slices at the positions in the vector `index` along `dim` replaced by the slices of `source`."""
def index_fill(input: Tensor, dim: builtins.int, index: Tensor, value: Any) -> Tensor:
    """`input` with its slices at the positions in the vector `index` along `dim` filled with a number."""
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
    """`input` with `input[indices]` replaced by, or with `accumulate` increased by, `values`; an index is an integer tensor, a mask or None for a whole dimension."""
def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
    """`index_put`, in place."""
def index_reduce(input: Tensor, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, *, include_self: builtins.bool = True) -> Tensor:
    """`input` with the slices of `source` that have one position in the vector `index` along `dim` folded into the slice there by "prod", "mean", "amax" or "amin"."""
def index_select(input: Tensor, dim: builtins.int, index: Tensor) -> Tensor:
    """The slices of `input` at the positions in the vector `index` along `dim`."""
def initial_seed() -> builtins.int:
    """The seed from which the default generator was started last."""
def inner(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The sums of products over the last dimension of both."""
def inverse(A: Tensor, *, out: None = None) -> Tensor:
    """The inverse of a square matrix, or of each in a batch."""
def is_complex(input: Tensor) -> builtins.bool:
    """Always False: there are no complex dtypes."""
def is_conj(input: Tensor) -> builtins.bool:
    """False: values are never conjugated or negated later."""
def is_floating_point(input: Tensor) -> builtins.bool:
    """Whether the dtype is float32 or float64."""
def is_inference(input: Tensor) -> builtins.bool:
    """Whether the tensor was computed in inference mode."""
def is_neg(input: Tensor) -> builtins.bool:
    """False: values are never conjugated or negated later."""
def is_nonzero(input: Tensor) -> builtins.bool:
    """Whether the one element is not zero."""
def is_same_size(input: Tensor, other: Tensor) -> builtins.bool:
    """Whether two tensors have the same shape."""
def is_signed(input: Tensor) -> builtins.bool:
    """Whether the dtype has negative numbers: every one but bool."""
def is_tensor(obj: Any) -> builtins.bool:
    """Whether an object is a tensor."""
def isclose(input: Tensor, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element; infinities are close to themselves."""
def isfinite(input: Tensor, *, out: None = None) -> Tensor:
    """Whether an element is neither infinite nor nan."""
def isin(elements: Any, test_elements: Any, *, assume_unique: builtins.bool = False, invert: builtins.bool = False) -> Tensor:
    """Which elements are among `test_elements`."""
def isinf(input: Tensor, *, out: None = None) -> Tensor:
    """Whether an element is infinite."""
def isnan(input: Tensor, *, out: None = None) -> Tensor:
    """Whether an element is nan."""
def isneginf(input: Tensor) -> Tensor:
    """Which elements are -inf."""
def isposinf(input: Tensor) -> Tensor:
    """Which elements are inf."""
def isreal(input: Tensor) -> Tensor:
    """True for every element: there are no complex numbers."""
def kaiser_window(window_length: builtins.int, periodic: builtins.bool = True, beta: builtins.float = 12.0, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """``I0(beta sqrt(1 - (2 x - 1)^2)) / I0(beta)`` with the modified Bessel function I0."""
def kron(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The Kronecker product: every element of `input` replaced by its product with the whole of `other`."""
def kthvalue(input: Tensor, k: builtins.int, dim: builtins.int = -1, keepdim: builtins.bool = False) -> Any:
    """The `k`-th smallest element along `dim` (k = 1 is the smallest), as `values` and `indices`."""
from tapediff.functions.facts import Layout as layout
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple of integers, which broadcast."""
def lcm_(input: Tensor, other: Tensor) -> Tensor:
    """`lcm`, in place."""
def ldexp(input: Tensor, other: Any) -> Tensor:
    """``input * 2**other``."""
def ldexp_(input: Tensor, other: Any) -> Tensor:
    """`ldexp`, in place."""
def le(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is at most other."""
def lerp(input: Tensor, end: Tensor, weight: Any, *, out: None = None) -> Tensor:
    """``input + weight * (end - input)``: the point between two tensors at `weight`, a number or a tensor."""
def less(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is less than other."""
def less_equal(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is at most other."""
def lgamma(input: Tensor, *, out: None = None) -> Tensor:
    """The logarithm of the absolute value of the gamma function."""
def linspace(start: Any, end: Any, steps: Any = None, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """`steps` points at equal distances from `start` to `end`, both included."""
def log(input: Tensor, *, out: None = None) -> Tensor:
    """The natural logarithm."""
def log10(input: Tensor, *, out: None = None) -> Tensor:
    """The logarithm to base 10."""
def log10_(input: Tensor, *, out: None = None) -> Tensor:
    """`log10`, in place."""
def log1p(input: Tensor, *, out: None = None) -> Tensor:
    """``log(1 + x)``, accurate near 0."""
def log1p_(input: Tensor, *, out: None = None) -> Tensor:
    """`log1p`, in place."""
def log2(input: Tensor, *, out: None = None) -> Tensor:
    """The logarithm to base 2."""
def log2_(input: Tensor, *, out: None = None) -> Tensor:
    """`log2`, in place."""
def log_(input: Tensor, *, out: None = None) -> Tensor:
    """`log`, in place."""
def log_softmax(input: Tensor, dim: builtins.int, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, without underflow."""
def logaddexp(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """``log(exp(input) + exp(other))``, without overflow."""
def logaddexp2(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """``log2(2**input + 2**other)``, without overflow."""
def logcumsumexp(input: Tensor, dim: builtins.int) -> Tensor:
    """log(cumsum(exp(input))) along `dim`, without overflow."""
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; nan where that is negative."""
def logical_and(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """Whether both elements are nonzero."""
def logical_not(input: Tensor, *, out: None = None) -> Tensor:
    """Whether an element is zero."""
def logical_or(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """Whether at least one of two elements is nonzero."""
def logical_xor(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """Whether exactly one of two elements is nonzero."""
def logit(input: Tensor, eps: builtins.float | None = None, *, out: None = None) -> Tensor:
    """``log(x / (1 - x))``, with x first brought into ``[eps, 1 - eps]`` if `eps` is given."""
def logit_(input: Tensor, eps: builtins.float | None = None, *, out: None = None) -> Tensor:
    """`logit`, in place."""
def logspace(start: Any, end: Any, steps: Any = None, base: builtins.float = 10.0, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """`base` to the power of `steps` points at equal distances from `start` to `end`."""
def logsumexp(input: Tensor, dim: Any, keepdim: builtins.bool = False) -> Tensor:
    """log(sum(exp(input))) over `dim`, without overflow."""
def lt(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether input is less than other."""
def lu(A: Tensor, pivot: builtins.bool = True, get_infos: builtins.bool = False, out: None = None) -> Any:
    """`linalg.lu_factor_ex` under its old name, with the third result if `get_infos`."""
def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: None = None) -> Tensor:
    """`linalg.lu_solve` under its old name."""
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: builtins.bool = True, unpack_pivots: builtins.bool = True, *, out: None = None) -> Any:
    """P, L and U from the results of `linalg.lu_factor`; what is not unpacked is empty."""
def manual_seed(seed: builtins.int) -> Generator:
    """Start the default generator from `seed`; returns the generator."""
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`value`, a number or a tensor without dimensions, where `mask` holds, else `input`; input and mask broadcast."""
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`input` with the elements of `source`, one after the other, where `mask` holds; input and mask broadcast."""
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where `mask` holds, as a vector; input and mask broadcast."""
def matmul(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The matrix product ``input @ other``: of vectors, of matrices, or of stacks of matrices that broadcast."""
def matrix_exp(A: Tensor) -> Tensor:
    """The exponential of a square matrix, or of each in a batch: the sum of ``A^k / k!``."""
def matrix_power(input: Tensor, n: builtins.int, *, out: None = None) -> Tensor:
    """A square matrix, or a stack of them, multiplied by itself n times; a negative n takes the inverse."""
def max(input: Tensor, dim: Any = None, keepdim: builtins.bool | None = None, *, other: Any = None) -> Any:
    """The largest of all elements; along `dim` a pair (values, indices); of two tensors their maximum."""
def maximum(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The larger of two elements; nan if either is."""
def mean(input: Tensor, dim: Any = ..., keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of all elements, or over the dimensions `dim`; integers have to be converted first, or by `dtype`."""
def median(input: Tensor, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Any:
    """The middle of all elements, the lower one of two; along `dim` a pair (values, indices). nan where there is a nan."""
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """For each vector a grid in which it runs along its own dimension; with `indexing="xy"` the first two dimensions are exchanged."""
def min(input: Tensor, dim: Any = None, keepdim: builtins.bool | None = None, *, other: Any = None) -> Any:
    """The smallest of all elements; along `dim` a pair (values, indices); of two tensors their minimum."""
def minimum(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The smaller of two elements; nan if either is."""
def mm(input: Tensor, mat2: Tensor, *, out: None = None) -> Tensor:
    """The product of an n x m and an m x p matrix."""
def mode(input: Tensor, dim: builtins.int = -1, keepdim: builtins.bool = False) -> ReturnType:
    """The commonest element along `dim`, the smallest one of several, and an index of it."""
def moveaxis(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places; the rest keep their order."""
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places; the rest keep their order."""
def msort(input: Tensor) -> Tensor:
    """The elements in rising order along the first dimension."""
def mul(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The product."""
def multinomial(input: Tensor, num_samples: builtins.int, replacement: builtins.bool = False, *, generator: Generator | None = None) -> Tensor:
    """`num_samples` positions, drawn with probabilities proportional to a vector of weights, or to each row of a matrix."""
def multiply(input: Any, other: Any, *, out: None = None) -> Tensor:
    """The product."""
def mv(input: Tensor, vec: Tensor, *, out: None = None) -> Tensor:
    """The product of an n x m matrix and a vector of m elements."""
def nan_to_num(input: Tensor, nan: builtins.float | None = None, posinf: builtins.float | None = None, neginf: builtins.float | None = None, *, out: None = None) -> Tensor:
    """Each nan replaced by `nan` (0 by default) and each infinity by `posinf` or `neginf` (by default the largest and smallest finite numbers)."""
def nan_to_num_(input: Tensor, nan: builtins.float | None = None, posinf: builtins.float | None = None, neginf: builtins.float | None = None, *, out: None = None) -> Tensor:
    """`nan_to_num`, in place."""
def nanmean(input: Tensor, dim: Any = None, keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not nan."""
def nanmedian(input: Tensor, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Any:
    """The median of what is not nan."""
def nansum(input: Tensor, dim: Any = None, keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
    """The sum with nans left out."""
def narrow(input: Tensor, dim: builtins.int, start: Any, length: builtins.int) -> Tensor:
    """`length` indices of a dimension from `start` on."""
def ne(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether two elements differ."""
def neg(input: Tensor, *, out: None = None) -> Tensor:
    """The negative."""
def neg_(input: Tensor, *, out: None = None) -> Tensor:
    """`neg`, in place."""
def negative(input: Tensor, *, out: None = None) -> Tensor:
    """The negative."""
def negative_(input: Tensor, *, out: None = None) -> Tensor:
    """`negative`, in place."""
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The float next to `input` in the direction of `other`; without derivative."""
def nonzero(input: Tensor, *, as_tuple: builtins.bool = False) -> Any:
    """The positions of the elements that are not zero: one row each, or with `as_tuple` one vector per dimension."""
def norm(input: Tensor, p: Any = 'fro', dim: Any = None, keepdim: builtins.bool = False, dtype: Any = None) -> Tensor:
    """The p-norm of all elements, or over the dimensions `dim`; "fro" and None are 2."""
def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """Normally distributed numbers with the means and standard deviations of two tensors, or two numbers and a shape."""
def not_equal(input: Any, other: Any, *, out: None = None) -> Tensor:
    """Whether two elements differ."""
def numel(input: Tensor) -> builtins.int:
    """The number of elements."""
def ones(*args: Any, size: Any = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """Ones of the shape `size`."""
def ones_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """Ones of the shape and dtype of `input`."""
def orgqr(input: Tensor, input2: Tensor, *, out: None = None) -> Tensor:
    """`linalg.householder_product` under its old name."""
def outer(input: Tensor, vec2: Tensor, *, out: None = None) -> Tensor:
    """The products of every element of one vector with every element of another."""
def pairwise_distance(x1: Tensor, x2: Tensor, p: builtins.float = 2.0, eps: builtins.float = 1e-06, keepdim: builtins.bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` over the last dimension."""
def pdist(input: Tensor, p: builtins.float = 2.0) -> Tensor:
    """The p-norm of the difference of every row and every later one."""
def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """The dimensions in the order `dims`."""
def pinverse(input: Tensor, rcond: builtins.float = 1e-15) -> Tensor:
    """`linalg.pinv` under its old name: singular values up to `rcond` times the largest count as 0."""
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of a Poisson distribution with the rates that `input` gives."""
def polygamma(n: builtins.int, input: Tensor, *, out: None = None) -> Tensor:
    """The n-th derivative of the digamma function."""
def positive(input: Tensor) -> Tensor:
    """The tensor itself."""
def pow(input: Any, exponent: Any, *, out: None = None) -> Tensor:
    """``input ** exponent``; either may be a number, not both."""
def prod(input: Tensor, dim: Any = None, keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or over one dimension; integers and bools multiply as int64."""
def promote_types(type1: DType, type2: DType) -> DType:
    """The smallest dtype that holds both."""
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: builtins.bool = False) -> Tensor:
    """`input` with the elements at places of the flat tensor replaced by, or with `accumulate` increased by, those of `source`."""
def qr(input: Tensor, some: builtins.bool = True, *, out: None = None) -> Any:
    """`linalg.qr` under its old name; without `some` in mode "complete"."""
def quantile(input: Tensor, q: Any, dim: builtins.int | None = None, keepdim: builtins.bool = False, *, interpolation: str = 'linear') -> Tensor:
    """The value below which the fraction `q` of the elements lies; between two elements it is found by `interpolation`."""
def rad2deg(input: Tensor, *, out: None = None) -> Tensor:
    """Radians in degrees."""
def rad2deg_(input: Tensor, *, out: None = None) -> Tensor:
    """`rad2deg`, in place."""
def rand(*args: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """Numbers equally distributed in [0, 1)."""
def rand_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """As `rand`, in the shape and dtype of `input`."""
def randint(*args: Any, low: Any = None, high: Any = None, size: Any = None, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """Integers from `low` (0) up to but not including `high`: `randint(high, size)` or `randint(low, high, size)`."""
def randint_like(input: Tensor, *args: Any, low: Any = None, high: Any = None, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """As `randint`, in the shape and dtype of `input`: `randint_like(input, high)` or `randint_like(input, low, high)`."""
def randn(*args: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """Numbers of the standard normal distribution."""
def randn_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """As `randn`, in the shape and dtype of `input`."""
def randperm(n: builtins.int, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """The numbers from 0 to n - 1 in random order."""
def range(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: builtins.bool = False) -> Tensor:
    """The numbers from `start` to and with `end`, `step` apart, of the default dtype; deprecated for `arange`."""
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
def reciprocal(input: Tensor, *, out: None = None) -> Tensor:
    """One over the element."""
def reciprocal_(input: Tensor, *, out: None = None) -> Tensor:
    """`reciprocal`, in place."""
def relu(input: Tensor, *, out: None = None) -> Tensor:
    """The element where it is positive, and 0 elsewhere."""
def relu_(input: Tensor, *, out: None = None) -> Tensor:
    """`relu`, in place."""
def remainder(input: Tensor, other: Any, *, out: None = None) -> Tensor:
    """The remainder of a division rounded down; it has the divisor's sign."""
def renorm(input: Tensor, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
    """Slices along `dim` whose p-norm exceeds `maxnorm` are scaled down to it."""
def repeat_interleave(input: Tensor, repeats: Any = None, dim: builtins.int | None = None, *, output_size: builtins.int | None = None) -> Tensor:
    """Each element, or each slice along `dim`, repeated `repeats` times; a vector of repeats has one number for each."""
def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """The same elements under another shape; one size may be -1 and is worked out."""
def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype of an arithmetic operation on two operands, tensors or numbers."""
def roll(input: Tensor, shifts: Any, dims: Any = ...) -> Tensor:
    """The elements moved by `shifts` along `dims`, round the end; without `dims` the flat tensor is shifted."""
def rot90(input: Tensor, k: builtins.int = 1, dims: Any = ...) -> Tensor:
    """The plane of `dims` turned by `k` quarters, from the first of them towards the second."""
def round(input: Tensor, *, decimals: builtins.int = 0, out: None = None) -> Tensor:
    """Each element rounded to the nearest integer, a tie to the even one; or to `decimals` decimal places."""
def round_(input: Tensor, *, decimals: builtins.int = 0, out: None = None) -> Tensor:
    """`round`, in place."""
def row_stack(tensors: Any) -> Tensor:
    """The tensors below each other; a vector is one row."""
def rsqrt(input: Tensor, *, out: None = None) -> Tensor:
    """One over the square root."""
def rsqrt_(input: Tensor, *, out: None = None) -> Tensor:
    """`rsqrt`, in place."""
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``."""
def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, layout: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """A tensor without dimensions, of the default dtype unless another is asked for."""
def scatter(input: Tensor, dim: builtins.int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """`input` with the elements of `src`, or one number, written at `index` along `dim`: `out[index[i][j]][j] = src[i][j]` for dim 0."""
def scatter_add(input: Tensor, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
    """`input` with the elements of `src` added at `index` along `dim`; those with one index add up."""
def scatter_reduce(input: Tensor, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, *, include_self: builtins.bool = True) -> Tensor:
    """`input` with the elements of `src` that have one index along `dim` folded into that place by "sum", "prod", "mean", "amax" or "amin"."""
def searchsorted(sorted_sequence: Tensor, input: Any, *, out_int32: builtins.bool = False, right: builtins.bool = False, side: str | None = None, sorter: Tensor | None = None) -> Tensor:
    """Where the values of `input` belong in rising sequences (the last dimension): before equal elements, or with `right` behind them."""
def seed() -> builtins.int:
    """Start the default generator from a seed that nobody can foresee, which is returned."""
def select(input: Tensor, dim: builtins.int, index: builtins.int, *, op: str = 'select') -> Tensor:
    """One index of a dimension, which goes away."""
def select_scatter(input: Tensor, src: Tensor, dim: builtins.int, index: builtins.int) -> Tensor:
    """A copy with `src` at one index of a dimension."""
def set_default_device(device: Any) -> None:
    """Accepted as long as it is the CPU."""
def set_default_tensor_type(kind: Any) -> None:
    """PyTorch's old way to set the default dtype, by a tensor type or its name, `torch.DoubleTensor`."""
def set_float32_matmul_precision(precision: str) -> None:
    """Accepted for PyTorch's sake: products of float32 matrices are always computed in float32."""
def set_num_interop_threads(threads: builtins.int) -> None:
    """Accepted for PyTorch's sake: eager operations run on one thread."""
def set_num_threads(threads: builtins.int) -> None:
    """Accepted for PyTorch's sake: eager operations run on one thread."""
def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator go on from a state that `get_rng_state` returned."""
def sgn(input: Tensor, *, out: None = None) -> Tensor:
    """The sign: -1, 0 or 1."""
def sigmoid(input: Tensor, *, out: None = None) -> Tensor:
    """The logistic function ``1 / (1 + exp(-x))``."""
def sigmoid_(input: Tensor, *, out: None = None) -> Tensor:
    """`sigmoid`, in place."""
def sign(input: Tensor, *, out: None = None) -> Tensor:
    """The sign: -1, 0 or 1."""
def signbit(input: Tensor, *, out: None = None) -> Tensor:
    """Whether the sign bit is set; it is for -0."""
def sin(input: Tensor, *, out: None = None) -> Tensor:
    """The sine of an angle in radians."""
def sin_(input: Tensor, *, out: None = None) -> Tensor:
    """`sin`, in place."""
def sinc(input: Tensor, *, out: None = None) -> Tensor:
    """``sin(pi x) / (pi x)``, 1 at 0."""
def sinc_(input: Tensor, *, out: None = None) -> Tensor:
    """`sinc`, in place."""
def sinh(input: Tensor, *, out: None = None) -> Tensor:
    """The hyperbolic sine."""
def sinh_(input: Tensor, *, out: None = None) -> Tensor:
    """`sinh`, in place."""
def slice_scatter(input: Tensor, src: Tensor, dim: builtins.int = 0, start: builtins.int | None = None, end: builtins.int | None = None, step: builtins.int = 1) -> Tensor:
    """A copy with `src` in a slice of a dimension."""
def slogdet(input: Tensor) -> Any:
    """The sign of the determinant, and the logarithm of its magnitude."""
def softmax(input: Tensor, dim: builtins.int, dtype: Any = None) -> Tensor:
    """exp(input) over its sum along `dim`: positive numbers that add up to 1."""
def sort(input: Tensor, dim: builtins.int = -1, descending: builtins.bool = False, *, stable: builtins.bool | None = None) -> Any:
    """The elements in rising or falling order along `dim`, as `values` and the `indices` they come from; NaN is larger than all numbers."""
def split(input: Tensor, split_size_or_sections: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
    """Pieces of a given size, or of given sizes, along a dimension."""
def split_with_sizes(input: Tensor, split_sizes: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
    """Pieces of given sizes along a dimension."""
def sqrt(input: Tensor, *, out: None = None) -> Tensor:
    """The square root; nan where negative."""
def sqrt_(input: Tensor, *, out: None = None) -> Tensor:
    """`sqrt`, in place."""
def square(input: Tensor, *, out: None = None) -> Tensor:
    """The square."""
def square_(input: Tensor, *, out: None = None) -> Tensor:
    """`square`, in place."""
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the dimensions of size 1: all of them, or those named."""
def stack(tensors: Any, dim: builtins.int = 0, *, axis: builtins.int | None = None) -> Tensor:
    """The tensors, all of one shape, behind each other along a new dimension `dim`."""
def std(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: builtins.bool = False, *, correction: Any = ...) -> Tensor:
    """The standard deviation: the square root of `var`; where it is 0 its derivative counts as 0."""
def std_mean(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: builtins.bool = False, *, correction: Any = ...) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean."""
strided: Any
def sub(input: Tensor, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
    """``input - alpha * other``; the operands broadcast and promote."""
def subtract(input: Tensor, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
    """``input - alpha * other``; the operands broadcast and promote."""
def sum(input: Tensor, dim: Any = ..., keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of all elements, or over the dimensions `dim`; integers and bools add up as int64."""
def svd(input: Tensor, some: builtins.bool = True, compute_uv: builtins.bool = True, *, out: None = None) -> Any:
    """The decomposition ``input = U @ diag(S) @ V.mT``; `some` leaves out the columns beyond the singular values."""
def swapaxes(input: Tensor, dim0: builtins.int, dim1: builtins.int) -> Tensor:
    """Two dimensions exchanged."""
def swapdims(input: Tensor, dim0: builtins.int, dim1: builtins.int) -> Tensor:
    """Two dimensions exchanged."""
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector is itself."""
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at places of the flat `input`; negative ones count from the end."""
def take_along_dim(input: Tensor, indices: Tensor, dim: builtins.int | None = None) -> Tensor:
    """As `gather`, after broadcasting `input` and `indices` in all dimensions but `dim`; without `dim` both are flat."""
def tan(input: Tensor, *, out: None = None) -> Tensor:
    """The tangent of an angle in radians."""
def tan_(input: Tensor, *, out: None = None) -> Tensor:
    """`tan`, in place."""
def tanh(input: Tensor, *, out: None = None) -> Tensor:
    """The hyperbolic tangent."""
def tanh_(input: Tensor, *, out: None = None) -> Tensor:
    """`tanh`, in place."""
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: builtins.bool = False, pin_memory: builtins.bool = False) -> Tensor:
    """A leaf that copies a number, nested sequences of numbers, an array or a tensor."""
def tensor_split(input: Tensor, indices_or_sections: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
    """Pieces between given indices, or a number of pieces whose sizes differ by at most one."""
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: None = None) -> Tensor:
    """The sum of products over the last `dims` dimensions of `a` and the first of `b`, or over two lists of dimensions."""
def tile(input: Tensor, *args: Any, dims: Any = None) -> Tensor:
    """Copies of the tensor beside each other; missing counts in front are 1."""
def topk(input: Tensor, k: builtins.int, dim: builtins.int = -1, largest: builtins.bool = True, sorted: builtins.bool = True) -> Any:
    """The `k` largest or smallest elements along `dim` in order, as `values` and `indices`; of equal elements the first."""
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
def transpose(input: Tensor, dim0: builtins.int, dim1: builtins.int) -> Tensor:
    """Two dimensions exchanged."""
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: builtins.int = -1) -> Tensor:
    """The integral of samples along `dim` by the trapezoidal rule: at the places `x`, or `dx` apart."""
def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = 1, dim: builtins.int = -1) -> Tensor:
    """The integral of samples along `dim` by the trapezoidal rule: at the places `x`, or `dx` apart."""
def tril(input: Tensor, diagonal: builtins.int = 0) -> Tensor:
    """Each matrix with zeros above a diagonal."""
def tril_indices(row: builtins.int, col: builtins.int, offset: builtins.int = 0, *, dtype: Any = ..., device: Any = None, layout: Any = None) -> Tensor:
    """The positions on and below a diagonal of a `row` x `col` matrix: a row of row numbers and a row of column numbers."""
def triu(input: Tensor, diagonal: builtins.int = 0) -> Tensor:
    """Each matrix with zeros below a diagonal."""
def triu_indices(row: builtins.int, col: builtins.int, offset: builtins.int = 0, *, dtype: Any = ..., device: Any = None, layout: Any = None) -> Tensor:
    """The positions on and above a diagonal of a `row` x `col` matrix: a row of row numbers and a row of column numbers."""
def true_divide(input: Tensor, other: Any, *, out: None = None) -> Tensor:
    """``input / other``, always floating."""
def trunc(input: Tensor, *, out: None = None) -> Tensor:
    """The integer part, rounded towards zero."""
def trunc_(input: Tensor, *, out: None = None) -> Tensor:
    """`trunc`, in place."""
def typename(obj: Any) -> str:
    """The name of an object's type with its module; of a class or function its own name."""
def unbind(input: Tensor, dim: builtins.int = 0) -> tuple[Tensor, ...]:
    """All slices along a dimension."""
def unflatten(input: Tensor, dim: builtins.int, sizes: Any) -> Tensor:
    """One dimension split into several; one of `sizes` may be -1."""
def unique(input: Tensor, sorted: builtins.bool = True, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None) -> Any:
    """The different elements, or slices along `dim`, in rising order; on request with the place of each element among them, and how often each occurs."""
def unique_consecutive(input: Tensor, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None) -> Any:
    """The elements, or slices along `dim`, without those that equal the one before."""
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The places in an array of `shape` of elements counted in row order: a tensor for each dimension."""
def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
    """Pieces of given sizes along a dimension."""
def unsqueeze(input: Tensor, dim: builtins.int) -> Tensor:
    """With one more dimension of size 1 at `dim`."""
def use_deterministic_algorithms(mode: builtins.bool, *, warn_only: builtins.bool = False) -> None:
    """Accepted for PyTorch's sake: results never depend on chance or on the number of threads."""
def vander(x: Tensor, N: builtins.int | None = None, increasing: builtins.bool = False) -> Tensor:
    """The powers of each element of a vector in a row: falling from ``N - 1``, or `increasing` from 0."""
def var(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: builtins.bool = False, *, correction: Any = ...) -> Tensor:
    """The variance: squared deviations from the mean, added up, over (number of elements - correction), which is 1 unless given."""
def var_mean(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: builtins.bool = False, *, correction: Any = ...) -> tuple[Tensor, Tensor]:
    """The variance and the mean."""
def vdot(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """As `dot`; the two differ for complex numbers only."""
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along the dimension that `vsplit` stands for; sections must be equally long."""
def vstack(tensors: Any) -> Tensor:
    """The tensors below each other; a vector is one row."""
def where(condition: Tensor, input: Any = None, other: Any = None, *, out: None = None) -> Any:
    """`input` where `condition` is true and `other` elsewhere; with the condition alone, the indices of its true elements."""
def xlogy(input: Any, other: Any, *, out: None = None) -> Tensor:
    """``input * log(other)``, 0 where input is 0."""
def xlogy_(input: Any, other: Any, *, out: None = None) -> Tensor:
    """`xlogy`, in place."""
def zero_(self: Tensor) -> Tensor:
    """All elements set to zero, in place."""
def zeros(*args: Any, size: Any = None, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False) -> Tensor:
    """Zeros of the shape `size`."""
def zeros_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: builtins.bool = False, requires_grad: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """Zeros of the shape and dtype of `input`."""
