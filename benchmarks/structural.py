"""Every row of the table of structural ops on operands of some thousand elements: forward, and forward with its adjoint.

What an eager step through the row costs: recorded, computed and read; recorded and differentiated. Rows without a derivative are
timed forward only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

import tapediff as td
import tapediff.forward  # loads Numba and the sweeps: asv forks the processes of all benchmarks from one that has loaded this
from tapediff.ops import STRUCTURAL
from tapediff.recording import structural

SIDE = 64


@dataclass(frozen=True)
class Operand:
    """A value of an operand: `kind` says how it is drawn, `high` bounds an integer."""

    shape: tuple[int, ...]
    kind: str = "real"
    high: int = 0

    def draw(self, generator):
        if self.kind == "integer":
            return generator.integers(0, self.high, self.shape)
        if self.kind == "boolean":
            return np.arange(np.prod(self.shape)).reshape(self.shape) % 2 == 0
        if self.kind == "matrix":
            return generator.uniform(-1, 1, self.shape) + 3 * np.eye(self.shape[-1])
        if self.kind == "tall":
            return generator.uniform(-1, 1, self.shape) + np.eye(*self.shape) * np.arange(1, self.shape[-1] + 1)
        if self.kind == "pivots":
            return generator.integers(1, self.high + 1, self.shape).astype(np.float64)
        if self.kind == "positive definite":
            root = generator.uniform(-1, 1, self.shape) / self.shape[-1]
            return root @ root.T + np.eye(self.shape[-1])
        if self.kind == "orthonormal":
            return np.linalg.qr(generator.uniform(-1, 1, self.shape))[0]
        if self.kind == "tolerance":
            return np.full(self.shape, 1e-6)
        if self.kind == "sorted":
            return np.sort(generator.uniform(-2, 2, self.shape))
        return generator.uniform(0.1, 2, self.shape)


@dataclass(frozen=True)
class Call:
    """A row's attributes and operands."""

    attributes: Any
    operands: tuple[Operand, ...]


def real(*shape):
    return Operand(shape)


def integer(high, *shape):
    return Operand(shape, "integer", high)


def boolean(*shape):
    return Operand(shape, "boolean")


def view_of(*shape):
    """Attributes of a view: its shape, its strides in elements, its start."""
    strides = [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]
    return shape, tuple(strides), 0


A, V, S = real(SIDE, SIDE), real(SIDE), real()
N = SIDE * SIDE
COLUMNS, ROWS = integer(SIDE, SIDE, SIDE), integer(SIDE, SIDE)
TURNED = ((SIDE, SIDE), (1, SIDE), 0)
MATRIX, BATCH = Operand((16, 16), "matrix"), real(8, 16, 16)
IMAGE, IMAGES, KERNELS = real(4, 3, 16, 16), real(4, 8, 16, 16), real(8, 3, 3, 3)
WINDOWS = ((16, 16), (3, 3), (1, 1), (1, 1), (1, 1))  # inputs, windows, strides, padding, dilation
HALVES = ((16, 16), (2, 2), (2, 2), (0, 0), (1, 1))
PLACES = integer(256, 4, 3, 8, 8)

CALLS: dict[str, Call] = {}


def call(names: str, attributes: Any, *operands: Operand) -> None:
    for name in names.split():
        CALLS[name] = Call(attributes, operands)


