"""The methods that modules above tapediff.tensor attach to Tensor. Printed by `python -m tools.write_stubs`."""

import builtins
from collections.abc import Callable
from numpy import ndarray
from numpy import ufunc
from typing import Any
from tapediff.functions.random import Generator
from tapediff.functions.return_types import ReturnType
from tapediff.hooks import HookHandle
from tapediff.recording import Handle
from tapediff.tensor import Tensor


class Attached(Handle):
    @property
    def H(self) -> Tensor:
        """The dimensions in reverse order."""
    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order."""
    def __abs__(self, *, out: None = None) -> Tensor:
        """The absolute value."""
    def __add__(self, other: Any) -> Tensor:
        """The operator of the row ``add``, on its quick path."""
    def __and__(self, other: Any) -> Tensor:
        """The operator on the right of a tensor; ``bitwise_and`` as a function."""
    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> ndarray[Any, Any]:
        """The value for NumPy; refused for tensors that require grad, as PyTorch does."""
    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        """NumPy's other functions: the one of the same name here if there is one, else NumPy on the values."""
    def __array_ufunc__(self, ufunc: ufunc, how: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's universal functions stay on the tape: `np.sin(t)`, `array * t`."""
    def __contains__(self, element: Any) -> builtins.bool:
        """Whether some element equals `element`."""
    def __copy__(self) -> Tensor:
        """A tensor that shares the memory; a leaf stays a leaf that requires grad."""
    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        """A leaf with a copy of the value."""
    def __dlpack__(self, **options: Any) -> Any:
        """The memory as a DLPack capsule, for other libraries."""
    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]:
        """The CPU."""
    def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
    def __floordiv__(self, other: Any) -> Tensor:
        """The operator on the right of a tensor; ``floor_divide`` as a function."""
    def __ge__(self, other: Any) -> Tensor: ...
    def __getitem__(self, index: Any) -> Tensor:
        """`x[i]`, `x[1:3, ..., None]`: a view."""
    def __gt__(self, other: Any) -> Tensor: ...
    def __iadd__(self, other: Any) -> Tensor: ...
    def __iand__(self, other: Any) -> Tensor: ...
    def __ifloordiv__(self, other: Any) -> Tensor: ...
    def __ilshift__(self, other: Any) -> Tensor: ...
    def __imod__(self, other: Any) -> Tensor: ...
    def __imul__(self, other: Any) -> Tensor: ...
    def __invert__(self) -> Tensor:
        """``~x``: every bit turned over; of a bool tensor the negation."""
    def __ior__(self, other: Any) -> Tensor: ...
    def __ipow__(self, other: Any) -> Tensor: ...
    def __irshift__(self, other: Any) -> Tensor: ...
    def __isub__(self, other: Any) -> Tensor: ...
    def __iter__(self) -> Any:
        """The slices along the first dimension."""
    def __itruediv__(self, other: Any) -> Tensor: ...
    def __ixor__(self, other: Any) -> Tensor: ...
    def __le__(self, other: Any) -> Tensor: ...
    def __lshift__(self, other: Any) -> Tensor:
        """The operator on the right of a tensor; ``bitwise_left_shift`` as a function."""
    def __lt__(self, other: Any) -> Tensor: ...
    def __matmul__(self, other: Any) -> Tensor: ...
    def __mod__(self, other: Any) -> Tensor:
        """The operator on the right of a tensor; ``remainder`` as a function."""
    def __mul__(self, other: Any) -> Tensor:
        """The operator of the row ``mul``, on its quick path."""
    def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor:
        """The operator of the row ``neg``, on its quick path."""
    def __or__(self, other: Any) -> Tensor:
        """The operator on the right of a tensor; ``bitwise_or`` as a function."""
    def __pos__(self) -> Tensor:
        """The tensor itself."""
    def __pow__(self, other: Any) -> Tensor:
        """The operator of the row ``pow``, on its quick path."""
    def __radd__(self, other: Any) -> Tensor:
        """The operator of the row ``add``, on its quick path."""
    def __rand__(self, other: Any) -> Tensor:
        """The operator on the left of a tensor; ``bitwise_and`` as a function."""
    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle the value and requires_grad."""
    def __rfloordiv__(self, other: Any) -> Tensor:
        """The operator on the left of a tensor; ``floor_divide`` as a function."""
    def __rlshift__(self, other: Any) -> Tensor:
        """The operator on the left of a tensor; ``bitwise_left_shift`` as a function."""
    def __rmatmul__(self, other: Any) -> Tensor: ...
    def __rmod__(self, other: Any) -> Tensor:
        """The operator on the left of a tensor; ``remainder`` as a function."""
    def __rmul__(self, other: Any) -> Tensor:
        """The operator of the row ``mul``, on its quick path."""
    def __ror__(self, other: Any) -> Tensor:
        """The operator on the left of a tensor; ``bitwise_or`` as a function."""
    def __rpow__(self, other: Any) -> Tensor:
        """The operator of the row ``pow``, on its quick path."""
    def __rrshift__(self, other: Any) -> Tensor:
        """The operator on the left of a tensor; ``bitwise_right_shift`` as a function."""
    def __rshift__(self, other: Any) -> Tensor:
        """The operator on the right of a tensor; ``bitwise_right_shift`` as a function."""
    def __rsub__(self, other: Any) -> Tensor:
        """The operator of the row ``sub``, on its quick path."""
    def __rtruediv__(self, other: Any) -> Tensor:
        """The operator of the row ``div``, on its quick path."""
    def __rxor__(self, other: Any) -> Tensor:
        """The operator on the left of a tensor; ``bitwise_xor`` as a function."""
    def __setitem__(self, index: Any, value: Any) -> None:
        """Indexed assignment: `x[i] = value` writes into the tensor's memory."""
    def __sub__(self, other: Any) -> Tensor:
        """The operator of the row ``sub``, on its quick path."""
    def __truediv__(self, other: Any) -> Tensor:
        """The operator of the row ``div``, on its quick path."""
    def __xor__(self, other: Any) -> Tensor:
        """The operator on the right of a tensor; ``bitwise_xor`` as a function."""
    @property
    def _base(self) -> Tensor | None:
        """The tensor that a view shows elements of; None for one that is no view."""
    def _is_view(self) -> builtins.bool:
        """Whether the tensor shows another one's elements."""
    @property
    def _version(self) -> builtins.int:
        """How many times the memory of a tensor was written in place."""
    def abs(self) -> Tensor:
        """The absolute value."""
    def abs_(self, *, out: None = None) -> Tensor:
        """`abs`, in place."""
    def absolute(self) -> Tensor:
        """The absolute value."""
    def absolute_(self, *, out: None = None) -> Tensor:
        """`absolute`, in place."""
    def acos(self) -> Tensor:
        """The angle whose cosine is the element."""
    def acos_(self, *, out: None = None) -> Tensor:
        """`acos`, in place."""
    def acosh(self) -> Tensor:
        """The inverse hyperbolic cosine; nan below 1."""
    def acosh_(self, *, out: None = None) -> Tensor:
        """`acosh`, in place."""
    def add(self, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
        """``input + alpha * other``; the operands broadcast and promote."""
    def add_(self, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
        """`add`, in place."""
    def addbmm(self, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """``beta * input + alpha * bmm(batch1, batch2).sum(0)``."""
    def addbmm_(self, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """`addbmm`, in place."""
    def addcdiv(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
        """``input + value * tensor1 / tensor2``."""
    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
        """`addcdiv`, in place."""
    def addcmul(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
        """``input + value * tensor1 * tensor2``."""
    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: None = None) -> Tensor:
        """`addcmul`, in place."""
    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """``beta * input + alpha * (mat1 @ mat2)``; the input broadcasts to the product's shape."""
    def addmm_(self, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """`addmm`, in place."""
    def addmv(self, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """``beta * input + alpha * (mat @ vec)``."""
    def addmv_(self, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """`addmv`, in place."""
    def addr(self, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """``beta * input + alpha * outer(vec1, vec2)``."""
    def addr_(self, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """`addr`, in place."""
    def adjoint(self) -> Tensor:
        """The last two dimensions exchanged: the transpose, as all numbers are real."""
    def all(self, dim: Any = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether no element is zero; True of no elements."""
    def allclose(self, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> builtins.bool:
        """Whether all elements are close, as `isclose` tells."""
    def amax(self, dim: Any = ..., keepdim: builtins.bool = False) -> Tensor:
        """The largest element over the dimensions `dim`, without its index; equal elements share the gradient evenly."""
    def amin(self, dim: Any = ..., keepdim: builtins.bool = False) -> Tensor:
        """The smallest element over the dimensions `dim`, without its index; equal elements share the gradient evenly."""
    def aminmax(self, *, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> ReturnType:
        """The smallest and the largest element, of all or along one dimension."""
    def any(self, dim: Any = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether any element is not zero; False of no elements."""
    def apply_(self, callable: Callable[[Any], Any]) -> Tensor:
        """Each element replaced by what a function of a Python number returns for it; slow."""
    def arccos(self) -> Tensor:
        """The angle whose cosine is the element."""
    def arccos_(self, *, out: None = None) -> Tensor:
        """`arccos`, in place."""
    def arccosh(self) -> Tensor:
        """The inverse hyperbolic cosine; nan below 1."""
    def arccosh_(self, *, out: None = None) -> Tensor:
        """`arccosh`, in place."""
    def arcsin(self) -> Tensor:
        """The angle whose sine is the element."""
    def arcsin_(self, *, out: None = None) -> Tensor:
        """`arcsin`, in place."""
    def arcsinh(self) -> Tensor:
        """The inverse hyperbolic sine."""
    def arcsinh_(self, *, out: None = None) -> Tensor:
        """`arcsinh`, in place."""
    def arctan(self) -> Tensor:
        """The angle whose tangent is the element."""
    def arctan2(self, other: Tensor, *, out: None = None) -> Tensor:
        """The angle of the point (other, input), in (-pi, pi]."""
    def arctan2_(self, other: Tensor, *, out: None = None) -> Tensor:
        """`arctan2`, in place."""
    def arctan_(self, *, out: None = None) -> Tensor:
        """`arctan`, in place."""
    def arctanh(self) -> Tensor:
        """The inverse hyperbolic tangent; nan outside [-1, 1]."""
    def arctanh_(self, *, out: None = None) -> Tensor:
        """`arctanh`, in place."""
    def argmax(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """The index of the largest element, the first one of equals: in the flat tensor, or along `dim`."""
    def argmin(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """The index of the smallest element, the first one of equals: in the flat tensor, or along `dim`."""
    def argsort(self, dim: builtins.int = -1, descending: builtins.bool = False, *, stable: builtins.bool = False) -> Tensor:
        """The indices that put the elements along `dim` in order."""
    def argwhere(self) -> Tensor:
        """The positions of the elements that are not zero, one row each."""
    def as_strided(self, size: Any, stride: Any, storage_offset: builtins.int | None = None) -> Tensor:
        """The memory of a contiguous tensor in any arrangement of sizes and strides."""
    def as_strided_scatter(self, src: Tensor, size: Any, stride: Any, storage_offset: builtins.int | None = None) -> Tensor:
        """A copy with `src` where `as_strided` shows the elements."""
    def asin(self) -> Tensor:
        """The angle whose sine is the element."""
    def asin_(self, *, out: None = None) -> Tensor:
        """`asin`, in place."""
    def asinh(self) -> Tensor:
        """The inverse hyperbolic sine."""
    def asinh_(self, *, out: None = None) -> Tensor:
        """`asinh`, in place."""
    def atan(self) -> Tensor:
        """The angle whose tangent is the element."""
    def atan2(self, other: Tensor, *, out: None = None) -> Tensor:
        """The angle of the point (other, input), in (-pi, pi]."""
    def atan2_(self, other: Tensor, *, out: None = None) -> Tensor:
        """`atan2`, in place."""
    def atan_(self, *, out: None = None) -> Tensor:
        """`atan`, in place."""
    def atanh(self) -> Tensor:
        """The inverse hyperbolic tangent; nan outside [-1, 1]."""
    def atanh_(self, *, out: None = None) -> Tensor:
        """`atanh`, in place."""
    def backward(self, gradient: Tensor | None = None, retain_graph: builtins.bool | None = None, create_graph: builtins.bool = False, inputs: Any = None) -> None:
        """Add the gradient of this tensor to the `.grad` of the leaves that it depends on."""
    def baddbmm(self, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """``beta * input + alpha * bmm(batch1, batch2)``; the input broadcasts to the product's shape."""
    def baddbmm_(self, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: None = None) -> Tensor:
        """`baddbmm`, in place."""
    def bernoulli(self, p: builtins.float | None = None, *, generator: Generator | None = None) -> Tensor:
        """1 with the probability that `input` gives, or `p` everywhere in its shape, else 0."""
    def bernoulli_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place. 1 with probability `p` (0.5), a number or a tensor that broadcasts to the shape, else 0."""
    def bincount(self, weights: Tensor | None = None, minlength: builtins.int = 0) -> Tensor:
        """How often each number from 0 to the largest occurs in a vector of integers, or the sum of the weights of its occurrences."""
    def bitwise_and(self, other: Any, *, out: None = None) -> Tensor:
        """The bits that are set in both."""
    def bitwise_and_(self, other: Any, *, out: None = None) -> Tensor:
        """`bitwise_and`, in place."""
    def bitwise_left_shift(self, other: Any, *, out: None = None) -> Tensor:
        """The bits moved up by `other` places."""
    def bitwise_left_shift_(self, other: Any, *, out: None = None) -> Tensor:
        """`bitwise_left_shift`, in place."""
    def bitwise_not(self) -> Tensor:
        """Every bit turned over; of a bool tensor the negation."""
    def bitwise_not_(self, *, out: None = None) -> Tensor:
        """`bitwise_not`, in place."""
    def bitwise_or(self, other: Any, *, out: None = None) -> Tensor:
        """The bits that are set in at least one."""
    def bitwise_or_(self, other: Any, *, out: None = None) -> Tensor:
        """`bitwise_or`, in place."""
    def bitwise_right_shift(self, other: Any, *, out: None = None) -> Tensor:
        """The bits moved down by `other` places, keeping the sign."""
    def bitwise_right_shift_(self, other: Any, *, out: None = None) -> Tensor:
        """`bitwise_right_shift`, in place."""
    def bitwise_xor(self, other: Any, *, out: None = None) -> Tensor:
        """The bits that are set in exactly one."""
    def bitwise_xor_(self, other: Any, *, out: None = None) -> Tensor:
        """`bitwise_xor`, in place."""
    def bmm(self, mat2: Tensor, *, out: None = None) -> Tensor:
        """The products of two stacks of matrices, b x n x m and b x m x p."""
    def bool(self, memory_format: Any = None) -> Tensor:
        """The tensor as bool; itself where it is already."""
    def broadcast_to(self, *sizes: Any, size: Any = None) -> Tensor:
        """Repeated to a shape."""
    def cauchy_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place."""
    def ceil(self) -> Tensor:
        """The smallest integer that is not less."""
    def ceil_(self, *, out: None = None) -> Tensor:
        """`ceil`, in place."""
    def cholesky(self, upper: builtins.bool = False, *, out: None = None) -> Tensor:
        """`linalg.cholesky` under its old name."""
    def cholesky_inverse(self, upper: builtins.bool = False, *, out: None = None) -> Tensor:
        """The inverse of the matrix whose Cholesky factor is L."""
    def cholesky_solve(self, L: Tensor, upper: builtins.bool = False, *, out: None = None) -> Tensor:
        """The solution X of ``A X = B``, given the Cholesky factor of A."""
    def chunk(self, chunks: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """At most `chunks` pieces of equal size along a dimension; the last may be smaller."""
    def clamp(self, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
        """Each element brought between `min` and `max`, numbers or tensors; an element that is moved passes no gradient on."""
    def clamp_(self, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
        """`clamp`, in place."""
    def clamp_max(self, max: Any, *, out: None = None) -> Tensor:
        """The element, at most `max`."""
    def clamp_max_(self, max: Any, *, out: None = None) -> Tensor:
        """`clamp_max`, in place."""
    def clamp_min(self, min: Any, *, out: None = None) -> Tensor:
        """The element, at least `min`."""
    def clamp_min_(self, min: Any, *, out: None = None) -> Tensor:
        """`clamp_min`, in place."""
    def clip(self, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
        """Each element brought between `min` and `max`, numbers or tensors; an element that is moved passes no gradient on."""
    def clip_(self, min: Any = None, max: Any = None, *, out: None = None) -> Tensor:
        """`clip`, in place."""
    def clone(self, *, memory_format: Any = None) -> Tensor:
        """A copy, through which gradients flow."""
    def combinations(self, r: builtins.int = 2, with_replacement: builtins.bool = False) -> Tensor:
        """All ways to take `r` elements of a vector in its order, one way a row."""
    def contiguous(self, memory_format: Any = None) -> Tensor:
        """The tensor itself where its memory is in row-major order, else a copy."""
    def copy_(self, src: Tensor, non_blocking: builtins.bool = False) -> Tensor:
        """The elements of `src`, broadcast and converted, written in place."""
    def copysign(self, other: Any, *, out: None = None) -> Tensor:
        """The magnitude of input with the sign of other."""
    def copysign_(self, other: Any, *, out: None = None) -> Tensor:
        """`copysign`, in place."""
    def corrcoef(self) -> Tensor:
        """The correlations of variables, one in each row: covariances over the standard deviations, brought between -1 and 1."""
    def cos(self) -> Tensor:
        """The cosine of an angle in radians."""
    def cos_(self, *, out: None = None) -> Tensor:
        """`cos`, in place."""
    def cosh(self) -> Tensor:
        """The hyperbolic cosine."""
    def cosh_(self, *, out: None = None) -> Tensor:
        """`cosh`, in place."""
    def count_nonzero(self, dim: Any = None) -> Tensor:
        """The number of elements that are not zero."""
    def cov(self, *, correction: builtins.int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
        """The covariances of variables, one in each row; each column is an observation."""
    def cpu(self) -> Tensor:
        """The tensor itself: there is no other device."""
    def cross(self, other: Tensor, dim: builtins.int | None = None, *, out: None = None) -> Tensor:
        """The vector product along `dim`, a dimension of size 3; without `dim` (deprecated) the first such dimension."""
    def cuda(self, *arguments: Any, **options: Any) -> Tensor:
        """Refused: there is no such device."""
    def cummax(self, dim: builtins.int) -> ReturnType:
        """The largest elements along `dim` up to each one, and their indices, the last ones of equals."""
    def cummin(self, dim: builtins.int) -> ReturnType:
        """The smallest elements along `dim` up to each one, and their indices, the last ones of equals."""
    def cumprod(self, dim: builtins.int, *, dtype: Any = None) -> Tensor:
        """The products of the elements along `dim` up to each one."""
    def cumprod_(self, dim: builtins.int, *, dtype: Any = None) -> Tensor:
        """`cumprod`, in place."""
    def cumsum(self, dim: builtins.int, *, dtype: Any = None) -> Tensor:
        """The sums of the elements along `dim` up to each one; integers and bools add up as int64."""
    def cumsum_(self, dim: builtins.int, *, dtype: Any = None) -> Tensor:
        """`cumsum`, in place."""
    @property
    def data(self) -> Tensor:
        """The same value, sharing memory, whose in-place changes no backward pass notices."""
    @data.setter
    def data(self, value: Tensor) -> None: ...
    def data_ptr(self) -> builtins.int:
        """The address of the first element."""
    def deg2rad(self) -> Tensor:
        """Degrees in radians."""
    def deg2rad_(self, *, out: None = None) -> Tensor:
        """`deg2rad`, in place."""
    def det(self, *, out: None = None) -> Tensor:
        """The determinant of a square matrix, or of each in a batch."""
    def detach(self) -> Tensor:
        """The same value, sharing memory, through which no gradient flows."""
    def detach_(self) -> Tensor:
        """Cut this tensor from its graph; it becomes a leaf."""
    def diag(self, diagonal: builtins.int = 0) -> Tensor:
        """A vector as a diagonal of a square matrix of zeros; of a matrix, a copy of a diagonal."""
    def diag_embed(self, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1) -> Tensor:
        """The last dimension as a diagonal of square matrices of zeros in the dimensions `dim1` and `dim2` of the result."""
    def diagflat(self, offset: builtins.int = 0) -> Tensor:
        """A matrix with the elements on a diagonal."""
    def diagonal(self, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """The elements whose indices in dim1 and dim2 differ by `offset`, as the last dimension."""
    def diagonal_scatter(self, src: Tensor, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """A copy with `src` on a diagonal."""
    def diff(self, n: builtins.int = 1, dim: builtins.int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
        """Each element minus the one before it along `dim`, `n` times over; bools by exclusive or."""
    def digamma(self) -> Tensor:
        """The derivative of lgamma."""
    def digamma_(self, *, out: None = None) -> Tensor:
        """`digamma`, in place."""
    def dist(self, other: Tensor, p: builtins.float = 2) -> Tensor:
        """The p-norm of input - other, which broadcast."""
    def div(self, other: Any, *, rounding_mode: str | None = None, out: None = None) -> Tensor:
        """``input / other``, rounded down ("floor") or towards zero ("trunc") if asked for; a quotient of integers is floating without rounding."""
    def div_(self, other: Any, *, rounding_mode: str | None = None, out: None = None) -> Tensor:
        """`div`, in place."""
    def divide(self, other: Any, *, rounding_mode: str | None = None, out: None = None) -> Tensor:
        """``input / other``, rounded down ("floor") or towards zero ("trunc") if asked for; a quotient of integers is floating without rounding."""
    def divide_(self, other: Any, *, rounding_mode: str | None = None, out: None = None) -> Tensor:
        """`divide`, in place."""
    def dot(self, tensor: Tensor, *, out: None = None) -> Tensor:
        """The sum of the products of two vectors' elements."""
    def double(self, memory_format: Any = None) -> Tensor:
        """The tensor as float64; itself where it is already."""
    def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """`tensor_split` along the dimension that `dsplit` stands for; sections must be equally long."""
    def eq(self, other: Any, *, out: None = None) -> Tensor:
        """Whether two elements are equal."""
    def eq_(self, other: Any, *, out: None = None) -> Tensor:
        """`eq`, in place."""
    def equal(self, other: Tensor) -> builtins.bool:
        """Whether two tensors have the same shape and the same elements."""
    def erf(self) -> Tensor:
        """The error function."""
    def erf_(self, *, out: None = None) -> Tensor:
        """`erf`, in place."""
    def erfc(self) -> Tensor:
        """One minus the error function, accurate where that is near 1."""
    def erfc_(self, *, out: None = None) -> Tensor:
        """`erfc`, in place."""
    def erfinv(self) -> Tensor:
        """The inverse of the error function."""
    def erfinv_(self, *, out: None = None) -> Tensor:
        """`erfinv`, in place."""
    def exp(self) -> Tensor:
        """e to the power of the element."""
    def exp2(self) -> Tensor:
        """2 to the power of the element."""
    def exp2_(self, *, out: None = None) -> Tensor:
        """`exp2`, in place."""
    def exp_(self, *, out: None = None) -> Tensor:
        """`exp`, in place."""
    def expand(self, *sizes: Any, size: Any = None) -> Tensor:
        """Dimensions of size 1 repeated without a copy; -1 keeps a size."""
    def expand_as(self, other: Tensor) -> Tensor:
        """Repeated to the shape of `other`."""
    def expm1(self) -> Tensor:
        """``exp(x) - 1``, accurate near 0."""
    def expm1_(self, *, out: None = None) -> Tensor:
        """`expm1`, in place."""
    def exponential_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place."""
    def fill_(self, value: Any) -> Tensor:
        """All elements set to one number (or tensor without dimensions), in place."""
    def fill_diagonal_(self, fill_value: builtins.float, wrap: builtins.bool = False) -> Tensor:
        """The main diagonal set to a number, in place; in a tall matrix it begins anew below if `wrap`."""
    def fix(self) -> Tensor:
        """The integer part, rounded towards zero."""
    def fix_(self, *, out: None = None) -> Tensor:
        """`fix`, in place."""
    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """The dimensions from start_dim to end_dim made one."""
    def flip(self, *args: Any, dims: Any = None) -> Tensor:
        """The elements in reverse order along `dims`."""
    def fliplr(self) -> Tensor:
        """The columns in reverse order."""
    def flipud(self) -> Tensor:
        """The rows in reverse order."""
    def float(self, memory_format: Any = None) -> Tensor:
        """The tensor as float32; itself where it is already."""
    def float_power(self, exponent: Any, *, out: None = None) -> Tensor:
        """``input ** exponent`` in double precision."""
    def float_power_(self, exponent: Any, *, out: None = None) -> Tensor:
        """`float_power`, in place."""
    def floor(self) -> Tensor:
        """The largest integer that is not greater."""
    def floor_(self, *, out: None = None) -> Tensor:
        """`floor`, in place."""
    def floor_divide(self, other: Any, *, out: None = None) -> Tensor:
        """The quotient, rounded down."""
    def floor_divide_(self, other: Any, *, out: None = None) -> Tensor:
        """`floor_divide`, in place."""
    def fmax(self, other: Tensor, *, out: None = None) -> Tensor:
        """The larger of two elements; the other one if one is nan."""
    def fmin(self, other: Tensor, *, out: None = None) -> Tensor:
        """The smaller of two elements; the other one if one is nan."""
    def fmod(self, other: Any, *, out: None = None) -> Tensor:
        """The remainder of a division rounded towards zero; it has the dividend's sign."""
    def fmod_(self, other: Any, *, out: None = None) -> Tensor:
        """`fmod`, in place."""
    def frac(self) -> Tensor:
        """The part after the decimal point, with the sign of the element."""
    def frac_(self, *, out: None = None) -> Tensor:
        """`frac`, in place."""
    def frexp(self) -> Any:
        """The fraction, of a size from 1/2 to below 1, and the integer exponent of ``input = mantissa * 2**exponent``."""
    def gather(self, dim: builtins.int, index: Tensor, *, sparse_grad: builtins.bool = False) -> Tensor:
        """The elements of `input` at `index` along `dim`: `out[i][j] = input[index[i][j]][j]` for dim 0."""
    def gcd(self, other: Tensor) -> Tensor:
        """The greatest common divisor of integers, which broadcast; of 0 and 0 it is 0."""
    def gcd_(self, other: Tensor) -> Tensor:
        """`gcd`, in place."""
    def ge(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is at least other."""
    def ge_(self, other: Any, *, out: None = None) -> Tensor:
        """`ge`, in place."""
    def geometric_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place."""
    def ger(self, vec2: Tensor, *, out: None = None) -> Tensor:
        """The products of every element of one vector with every element of another."""
    def get_device(self) -> builtins.int:
        """-1, which stands for the CPU."""
    @property
    def grad_fn(self) -> Any:
        """The node that computed the tensor; None for a leaf."""
    def greater(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is greater than other."""
    def greater_(self, other: Any, *, out: None = None) -> Tensor:
        """`greater`, in place."""
    def greater_equal(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is at least other."""
    def greater_equal_(self, other: Any, *, out: None = None) -> Tensor:
        """`greater_equal`, in place."""
    def gt(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is greater than other."""
    def gt_(self, other: Any, *, out: None = None) -> Tensor:
        """`gt`, in place."""
    def heaviside(self, values: Tensor, *, out: None = None) -> Tensor:
        """0 where `input` is negative, 1 where it is positive, and `values` where it is zero."""
    def heaviside_(self, values: Tensor, *, out: None = None) -> Tensor:
        """`heaviside`, in place."""
    def histc(self, bins: builtins.int = 100, min: builtins.float = 0, max: builtins.float = 0) -> Tensor:
        """How many elements fall into each of `bins` intervals of equal width from `min` to `max`, or over the elements' own range where both are 0."""
    def histogram(self, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: builtins.bool = False) -> Any:
        """How many elements, or what sum of weights, fall between neighbouring edges; and the edges."""
    def hsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """`tensor_split` along the dimension that `hsplit` stands for; sections must be equally long."""
    def hypot(self, other: Tensor, *, out: None = None) -> Tensor:
        """The length of the hypotenuse ``sqrt(input**2 + other**2)``, without overflow."""
    def hypot_(self, other: Tensor, *, out: None = None) -> Tensor:
        """`hypot`, in place."""
    def i0(self) -> Tensor:
        """The modified Bessel function of the first kind and order 0."""
    def i0_(self, *, out: None = None) -> Tensor:
        """`i0`, in place."""
    def igamma(self, other: Tensor, *, out: None = None) -> Tensor:
        """The lower incomplete gamma function of `other` for the parameter `input`, as a fraction of the whole."""
    def igammac(self, other: Tensor, *, out: None = None) -> Tensor:
        """The upper incomplete gamma function, ``1 - gammainc(input, other)``; differentiated by `other` only."""
    def index_add(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
        """`input` with `alpha` times the slices of `source` added to its slices at the positions in the vector `index` along `dim`."""
    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
        """`index_add`, in place."""
    def index_copy(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """`input` with its slices at the positions in the vector `index` along `dim` replaced by the slices of `source`."""
    def index_copy_(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """`index_copy`, in place."""
    def index_fill(self, dim: builtins.int, index: Tensor, value: Any) -> Tensor:
        """`input` with its slices at the positions in the vector `index` along `dim` filled with a number."""
    def index_fill_(self, dim: builtins.int, index: Tensor, value: Any) -> Tensor:
        """`index_fill`, in place."""
    def index_put(self, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """`input` with `input[indices]` replaced by, or with `accumulate` increased by, `values`; an index is an integer tensor, a mask or None for a whole dimension."""
    def index_put_(self, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """`index_put`, in place."""
    def index_reduce(self, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, *, include_self: builtins.bool = True) -> Tensor:
        """`input` with the slices of `source` that have one position in the vector `index` along `dim` folded into the slice there by "prod", "mean", "amax" or "amin"."""
    def index_reduce_(self, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, *, include_self: builtins.bool = True) -> Tensor:
        """`index_reduce`, in place."""
    def index_select(self, dim: builtins.int, index: Tensor) -> Tensor:
        """The slices of `input` at the positions in the vector `index` along `dim`."""
    def inner(self, other: Tensor, *, out: None = None) -> Tensor:
        """The sums of products over the last dimension of both."""
    def int(self, memory_format: Any = None) -> Tensor:
        """The tensor as int32; itself where it is already."""
    def inverse(self, *, out: None = None) -> Tensor:
        """The inverse of a square matrix, or of each in a batch."""
    def is_conj(self) -> builtins.bool:
        """False: values are never conjugated or negated later."""
    def is_contiguous(self, memory_format: Any = None) -> builtins.bool:
        """Whether the elements lie in memory in row-major order."""
    def is_neg(self) -> builtins.bool:
        """False: values are never conjugated or negated later."""
    def is_nonzero(self) -> builtins.bool:
        """Whether the one element is not zero."""
    def is_pinned(self) -> builtins.bool:
        """False: no memory of a special kind."""
    def is_same_size(self, other: Tensor) -> builtins.bool:
        """Whether two tensors have the same shape."""
    def is_shared(self) -> builtins.bool:
        """False: no memory of a special kind."""
    def is_signed(self) -> builtins.bool:
        """Whether the dtype has negative numbers: all but bool."""
    def isclose(self, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> Tensor:
        """Whether ``|input - other| <= atol + rtol * |other|``, element by element; infinities are close to themselves."""
    def isfinite(self) -> Tensor:
        """Whether an element is neither infinite nor nan."""
    def isinf(self) -> Tensor:
        """Whether an element is infinite."""
    def isnan(self) -> Tensor:
        """Whether an element is nan."""
    def isneginf(self) -> Tensor:
        """Which elements are -inf."""
    def isposinf(self) -> Tensor:
        """Which elements are inf."""
    def isreal(self) -> Tensor:
        """True for every element: there are no complex numbers."""
    def kron(self, other: Tensor, *, out: None = None) -> Tensor:
        """The Kronecker product: every element of `input` replaced by its product with the whole of `other`."""
    def kthvalue(self, k: builtins.int, dim: builtins.int = -1, keepdim: builtins.bool = False) -> Any:
        """The `k`-th smallest element along `dim` (k = 1 is the smallest), as `values` and `indices`."""
    def lcm(self, other: Tensor) -> Tensor:
        """The least common multiple of integers, which broadcast."""
    def lcm_(self, other: Tensor) -> Tensor:
        """`lcm`, in place."""
    def ldexp(self, other: Any) -> Tensor:
        """``input * 2**other``."""
    def ldexp_(self, other: Any) -> Tensor:
        """`ldexp`, in place."""
    def le(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is at most other."""
    def le_(self, other: Any, *, out: None = None) -> Tensor:
        """`le`, in place."""
    def lerp(self, end: Tensor, weight: Any, *, out: None = None) -> Tensor:
        """``input + weight * (end - input)``: the point between two tensors at `weight`, a number or a tensor."""
    def lerp_(self, end: Tensor, weight: Any, *, out: None = None) -> Tensor:
        """`lerp`, in place."""
    def less(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is less than other."""
    def less_(self, other: Any, *, out: None = None) -> Tensor:
        """`less`, in place."""
    def less_equal(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is at most other."""
    def less_equal_(self, other: Any, *, out: None = None) -> Tensor:
        """`less_equal`, in place."""
    def lgamma(self) -> Tensor:
        """The logarithm of the absolute value of the gamma function."""
    def lgamma_(self, *, out: None = None) -> Tensor:
        """`lgamma`, in place."""
    def log(self) -> Tensor:
        """The natural logarithm."""
    def log10(self) -> Tensor:
        """The logarithm to base 10."""
    def log10_(self, *, out: None = None) -> Tensor:
        """`log10`, in place."""
    def log1p(self) -> Tensor:
        """``log(1 + x)``, accurate near 0."""
    def log1p_(self, *, out: None = None) -> Tensor:
        """`log1p`, in place."""
    def log2(self) -> Tensor:
        """The logarithm to base 2."""
    def log2_(self, *, out: None = None) -> Tensor:
        """`log2`, in place."""
    def log_(self, *, out: None = None) -> Tensor:
        """`log`, in place."""
    def log_normal_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place."""
    def log_softmax(self, dim: builtins.int, dtype: Any = None) -> Tensor:
        """The logarithm of softmax, without underflow."""
    def logaddexp(self, other: Tensor, *, out: None = None) -> Tensor:
        """``log(exp(input) + exp(other))``, without overflow."""
    def logaddexp2(self, other: Tensor, *, out: None = None) -> Tensor:
        """``log2(2**input + 2**other)``, without overflow."""
    def logcumsumexp(self, dim: builtins.int) -> Tensor:
        """log(cumsum(exp(input))) along `dim`, without overflow."""
    def logdet(self) -> Tensor:
        """The logarithm of the determinant; nan where that is negative."""
    def logical_and(self, other: Tensor, *, out: None = None) -> Tensor:
        """Whether both elements are nonzero."""
    def logical_and_(self, other: Tensor, *, out: None = None) -> Tensor:
        """`logical_and`, in place."""
    def logical_not(self) -> Tensor:
        """Whether an element is zero."""
    def logical_not_(self, *, out: None = None) -> Tensor:
        """`logical_not`, in place."""
    def logical_or(self, other: Tensor, *, out: None = None) -> Tensor:
        """Whether at least one of two elements is nonzero."""
    def logical_or_(self, other: Tensor, *, out: None = None) -> Tensor:
        """`logical_or`, in place."""
    def logical_xor(self, other: Tensor, *, out: None = None) -> Tensor:
        """Whether exactly one of two elements is nonzero."""
    def logical_xor_(self, other: Tensor, *, out: None = None) -> Tensor:
        """`logical_xor`, in place."""
    def logit(self, eps: builtins.float | None = None, *, out: None = None) -> Tensor:
        """``log(x / (1 - x))``, with x first brought into ``[eps, 1 - eps]`` if `eps` is given."""
    def logit_(self, eps: builtins.float | None = None, *, out: None = None) -> Tensor:
        """`logit`, in place."""
    def logsumexp(self, dim: Any, keepdim: builtins.bool = False) -> Tensor:
        """log(sum(exp(input))) over `dim`, without overflow."""
    def long(self, memory_format: Any = None) -> Tensor:
        """The tensor as int64; itself where it is already."""
    def lt(self, other: Any, *, out: None = None) -> Tensor:
        """Whether input is less than other."""
    def lt_(self, other: Any, *, out: None = None) -> Tensor:
        """`lt`, in place."""
    def lu(self, pivot: builtins.bool = True, get_infos: builtins.bool = False, out: None = None) -> Any:
        """`linalg.lu_factor_ex` under its old name, with the third result if `get_infos`."""
    def lu_solve(self, LU_data: Tensor, LU_pivots: Tensor, *, out: None = None) -> Tensor:
        """`linalg.lu_solve` under its old name."""
    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
    def map_(self, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Each element replaced by what a function of it and of the element of `tensor`, which broadcasts, returns; slow."""
    def masked_fill(self, mask: Tensor, value: Any) -> Tensor:
        """`value`, a number or a tensor without dimensions, where `mask` holds, else `input`; input and mask broadcast."""
    def masked_fill_(self, mask: Tensor, value: Any) -> Tensor:
        """`masked_fill`, in place."""
    def masked_scatter(self, mask: Tensor, source: Tensor) -> Tensor:
        """`input` with the elements of `source`, one after the other, where `mask` holds; input and mask broadcast."""
    def masked_scatter_(self, mask: Tensor, source: Tensor) -> Tensor:
        """`masked_scatter`, in place."""
    def masked_select(self, mask: Tensor) -> Tensor:
        """The elements where `mask` holds, as a vector; input and mask broadcast."""
    def matmul(self, other: Tensor, *, out: None = None) -> Tensor:
        """The matrix product ``input @ other``: of vectors, of matrices, or of stacks of matrices that broadcast."""
    def matrix_exp(self) -> Tensor:
        """The exponential of a square matrix, or of each in a batch: the sum of ``A^k / k!``."""
    def matrix_power(self, n: builtins.int, *, out: None = None) -> Tensor:
        """A square matrix, or a stack of them, multiplied by itself n times; a negative n takes the inverse."""
    def max(self, dim: Any = None, keepdim: builtins.bool | None = None, *, other: Any = None) -> Any:
        """The largest of all elements; along `dim` a pair (values, indices); of two tensors their maximum."""
    def maximum(self, other: Tensor, *, out: None = None) -> Tensor:
        """The larger of two elements; nan if either is."""
    def mean(self, dim: Any = ..., keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
        """The mean of all elements, or over the dimensions `dim`; integers have to be converted first, or by `dtype`."""
    def median(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Any:
        """The middle of all elements, the lower one of two; along `dim` a pair (values, indices). nan where there is a nan."""
    def min(self, dim: Any = None, keepdim: builtins.bool | None = None, *, other: Any = None) -> Any:
        """The smallest of all elements; along `dim` a pair (values, indices); of two tensors their minimum."""
    def minimum(self, other: Tensor, *, out: None = None) -> Tensor:
        """The smaller of two elements; nan if either is."""
    def mm(self, mat2: Tensor, *, out: None = None) -> Tensor:
        """The product of an n x m and an m x p matrix."""
    def mode(self, dim: builtins.int = -1, keepdim: builtins.bool = False) -> ReturnType:
        """The commonest element along `dim`, the smallest one of several, and an index of it."""
    def moveaxis(self, source: Any, destination: Any) -> Tensor:
        """Dimensions moved to other places; the rest keep their order."""
    def movedim(self, source: Any, destination: Any) -> Tensor:
        """Dimensions moved to other places; the rest keep their order."""
    def msort(self) -> Tensor:
        """The elements in rising order along the first dimension."""
    def mul(self, other: Any, *, out: None = None) -> Tensor:
        """The product."""
    def mul_(self, other: Any, *, out: None = None) -> Tensor:
        """`mul`, in place."""
    def multinomial(self, num_samples: builtins.int, replacement: builtins.bool = False, *, generator: Generator | None = None) -> Tensor:
        """`num_samples` positions, drawn with probabilities proportional to a vector of weights, or to each row of a matrix."""
    def multiply(self, other: Any, *, out: None = None) -> Tensor:
        """The product."""
    def multiply_(self, other: Any, *, out: None = None) -> Tensor:
        """`multiply`, in place."""
    def mv(self, vec: Tensor, *, out: None = None) -> Tensor:
        """The product of an n x m matrix and a vector of m elements."""
    def nan_to_num(self, nan: builtins.float | None = None, posinf: builtins.float | None = None, neginf: builtins.float | None = None, *, out: None = None) -> Tensor:
        """Each nan replaced by `nan` (0 by default) and each infinity by `posinf` or `neginf` (by default the largest and smallest finite numbers)."""
    def nan_to_num_(self, nan: builtins.float | None = None, posinf: builtins.float | None = None, neginf: builtins.float | None = None, *, out: None = None) -> Tensor:
        """`nan_to_num`, in place."""
    def nanmean(self, dim: Any = None, keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
        """The mean of what is not nan."""
    def nanmedian(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Any:
        """The median of what is not nan."""
    def nansum(self, dim: Any = None, keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
        """The sum with nans left out."""
    def narrow(self, dim: builtins.int, start: Any, length: builtins.int) -> Tensor:
        """`length` indices of a dimension from `start` on."""
    def ne(self, other: Any, *, out: None = None) -> Tensor:
        """Whether two elements differ."""
    def ne_(self, other: Any, *, out: None = None) -> Tensor:
        """`ne`, in place."""
    def neg(self) -> Tensor:
        """The negative."""
    def neg_(self, *, out: None = None) -> Tensor:
        """`neg`, in place."""
    def negative(self) -> Tensor:
        """The negative."""
    def negative_(self, *, out: None = None) -> Tensor:
        """`negative`, in place."""
    def new_empty(self, *args: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: builtins.bool = False, layout: Any = None, pin_memory: builtins.bool = False) -> Tensor:
        """A tensor of the shape `size`, in the dtype of this tensor, whose elements are whatever lay in its memory."""
    def new_full(self, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: builtins.bool = False, layout: Any = None, pin_memory: builtins.bool = False) -> Tensor:
        """One number everywhere in the shape `size`, in the dtype of this tensor."""
    def new_ones(self, *args: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: builtins.bool = False, layout: Any = None, pin_memory: builtins.bool = False) -> Tensor:
        """Ones of the shape `size`, in the dtype of this tensor."""
    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: builtins.bool = False, layout: Any = None, pin_memory: builtins.bool = False) -> Tensor:
        """A leaf that copies `data`, in the dtype of this tensor unless another is asked for."""
    def new_zeros(self, *args: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: builtins.bool = False, layout: Any = None, pin_memory: builtins.bool = False) -> Tensor:
        """Zeros of the shape `size`, in the dtype of this tensor."""
    def nextafter(self, other: Tensor) -> Tensor:
        """The float next to `input` in the direction of `other`; without derivative."""
    def nextafter_(self, other: Tensor) -> Tensor:
        """`nextafter`, in place."""
    def nonzero(self, *, as_tuple: builtins.bool = False) -> Any:
        """The positions of the elements that are not zero: one row each, or with `as_tuple` one vector per dimension."""
    def norm(self, p: Any = 'fro', dim: Any = None, keepdim: builtins.bool = False, dtype: Any = None) -> Tensor:
        """The p-norm of all elements, or over the dimensions `dim`; "fro" and None are 2."""
    def normal_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place."""
    def not_equal(self, other: Any, *, out: None = None) -> Tensor:
        """Whether two elements differ."""
    def not_equal_(self, other: Any, *, out: None = None) -> Tensor:
        """`not_equal`, in place."""
    def numpy(self, *, force: builtins.bool = False) -> ndarray[Any, Any]:
        """The value as a NumPy array that shares the tensor's memory."""
    def orgqr(self, input2: Tensor, *, out: None = None) -> Tensor:
        """`linalg.householder_product` under its old name."""
    def outer(self, vec2: Tensor, *, out: None = None) -> Tensor:
        """The products of every element of one vector with every element of another."""
    @property
    def output_nr(self) -> builtins.int:
        """Which output of its node the tensor is."""
    def permute(self, *order: Any, dims: Any = None) -> Tensor:
        """The dimensions in the order `dims`."""
    def pin_memory(self, device: Any = None) -> Tensor:
        """The tensor itself: its memory is the process's own."""
    def pinverse(self, rcond: builtins.float = 1e-15) -> Tensor:
        """`linalg.pinv` under its old name: singular values up to `rcond` times the largest count as 0."""
    def poisson(self, generator: Generator | None = None) -> Tensor:
        """Counts of a Poisson distribution with the rates that `input` gives."""
    def polygamma(self, n: builtins.int) -> Tensor:
        """``polygamma(n, self)``."""
    def polygamma_(self, input: Tensor, *, out: None = None) -> Tensor:
        """`polygamma`, in place."""
    def positive(self) -> Tensor:
        """The tensor itself."""
    def pow(self, exponent: Any, *, out: None = None) -> Tensor:
        """``input ** exponent``; either may be a number, not both."""
    def pow_(self, exponent: Any, *, out: None = None) -> Tensor:
        """`pow`, in place."""
    def prod(self, dim: Any = None, keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
        """The product of all elements, or over one dimension; integers and bools multiply as int64."""
    def put(self, index: Tensor, source: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """`input` with the elements at places of the flat tensor replaced by, or with `accumulate` increased by, those of `source`."""
    def put_(self, index: Tensor, source: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """`put`, in place."""
    def qr(self, some: builtins.bool = True, *, out: None = None) -> Any:
        """`linalg.qr` under its old name; without `some` in mode "complete"."""
    def quantile(self, q: Any, dim: builtins.int | None = None, keepdim: builtins.bool = False, *, interpolation: str = 'linear') -> Tensor:
        """The value below which the fraction `q` of the elements lies; between two elements it is found by `interpolation`."""
    def rad2deg(self) -> Tensor:
        """Radians in degrees."""
    def rad2deg_(self, *, out: None = None) -> Tensor:
        """`rad2deg`, in place."""
    def random_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place."""
    def ravel(self) -> Tensor:
        """All elements in one dimension."""
    @property
    def real(self) -> Any: ...
    def reciprocal(self) -> Tensor:
        """One over the element."""
    def reciprocal_(self, *, out: None = None) -> Tensor:
        """`reciprocal`, in place."""
    def register_hook(self, hook: Callable[[Tensor], Any]) -> HookHandle:
        """Call `hook(grad)` whenever the gradient of this tensor has been computed; what it returns, unless None, replaces the gradient."""
    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> HookHandle:
        """Call `hook(tensor)` whenever a backward pass has added to the gradient of this leaf."""
    def relu(self) -> Tensor:
        """The element where it is positive, and 0 elsewhere."""
    def relu_(self, *, out: None = None) -> Tensor:
        """`relu`, in place."""
    def remainder(self, other: Any, *, out: None = None) -> Tensor:
        """The remainder of a division rounded down; it has the divisor's sign."""
    def remainder_(self, other: Any, *, out: None = None) -> Tensor:
        """`remainder`, in place."""
    def renorm(self, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
        """Slices along `dim` whose p-norm exceeds `maxnorm` are scaled down to it."""
    def renorm_(self, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
        """`renorm`, in place."""
    def repeat(self, *args: Any, repeats: Any = None) -> Tensor:
        """Copies of the tensor beside each other, `repeats[d]` along dimension d; there may be more repeats than dimensions."""
    def repeat_interleave(self, repeats: Any = None, dim: builtins.int | None = None, *, output_size: builtins.int | None = None) -> Tensor:
        """Each element, or each slice along `dim`, repeated `repeats` times; a vector of repeats has one number for each."""
    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Let gradients flow to this leaf, or no longer."""
    def reshape(self, *sizes: Any, shape: Any = None) -> Tensor:
        """The same elements under another shape; one size may be -1 and is worked out."""
    def reshape_as(self, other: Tensor) -> Tensor:
        """The same elements under the shape of `other`."""
    def resize_(self, *sizes: Any, memory_format: Any = None) -> Tensor:
        """Another shape, in place: of the first elements, as many as it has; where it has more, they are followed by zeros."""
    def resize_as_(self, other: Tensor, *, memory_format: Any = None) -> Tensor:
        """`resize_` to the shape of another tensor."""
    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `.grad`."""
    def roll(self, shifts: Any, dims: Any = ...) -> Tensor:
        """The elements moved by `shifts` along `dims`, round the end; without `dims` the flat tensor is shifted."""
    def rot90(self, k: builtins.int = 1, dims: Any = ...) -> Tensor:
        """The plane of `dims` turned by `k` quarters, from the first of them towards the second."""
    def round(self, *, decimals: builtins.int = 0, out: None = None) -> Tensor:
        """Each element rounded to the nearest integer, a tie to the even one; or to `decimals` decimal places."""
    def round_(self, *, decimals: builtins.int = 0, out: None = None) -> Tensor:
        """`round`, in place."""
    def rsqrt(self) -> Tensor:
        """One over the square root."""
    def rsqrt_(self, *, out: None = None) -> Tensor:
        """`rsqrt`, in place."""
    def scatter(self, dim: builtins.int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
        """`input` with the elements of `src`, or one number, written at `index` along `dim`: `out[index[i][j]][j] = src[i][j]` for dim 0."""
    def scatter_(self, dim: builtins.int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
        """`scatter`, in place."""
    def scatter_add(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """`input` with the elements of `src` added at `index` along `dim`; those with one index add up."""
    def scatter_add_(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """`scatter_add`, in place."""
    def scatter_reduce(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, *, include_self: builtins.bool = True) -> Tensor:
        """`input` with the elements of `src` that have one index along `dim` folded into that place by "sum", "prod", "mean", "amax" or "amin"."""
    def scatter_reduce_(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, *, include_self: builtins.bool = True) -> Tensor:
        """`scatter_reduce`, in place."""
    def searchsorted(self, input: Any, *, out_int32: builtins.bool = False, right: builtins.bool = False, side: str | None = None, sorter: Tensor | None = None) -> Tensor:
        """Where the values of `input` belong in rising sequences (the last dimension): before equal elements, or with `right` behind them."""
    def select(self, dim: builtins.int, index: builtins.int, *, op: str = 'select') -> Tensor:
        """One index of a dimension, which goes away."""
    def select_scatter(self, src: Tensor, dim: builtins.int, index: builtins.int) -> Tensor:
        """A copy with `src` at one index of a dimension."""
    def set_(self, source: Tensor) -> Tensor:
        """Show the memory of another tensor."""
    def sgn(self) -> Tensor:
        """The sign: -1, 0 or 1."""
    def sgn_(self, *, out: None = None) -> Tensor:
        """`sgn`, in place."""
    def share_memory_(self, device: Any = None) -> Tensor:
        """The tensor itself: its memory is the process's own."""
    def sigmoid(self) -> Tensor:
        """The logistic function ``1 / (1 + exp(-x))``."""
    def sigmoid_(self, *, out: None = None) -> Tensor:
        """`sigmoid`, in place."""
    def sign(self) -> Tensor:
        """The sign: -1, 0 or 1."""
    def sign_(self, *, out: None = None) -> Tensor:
        """`sign`, in place."""
    def signbit(self) -> Tensor:
        """Whether the sign bit is set; it is for -0."""
    def sin(self) -> Tensor:
        """The sine of an angle in radians."""
    def sin_(self, *, out: None = None) -> Tensor:
        """`sin`, in place."""
    def sinc(self) -> Tensor:
        """``sin(pi x) / (pi x)``, 1 at 0."""
    def sinc_(self, *, out: None = None) -> Tensor:
        """`sinc`, in place."""
    def sinh(self) -> Tensor:
        """The hyperbolic sine."""
    def sinh_(self, *, out: None = None) -> Tensor:
        """`sinh`, in place."""
    def slice_scatter(self, src: Tensor, dim: builtins.int = 0, start: builtins.int | None = None, end: builtins.int | None = None, step: builtins.int = 1) -> Tensor:
        """A copy with `src` in a slice of a dimension."""
    def slogdet(self) -> Any:
        """The sign of the determinant, and the logarithm of its magnitude."""
    def softmax(self, dim: builtins.int, dtype: Any = None) -> Tensor:
        """exp(input) over its sum along `dim`: positive numbers that add up to 1."""
    def sort(self, dim: builtins.int = -1, descending: builtins.bool = False, *, stable: builtins.bool | None = None) -> Any:
        """The elements in rising or falling order along `dim`, as `values` and the `indices` they come from; NaN is larger than all numbers."""
    def split(self, split_size_or_sections: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Pieces of a given size, or of given sizes, along a dimension."""
    def split_with_sizes(self, split_sizes: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Pieces of given sizes along a dimension."""
    def sqrt(self) -> Tensor:
        """The square root; nan where negative."""
    def sqrt_(self, *, out: None = None) -> Tensor:
        """`sqrt`, in place."""
    def square(self) -> Tensor:
        """The square."""
    def square_(self, *, out: None = None) -> Tensor:
        """`square`, in place."""
    def squeeze(self, dim: Any = None) -> Tensor:
        """Without the dimensions of size 1: all of them, or those named."""
    def squeeze_(self, *arguments: Any, **options: Any) -> Tensor:
        """`squeeze`, in place: the tensor itself takes the new shape."""
    def std(self, dim: Any = None, unbiased: Any = None, keepdim: builtins.bool = False, *, correction: Any = ...) -> Tensor:
        """The standard deviation: the square root of `var`; where it is 0 its derivative counts as 0."""
    def storage_offset(self) -> builtins.int:
        """Where a view begins in its base, in elements."""
    def stride(self, dim: builtins.int | None = None) -> Any:
        """The strides of the memory, in elements."""
    def sub(self, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
        """``input - alpha * other``; the operands broadcast and promote."""
    def sub_(self, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
        """`sub`, in place."""
    def subtract(self, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
        """``input - alpha * other``; the operands broadcast and promote."""
    def subtract_(self, other: Any, *, alpha: Any = 1, out: None = None) -> Tensor:
        """`subtract`, in place."""
    def sum(self, dim: Any = ..., keepdim: builtins.bool = False, *, dtype: Any = None) -> Tensor:
        """The sum of all elements, or over the dimensions `dim`; integers and bools add up as int64."""
    def sum_to_size(self, *size: Any) -> Tensor:
        """The sum over the dimensions in which a tensor of `size` would have been broadcast."""
    def svd(self, some: builtins.bool = True, compute_uv: builtins.bool = True, *, out: None = None) -> Any:
        """The decomposition ``input = U @ diag(S) @ V.mT``; `some` leaves out the columns beyond the singular values."""
    def swapaxes(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dimensions exchanged."""
    def swapaxes_(self, *arguments: Any, **options: Any) -> Tensor:
        """`swapaxes`, in place: the tensor itself takes the new shape."""
    def swapdims(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dimensions exchanged."""
    def swapdims_(self, *arguments: Any, **options: Any) -> Tensor:
        """`swapdims`, in place: the tensor itself takes the new shape."""
    def t(self) -> Tensor:
        """The transpose of a matrix; a vector is itself."""
    def t_(self, *arguments: Any, **options: Any) -> Tensor:
        """`t`, in place: the tensor itself takes the new shape."""
    def take(self, index: Tensor) -> Tensor:
        """The elements at places of the flat `input`; negative ones count from the end."""
    def take_along_dim(self, indices: Tensor, dim: builtins.int | None = None) -> Tensor:
        """As `gather`, after broadcasting `input` and `indices` in all dimensions but `dim`; without `dim` both are flat."""
    def tan(self) -> Tensor:
        """The tangent of an angle in radians."""
    def tan_(self, *, out: None = None) -> Tensor:
        """`tan`, in place."""
    def tanh(self) -> Tensor:
        """The hyperbolic tangent."""
    def tanh_(self, *, out: None = None) -> Tensor:
        """`tanh`, in place."""
    def tensor_split(self, indices_or_sections: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Pieces between given indices, or a number of pieces whose sizes differ by at most one."""
    def tile(self, *args: Any, dims: Any = None) -> Tensor:
        """Copies of the tensor beside each other; missing counts in front are 1."""
    def to(self, *arguments: Any, dtype: Any = None, device: Any = None, copy: builtins.bool = False, non_blocking: builtins.bool = False, memory_format: Any = None) -> Tensor:
        """The tensor as another dtype: `x.to(td.float64)`, `x.to(other)`."""
    def topk(self, k: builtins.int, dim: builtins.int = -1, largest: builtins.bool = True, sorted: builtins.bool = True) -> Any:
        """The `k` largest or smallest elements along `dim` in order, as `values` and `indices`; of equal elements the first."""
    def trace(self) -> Tensor:
        """The sum of the diagonal of a matrix."""
    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dimensions exchanged."""
    def transpose_(self, *arguments: Any, **options: Any) -> Tensor:
        """`transpose`, in place: the tensor itself takes the new shape."""
    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """Each matrix with zeros above a diagonal."""
    def tril_(self, diagonal: builtins.int = 0) -> Tensor:
        """`tril`, in place."""
    def triu(self, diagonal: builtins.int = 0) -> Tensor:
        """Each matrix with zeros below a diagonal."""
    def triu_(self, diagonal: builtins.int = 0) -> Tensor:
        """`triu`, in place."""
    def true_divide(self, other: Any, *, out: None = None) -> Tensor:
        """``input / other``, always floating."""
    def true_divide_(self, other: Any, *, out: None = None) -> Tensor:
        """`true_divide`, in place."""
    def trunc(self) -> Tensor:
        """The integer part, rounded towards zero."""
    def trunc_(self, *, out: None = None) -> Tensor:
        """`trunc`, in place."""
    def type(self, dtype: Any = None, non_blocking: builtins.bool = False) -> Any:
        """The name of the tensor's type, as in 'torch.FloatTensor'; with a dtype, the tensor converted to it."""
    def type_as(self, other: Tensor) -> Tensor:
        """The tensor as the dtype of another one."""
    def unbind(self, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """All slices along a dimension."""
    def unflatten(self, dim: builtins.int, sizes: Any) -> Tensor:
        """One dimension split into several; one of `sizes` may be -1."""
    def unfold(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """All windows of `size` indices along a dimension, `step` apart, as the last dimension."""
    def uniform_(self, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        """Every element drawn anew, in place."""
    def unique(self, sorted: builtins.bool = True, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None) -> Any:
        """The different elements, or slices along `dim`, in rising order; on request with the place of each element among them, and how often each occurs."""
    def unique_consecutive(self, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None) -> Any:
        """The elements, or slices along `dim`, without those that equal the one before."""
    def unsafe_split_with_sizes(self, split_sizes: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Pieces of given sizes along a dimension."""
    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """With one more dimension of size 1 at `dim`."""
    def unsqueeze_(self, *arguments: Any, **options: Any) -> Tensor:
        """`unsqueeze`, in place: the tensor itself takes the new shape."""
    def var(self, dim: Any = None, unbiased: Any = None, keepdim: builtins.bool = False, *, correction: Any = ...) -> Tensor:
        """The variance: squared deviations from the mean, added up, over (number of elements - correction), which is 1 unless given."""
    def vdot(self, other: Tensor, *, out: None = None) -> Tensor:
        """As `dot`; the two differ for complex numbers only."""
    def view(self, *shape: Any) -> Tensor:
        """The same memory under another shape."""
    def view_as(self, other: Tensor) -> Tensor:
        """The same elements under the shape of `other`."""
    def vsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """`tensor_split` along the dimension that `vsplit` stands for; sections must be equally long."""
    def where(self, condition: Tensor, other: Any) -> Tensor:
        """``where(condition, self, other)``."""
    def xlogy(self, other: Any, *, out: None = None) -> Tensor:
        """``input * log(other)``, 0 where input is 0."""
    def xlogy_(self, other: Any, *, out: None = None) -> Tensor:
        """`xlogy`, in place."""
    def zero_(self) -> Tensor:
        """All elements set to zero, in place."""