call("sum mean nansum max min median nanmedian amax amin aminmax_max aminmax_min any all count_nonzero", ((0, 1), False), A)
call("prod logsumexp var_mean_mean std_mean_mean", ((0, 1), False), A)
call("sum_dim mean_dim", ((1,), False), A)
call("prod_dim", ((1,), False), A)
call("var std var_mean_var std_mean_std", ((0, 1), False, 1), A)
call("vector_norm dist", ((0, 1), False, 2), A)
call("trace", None, A)
call("cumsum cumprod logcumsumexp", (1, False), A)
call("linear_recurrence", (1, False), A, A)
call("shifted", (1, 1, 0.0), A)
call("gather", 1, A, COLUMNS)
call("scatter", (1, False), A, A, COLUMNS)
call("scatter_add", (1, True), A, A, COLUMNS)
call("scatter_value", 1, A, S, COLUMNS)
call("add_along", ((1, True), True), A, A, COLUMNS)
CHOSEN = "read_along max_dim min_dim median_dim nanmedian_dim mode cummax cummin sort sort_stable topk kthvalue"
call(CHOSEN, (1, True), A, COLUMNS)
call("index_select", 1, A, ROWS)
call("index_add", (1, True), A, A, ROWS)
call("index_copy", (1, False), A, A, ROWS)
call("index_fill index_fill_tensor", 1, A, S, ROWS)
call("take", None, A, integer(N, N))
call("put", (None, True), A, real(N), integer(N, N))
call("index", (0,), A, ROWS)
call("index_put", ((0,), True), A, A, ROWS)
call("is_last_write", ("gather", 1, (SIDE, SIDE)), COLUMNS)
call("scatter_reduce", (1, "amax", True), A, A, COLUMNS)
call("cat", (0, (0, SIDE, 2 * SIDE)), A, A)
call("stack", 0, A, A)
call("expand broadcast", ((SIDE, SIDE), (0, 1), 0), V)
call("as_strided transpose t permute select slice diagonal unbind split split_with_sizes unfold diagonal_copy", TURNED, A)
call("view unsafe_view unsqueeze squeeze squeeze_dim squeeze_dims alias squeeze_product clone_product", view_of(N), A)
call("strided_sum", TURNED, A)
call("strided_write", ((SIDE, SIDE), (1, SIDE), 0), A, A)
call("clone", None, A)
call("mm", None, A, A)
call("mv", None, A, V)
call("dot vdot", None, real(N), real(N))
call("bmm", None, BATCH, BATCH)
call("addmm", (1.0, 1.0, None), V, A, A)
call("baddbmm", (1.0, 1.0, None), real(16), BATCH, BATCH)
call("einsum", (((0, 1), (1, 2)), (0, 2)), A, A)
call("cross", (1,), real(N, 3), real(N, 3))
call("inverse det log_det sign_det cofactors", None, MATRIX)
call("solve", False, MATRIX, real(16, 16))
call("solve_triangular", (False, False, False), MATRIX, real(16, 16))
call("cholesky", False, Operand((16, 16), "positive definite"))
TALL = Operand((24, 16), "tall")
call("eigh eigvalsh", False, MATRIX)
call("svd svdvals qr qr_complete lu_factor lu_info", None, TALL)
call("complement", None, Operand((24, 16), "orthonormal"))
call("matrix_exp", None, MATRIX)
call("cholesky_info", None, Operand((16, 16), "positive definite"))
call("permutation", SIDE, Operand((SIDE,), "pivots", SIDE))
call("pinv", False, TALL, Operand((), "tolerance"), Operand((), "tolerance"))
call("lstsq", ("gelsd", 1e-8), TALL, real(24, 16))
call("undifferentiable", ("RuntimeError", "no derivative"), A, ROWS)
call("nll_loss nll_loss2d", ("mean", -100, (SIDE, SIDE)), A, ROWS)
call("nll_spread", ("mean", -100, (SIDE, SIDE)), S, ROWS)
call("masked_fill masked_fill_tensor", None, A, boolean(SIDE, SIDE), S)
call("masked_select", N // 2, A, boolean(SIDE, SIDE))
call("masked_scatter", None, A, boolean(SIDE, SIDE), real(N // 2))
call("zero_ fill_ fill_tensor_ copy_ uniform_ normal_ bernoulli_ random_ exponential_ log_normal_ cauchy_ geometric_", None, A, S)
call("nan_to_numbers", (0.5, 3.0, -4.0), A)
call("argmax argmin", (1, False), A)
call("cummax_index cummin_index", 1, A)
call("rank_index", (1, False, (SIDE // 2,)), A)
call("nanmedian_index mode_index", (1, False), A)
call("flip", (0, 1), A)
call("roll", ((3, 5), (0, 1)), A)
call("rot90", (1, (0, 1)), A)
call("tril triu", 0, A)
call("repeat", (2, 2), A)
call("diag_embed", (view_of(SIDE, SIDE)[0], (SIDE + 1,), 0), V)
call("softmax log_softmax", 1, A)
call("argsort", (1, False), A)
call("topk_order", (8, 1, True), A)
call("kth_position", (8, 1, False), A)
call("searchsorted", (True, False), Operand((N,), "sorted"), A)
call("im2col", WINDOWS, IMAGE)
call("col2im", WINDOWS, real(4, 27, 256))
call("convolution", (WINDOWS, 1), IMAGE, KERNELS)
call("convolution_transpose", (WINDOWS, 1), IMAGES, KERNELS)
call("convolution_weight", (WINDOWS, 1), IMAGE, IMAGES)
call("max_pool_index", (HALVES, False), IMAGE)
call("adaptive_max_pool_index", (8, 8), IMAGE)
call("max_pool2d max_pool3d adaptive_max_pool2d", (16, 16), IMAGE, PLACES)
call("pool_spread", (16, 16), real(4, 3, 8, 8), PLACES)
call("avg_pool2d avg_pool3d", (HALVES, False, True, None), IMAGE)
call("avg_pool_spread", (HALVES, False, True, None), real(4, 3, 8, 8))
call(
    "mse_mean smooth_l1_mean huber_mean bce_mean bce_logits_mean soft_margin_mean multi_margin_mean mse_sum smooth_l1_sum "
    "huber_sum bce_sum bce_logits_sum soft_margin_sum multi_margin_sum",
    ((0, 1), False),
    A,
)


class StructuralRow:
    params = tuple(CALLS)
    param_names = ("row",)

    def setup(self, name):
        self.row, self.attributes = STRUCTURAL[name], CALLS[name].attributes
        generator = np.random.default_rng(0)
        arrays = [operand.draw(generator) for operand in CALLS[name].operands]
        self.tensors = [td.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
        y = self.result()
        self.is_differentiable = y.requires_grad
        self.weights = td.ones_like(y) if self.is_differentiable else None
        self.time_forward(name)
        self.time_forward_and_reverse(name)

    def result(self):
        return structural(self.row, self.attributes, *self.tensors)

    def time_forward(self, name):
        with td.no_grad():
            self.result().numpy()

    def time_forward_and_reverse(self, name):
        if self.is_differentiable:
            for tensor in self.tensors:
                tensor.grad = None
            self.result().backward(self.weights)
