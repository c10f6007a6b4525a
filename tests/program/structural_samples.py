"""Operands of every structural row: for each row attributes, and a function that draws operands which fit them."""

from math import prod

import numpy as np

from tapediff.ops.structural import STRUCTURAL
from tapediff.shapes import contiguous_strides

INF, NAN = np.inf, np.nan


def floats(*shapes, low=-2.0, high=2.0):
    return lambda rng: tuple(rng.uniform(low, high, shape) for shape in shapes)


def coarse(*shapes):
    """Numbers with ties."""
    return lambda rng: tuple(rng.integers(-2, 3, shape).astype(float) for shape in shapes)


def spicy(shape):
    """Numbers among which are zeros, infinities and nans."""

    def make(rng):
        a = rng.uniform(-2, 2, shape)
        where = rng.uniform(0, 1, shape)
        for k, value in enumerate((0.0, -0.0, INF, -INF, NAN)):
            a[(where > 0.05 * k) & (where < 0.05 * k + 0.05)] = value
        return (a,)

    return make


def with_indices(first, *indices, draw=floats):
    """Operands of `draw`, then indices given as (shape, low, high)."""

    def make(rng):
        return (*draw(*first)(rng), *(rng.integers(low, high, shape) for shape, low, high in indices))

    return make


def masked(shape, *rest):
    def make(rng):
        return (rng.uniform(-2, 2, shape), rng.uniform(0, 1, shape) < 0.5, *(rng.uniform(-2, 2, other) for other in rest))

    return make


def counted(shape, count, *rest):
    """An operand, a mask with `count` true elements, and others."""

    def make(rng):
        mask = np.zeros(prod(shape), bool)
        mask[rng.permutation(prod(shape))[:count]] = True
        return (rng.uniform(-2, 2, shape), mask.reshape(shape), *(rng.uniform(-2, 2, other) for other in rest))

    return make


def matrices(shape, *rest):
    """Well-conditioned square matrices."""

    def make(rng):
        return (
            rng.uniform(-1, 1, shape) + 3 * np.eye(shape[-1])[rng.permutation(shape[-1])],
            *(rng.uniform(-2, 2, other) for other in rest),
        )

    return make


def positive_definite(shape):
    def make(rng):
        root = rng.uniform(-1, 1, shape)
        return (root @ np.swapaxes(root, -1, -2) + 2 * np.eye(shape[-1]),)

    return make


def viewed(shape, strides=None, offset=0):
    return shape, contiguous_strides(shape) if strides is None else strides, offset


SAMPLES = {}


def sample(names, *pairs):
    for name in names.split():
        SAMPLES.setdefault(name, []).extend(pairs)


FOLDS = [
    (((0, 1), False), floats((3, 4))),
    (((1,), True), floats((3, 4))),
    (((0, 2), False), floats((2, 3, 4))),
    (((), False), floats(())),
    (((0,), False), floats((200,))),
    (((1,), False), spicy((5, 6))),
    (((0,), False), floats((1, 3))),
    (((1,), False), floats((0, 3))),
]


def integers(shape):
    return lambda rng: (rng.integers(-50, 50, shape),)


sample("sum amax amin", (((0, 1), False), integers((3, 4))), (((1,), True), integers((3, 4))))
sample("flip", ((0,), integers((4,))))
sample("trace", (None, floats((3, 4))), (None, floats((4, 2))))
sample("nansum", (((1,), False), spicy((4, 5))))
sample("prod", (((0, 1), False), coarse((2, 3))))
sample("prod_dim", (((0,), False), coarse((3, 4))), (((1,), True), spicy((3, 4))), (((1,), False), floats((2, 1))))
sample("sum mean nansum sum_dim mean_dim", *FOLDS, (((0,), False), floats((0, 3))))
sample(
    "max min",
    *[pair for pair in FOLDS if pair[0][1] is False and pair[0][0] in ((0, 1), ())],
    (((0,), False), spicy((6,))),
    (((0, 1), False), coarse((3, 4))),
)
sample("median nanmedian", (((0, 1), False), floats((3, 4))), (((0, 1), False), spicy((3, 5))), (((), False), floats(())))
sample("amax amin aminmax_max aminmax_min", *FOLDS, (((1,), False), coarse((4, 6))))
SPREADS = [
    (((1,), False, 0.5), floats((3, 4))),
    (((0, 1), False, 1), floats((3, 4))),
    (((1,), True, 0), floats((3, 4))),
    (((0, 2), False, 1), floats((2, 3, 4))),
    (((0,), False, 1), floats((1, 3))),
    (((1,), False, 1), spicy((4, 5))),
]
sample("var std var_mean_var std_mean_std", *SPREADS)
sample("var_mean_mean std_mean_mean", *FOLDS)
sample(
    "any all count_nonzero",
    (((0, 1), False), coarse((3, 4))),
    (((1,), True), lambda rng: (rng.uniform(0, 1, (3, 4)) < 0.5,)),
    (((0,), False), spicy((4, 2))),
    (((0,), False), floats((0, 2))),
    (((), False), coarse(())),
)
sample("logsumexp", *FOLDS, (((0,), False), floats((0, 3))))
for norm in (0, 1, 2, 3.5, INF, -INF):
    sample(
        "vector_norm dist",
        (((0, 1), False, norm), floats((3, 4))),
        (((1,), True, norm), spicy((3, 4))),
        (((), False, norm), floats(())),
    )

SCANS = [
    ((0, False), floats((5,))),
    ((1, True), floats((3, 4))),
    ((1, False), floats((2, 3, 4))),
    ((0, False), floats(())),
    ((0, False), spicy((6, 2))),
    ((0, False), floats((0, 2))),
    ((0, False), floats((1, 2))),
]
sample("cumsum cumprod logcumsumexp", *SCANS)
sample(
    "linear_recurrence",
    ((0, False), floats((5,), (5,))),
    ((1, True), floats((2, 4), (2, 4))),
    ((1, False), floats((2, 3, 2), (2, 3, 2))),
)
sample("shifted", ((0, 1, 0.0), floats((4,))), ((1, -1, 1.0), floats((3, 4))), ((0, 1, 1.0), floats((1, 2))))

VIEWS = [
    (viewed((4, 3), (1, 4)), floats((3, 4))),
    (viewed((2, 2), (4, 1), 5), floats((3, 4))),
    (viewed((3, 5), (0, 1)), floats((5,))),
    (viewed((3, 2), (1, 1)), floats((4,))),
    (viewed((), (), 3), floats((5,))),
    (viewed((0, 2), (2, 1)), floats((3, 2))),
    (viewed((2, 3), (0, 0)), floats(())),
    (viewed((3, 4), (4, 1)), spicy((3, 4))),
]
sample(
    "as_strided expand transpose t permute select slice diagonal unbind split split_with_sizes unfold broadcast diagonal_copy",
    *VIEWS,
)
ALIASES = [(viewed((2, 6)), floats((3, 4))), (viewed((1, 3)), floats((3,))), (viewed(()), floats((1,)))]
sample("view unsafe_view unsqueeze squeeze squeeze_dim squeeze_dims alias squeeze_product clone_product", *ALIASES)
sample(
    "strided_sum",
    (viewed((3, 4), (1, 4)), floats((4, 3))),
    (viewed((4,), (1, 1)), floats((3, 2))),
    (viewed((5,), (0, 1)), floats((3, 5))),
    (viewed((3,), (1,)), floats((0,))),
    (viewed((), ()), floats(())),
)
sample(
    "strided_write",
    (viewed((2, 2), (4, 1), 5), floats((3, 4), (2, 2))),
    (viewed((), (), 2), floats((4,), ())),
    (viewed((3,), (2,)), floats((6,), (3,))),
    (viewed((1,), (1,)), floats((), (1,))),
    (viewed((), ()), floats((), ())),
)
sample("clone", (None, floats((3, 4))), (None, floats(())))

sample(
    "gather",
    (1, with_indices([(3, 4)], ((3, 2), 0, 4))),
    (0, with_indices([(4,)], ((6,), 0, 4))),
    (0, with_indices([()], ((), 0, 1))),
    (0, with_indices([(3, 4)], ((2, 2), 0, 3))),
    (0, with_indices([(3, 2)], ((0, 2), 0, 3))),
)
sample(
    "scatter",
    ((1, False), with_indices([(3, 4), (3, 2)], ((3, 2), 0, 4))),
    ((0, False), with_indices([(3,), (5,)], ((5,), 0, 3))),
    ((0, False), with_indices([(), ()], ((), 0, 1))),
)
sample(
    "scatter_add",
    ((1, True), with_indices([(3, 4), (3, 2)], ((3, 2), 0, 4))),
    ((0, True), with_indices([(3,), (5,)], ((5,), 0, 3))),
)
sample("scatter_value", (1, with_indices([(3, 4), ()], ((3, 2), 0, 4))), (0, with_indices([(3,), ()], ((5,), 0, 3))))
sample(
    "add_along",
    (((1, True), True), with_indices([(3, 4), (3, 2)], ((3, 2), 0, 4))),
    (((1, False), True), with_indices([(3, 4), (3,)], ((3,), 0, 4))),
)
ALONG = [
    ((1, True), with_indices([(3, 4)], ((3, 2), 0, 4))),
    ((1, False), with_indices([(3, 4)], ((3,), 0, 4))),
    ((0, True), with_indices([()], ((), 0, 1))),
]
sample("read_along max_dim min_dim median_dim nanmedian_dim mode cummax cummin sort sort_stable topk kthvalue", *ALONG)
sample(
    "index_select",
    (1, with_indices([(3, 4)], ((5,), 0, 4))),
    (0, with_indices([(3, 2)], ((2,), 0, 3))),
    (0, with_indices([()], ((1,), 0, 1))),
)
sample(
    "index_add", ((1, True), with_indices([(3, 4), (3, 5)], ((5,), 0, 4))), ((0, True), with_indices([(3,), (4,)], ((4,), 0, 3)))
)
sample("index_copy", ((1, False), with_indices([(3, 4), (3, 5)], ((5,), 0, 4))))
sample("index_fill index_fill_tensor", (1, with_indices([(3, 4), ()], ((3,), 0, 4))))
sample("take", (None, with_indices([(3, 4)], ((5,), -12, 12))), (None, with_indices([(3,)], ((2, 2), 0, 3))))
sample(
    "put",
    ((None, True), with_indices([(3, 4), (5,)], ((5,), -12, 12))),
    ((None, False), with_indices([(3, 4), (5,)], ((5,), -12, 12))),
)
sample(
    "index",
    ((0,), with_indices([(4, 3)], ((5,), -4, 4))),
    ((0, 1), with_indices([(4, 3)], ((2, 1), 0, 4), ((3,), -3, 3))),
    ((1, 2), with_indices([(2, 3, 4)], ((2,), 0, 3), ((2,), 0, 4))),
    ((0, 2), with_indices([(2, 3, 4)], ((2,), 0, 2), ((2,), 0, 4))),
)
sample(
    "index_put",
    (((0,), True), with_indices([(4, 3), (5, 3)], ((5,), -4, 4))),
    (((0, 1), False), with_indices([(4, 3), (4,)], ((4,), 0, 4), ((4,), 0, 3))),
)
sample(
    "is_last_write",
    (("gather", 1, (3, 4)), with_indices([], ((3, 3), 0, 4))),
    (("take", None, (3, 4)), with_indices([], ((7,), -12, 12))),
    (("index", (0, 1), (3, 2)), with_indices([], ((4,), 0, 3), ((4,), 0, 2))),
)
sample(
    "scatter_reduce",
    *[
        ((1, fold, own), with_indices([(2, 3), (2, 4)], ((2, 4), 0, 3)))
        for fold in ("sum", "mean", "prod", "amax", "amin")
        for own in (True, False)
    ],
    ((0, "prod", True), with_indices([(3,), (4,)], ((4,), 0, 3), draw=coarse)),
    ((0, "amax", True), with_indices([(3,), (4,)], ((4,), 0, 3), draw=coarse)),
)

sample(
    "cat",
    ((0, (0, 2, 5)), floats((2, 3), (3, 3))),
    ((1, (0, 2, 3, 7, 8)), floats((2, 2), (2, 1), (2, 4), (2, 1))),
    ((0, (0, 2, 2)), floats((2,), (0,))),
    ((1, (0, 0, 2)), floats((0,), (3, 2))),
)
sample("stack", (0, floats((2, 3), (2, 3))), (2, floats((2, 3), (2, 3), (2, 3), (2, 3), (2, 3))), (0, floats((), ())))

MATRIX_SHAPES = {
    (False, False): ((5, 3), (3, 9)),
    (True, False): ((3, 5), (3, 9)),
    (False, True): ((5, 3), (9, 3)),
    (True, True): ((3, 5), (9, 3)),
}
for turns, (left, right) in MATRIX_SHAPES.items():
    sample("mm", (turns, floats(left, right)))
    sample(
        "bmm",
        (turns, floats((2, *left), (2, *right))),
        (turns, floats((1, *left), (4, *right))),
        (turns, floats((4, *left), (1, *right))),
    )
    sample("addmm", ((1.0, 1.0, turns), floats((9,), left, right)), ((0.5, 2.0, turns), floats((5, 1), left, right)))
    sample(
        "baddbmm",
        ((1.0, 1.0, turns), floats((9,), (2, *left), (2, *right))),
        ((0.5, 2.0, turns), floats((2, 1, 9), (2, *left), (2, *right))),
    )
sample(
    "mm",
    (None, floats((1, 1), (1, 1))),
    (None, floats((3, 0), (0, 2))),
    (None, floats((0, 3), (3, 2))),
    (None, floats((17, 13), (13, 11))),
)
sample(
    "addmm",
    ((1.0, 1.0, None), floats((), (2, 3), (3, 4))),
    ((0, 1.0, None), lambda rng: (np.full((2, 4), NAN), *floats((2, 3), (3, 4))(rng))),
)
sample("mv", (None, floats((5, 7), (7,))), (True, floats((7, 5), (7,))), (None, floats((1, 1), (1,))))
sample("dot vdot", (None, floats((7,), (7,))), (None, floats((0,), (0,))), (None, floats((1,), (1,))))
sample(
    "einsum",
    ((((0, 1), (1, 2)), (0, 2)), floats((2, 3), (3, 4))),
    ((((0, 1),), (1, 0)), floats((2, 3))),
    ((((0, 1), (1, 2), (2, 3)), (0, 3)), floats((2, 3), (3, 2), (2, 4))),
    ((((0,), (1,)), (1, 0)), floats((2,), (3,))),
    ((((0, 1), (0, 1)), (0, 1)), floats((2, 3), (2, 3))),
    ((((0, 1), (0, 1)), ()), floats((2, 3), (2, 3))),
)
sample("cross", ((1,), floats((2, 3), (2, 3))), ((0,), floats((3,), (3,))))

sample("inverse", (None, matrices((3, 3))), (None, matrices((2, 2, 2))), (None, matrices((1, 1))))
sample("solve", (False, matrices((3, 3), (3, 2))), (True, matrices((2, 3, 3), (2, 3, 1))))
for upper in (False, True):
    for transposed in (False, True):
        sample(
            "solve_triangular",
            ((upper, transposed, False), matrices((3, 3), (3, 2))),
            ((upper, transposed, True), matrices((2, 3, 3), (2, 3, 1))),
        )
sample("det log_det sign_det", (None, matrices((3, 3))), (None, matrices((2, 4, 4))), (None, matrices((1, 1))))
sample("cofactors", (None, matrices((3, 3))), (None, matrices((2, 2, 2))), (None, matrices((1, 1))))
sample("cholesky", (False, positive_definite((3, 3))), (True, positive_definite((2, 2, 2))))



def symmetric(shape):
    """Symmetric matrices whose eigenvalues differ."""

    def make(rng):
        root = rng.uniform(-0.3, 0.3, shape)
        return (root + np.swapaxes(root, -1, -2) + np.diag(np.arange(1.0, shape[-1] + 1)),)

    return make


def apart(*shapes):
    """Matrices whose singular values differ."""

    def make(rng):
        return tuple(rng.uniform(-0.3, 0.3, shape) + np.eye(*shape[-2:]) * np.arange(1.0, shape[-1] + 1) for shape in shapes)

    return make


def with_tolerance(shape):
    def make(rng):
        return (*apart(shape)(rng), np.zeros(shape[:-2]), np.full(shape[:-2], 1e-6))

    return make


def pivots(rows, shape):
    return lambda rng: (rng.integers(1, rows + 1, shape).astype(float),)


sample("eigh eigvalsh", (False, symmetric((3, 3))), (True, symmetric((2, 2, 2))), (False, symmetric((0, 0))))
sample("svd svdvals", (None, apart((4, 3))), (None, apart((2, 2, 3))), (None, apart((1, 1))), (None, apart((0, 2))))
sample("qr", (None, apart((4, 3))), (None, apart((2, 3, 3))), (None, apart((3, 0))))
sample("qr_complete", (None, apart((4, 3))), (None, apart((2, 3, 1))))
sample("complement", (None, lambda rng: (np.linalg.qr(rng.uniform(-1, 1, (4, 2)))[0],)), (None, lambda rng: (np.eye(2, 0),)))
sample("lu_factor", (None, apart((3, 3))), (None, apart((2, 3, 2))), (None, apart((2, 4))), (None, apart((0, 2))))
sample("lu_info", (None, apart((4, 3))), (None, lambda rng: (np.zeros((2, 3, 2)),)))
sample("cholesky_info", (None, positive_definite((3, 3))), (None, lambda rng: (rng.uniform(-1, 1, (2, 3, 3)),)))
sample("permutation", (4, pivots(4, (3,))), (2, pivots(2, (2, 2))), (3, pivots(3, (0,))))
sample("pinv", (False, with_tolerance((3, 4))), (False, with_tolerance((2, 3, 2))), (False, with_tolerance((0, 2))))
sample("pinv", (True, lambda rng: (*symmetric((3, 3))(rng), np.zeros(()), np.full((), 1e-6))))
sample("lstsq", (("gelsd", 1e-6), apart((4, 3), (4, 2))), (("gelsy", 1e-6), apart((2, 2, 3), (2, 2, 1))))
sample("lstsq", (("gels", 1e-6), apart((3, 3), (3, 0))), (("gelss", 1e-6), apart((0, 2), (0, 1))))
sample("matrix_exp", (None, apart((3, 3))), (None, apart((2, 2, 2))), (None, apart((0, 0))))
REFUSAL = "RuntimeError", "no derivative"
sample("undifferentiable", (REFUSAL, with_indices([(3, 4)], ((3, 4), 0, 5))), (REFUSAL, with_indices([()], ((2,), 0, 5))))

LOSSES = [((reduction, -100, (5, 3)), with_indices([(5, 3)], ((5,), 0, 3))) for reduction in ("none", "sum", "mean")]
LOSSES += [
    (("mean", -100, (3,)), with_indices([(3,)], ((), 0, 3))),
    (("mean", 1, (5, 3)), with_indices([(5, 3)], ((5,), 0, 3))),
    (("sum", -100, (2, 3, 4)), with_indices([(2, 3, 4)], ((2, 4), 0, 3))),
]
sample("nll_loss nll_loss2d", *LOSSES)


def weighted(shape, target, classes):
    def make(rng):
        return rng.uniform(-2, 2, shape), rng.integers(0, classes, target), rng.integers(0, 3, classes).astype(float)

    return make


sample("nll_loss", (("mean", -100, (5, 3)), weighted((5, 3), (5,), 3)), (("none", 0, (5, 3)), weighted((5, 3), (5,), 3)))
sample(
    "nll_spread",
    (("none", -100, (5, 3)), with_indices([(5,)], ((5,), 0, 3))),
    (("mean", 1, (5, 3)), with_indices([()], ((5,), 0, 3))),
    (("sum", -100, (2, 3, 4)), with_indices([()], ((2, 4), 0, 3))),
    (("mean", -100, (5, 3)), weighted((), (5,), 3)),
)
for name, row in STRUCTURAL.items():
    if row.forward in (STRUCTURAL["sum"].forward, STRUCTURAL["mean"].forward) and name not in SAMPLES:
        sample(name, *FOLDS[:3])

sample("masked_fill masked_fill_tensor", (None, masked((3, 4), ())), (None, masked((), ())))
sample("masked_select", (5, counted((3, 4), 5)), (0, counted((2,), 0)))
sample("masked_scatter", (None, counted((3, 4), 5, (5,))))
sample(
    "zero_ fill_ fill_tensor_ copy_ uniform_ normal_ bernoulli_ random_ exponential_ log_normal_ cauchy_ geometric_",
    (None, floats((3, 4), ())),
    (None, floats((3,), (3,))),
)
sample("nan_to_numbers", ((0.5, 3.0, -4.0), spicy((4, 5))))

sample(
    "argmax argmin",
    ((None, False), coarse((3, 4))),
    ((1, True), spicy((4, 5))),
    ((0, False), coarse((4, 3))),
    ((None, True), floats((2, 3))),
    ((0, False), floats(())),
)
sample("cummax_index cummin_index", (0, coarse((6,))), (1, spicy((3, 6))), (0, floats(())))
sample("rank_index", ((0, False, (2,)), coarse((5,))), ((1, True, (0, 2)), spicy((3, 5))), ((0, False, (0,)), floats(())))
sample("nanmedian_index", ((0, False), coarse((5,))), ((1, True), spicy((3, 5))), ((0, False), floats(())))
sample("mode_index", ((0, False), coarse((7,))), ((1, True), coarse((3, 6))), ((0, False), floats(())))
sample("flip", ((0,), floats((4,))), ((0, 2), floats((2, 3, 4))))
sample("roll", (((1,), (0,)), floats((4, 3))), (((-2,), ()), floats((4, 3))), (((1, 2), (0, 1)), floats((4, 3))))
sample("rot90", *[((turns, (0, 1)), floats((2, 3))) for turns in range(4)])
sample("tril triu", *[(diagonal, floats((3, 4))) for diagonal in (-1, 0, 2)], (0, spicy((2, 3, 3))))
sample("repeat", ((2, 3), floats((2, 2))), ((2, 1, 2), floats((3, 2))), ((3,), floats(())))
sample("diag_embed", (((3, 3), (4,), 0), floats((3,))), (((2, 4, 4), (16, 5), 1), floats((2, 3))))
sample(
    "softmax log_softmax",
    (0, floats((5,))),
    (1, floats((3, 4))),
    (1, floats((2, 3, 4))),
    (0, floats(())),
    (0, spicy((6, 8))),
    (1, floats((2, 0))),
)
sample("argsort", ((0, False), coarse((6,))), ((1, True), spicy((3, 5))), ((0, False), floats(())))
sample("topk_order", ((2, 0, True), coarse((6,))), ((3, 1, False), spicy((3, 5))), ((1, 0, True), floats(())))
sample("kth_position", ((2, 0, False), coarse((6,))), ((3, 1, True), spicy((3, 5))), ((1, 0, False), floats(())))


def boundaries(shape, values):
    def make(rng):
        return np.sort(rng.integers(0, 6, shape).astype(float), axis=-1), rng.integers(-1, 8, values).astype(float)

    return make


sample(
    "searchsorted",
    ((False, False), boundaries((5,), (2, 3))),
    ((True, True), boundaries((2, 5), (2, 3))),
    ((True, False), boundaries((5,), ())),
)

LINE, PLANE = ((7,), (3,), (2,), (1,), (1,)), ((4, 5), (2, 2), (1, 2), (1, 0), (2, 1))  # of windows
sample("im2col", (LINE, floats((2, 3, 7))), (PLANE, floats((2, 4, 5))))
sample("col2im", (LINE, floats((2, 9, 4))), (PLANE, floats((8, 8))))
sample("convolution", ((LINE, 1), floats((2, 3, 7), (4, 3, 3))), ((PLANE, 2), floats((2, 4, 4, 5), (6, 2, 2, 2), (6,))))
sample("convolution_transpose", ((LINE, 1), floats((2, 4, 4), (4, 3, 3))), ((PLANE, 2), floats((2, 6, 4, 2), (6, 2, 2, 2), (4,))))
sample("convolution_weight", ((LINE, 1), floats((2, 3, 7), (2, 4, 4))), ((PLANE, 2), floats((2, 4, 4, 5), (2, 6, 4, 2))))
sample("max_pool_index", ((LINE, True), coarse((2, 3, 7))), ((PLANE, False), spicy((2, 4, 5))))
sample("adaptive_max_pool_index", ((2,), coarse((3, 7))), ((2, 3), coarse((2, 4, 5))))
POOLED = [((7,), with_indices([(2, 3, 7)], ((2, 3, 4), 0, 7))), ((4, 5), with_indices([(2, 4, 5)], ((2, 4, 2), 0, 20)))]
sample("max_pool2d max_pool3d adaptive_max_pool2d", *POOLED)
sample(
    "pool_spread", ((7,), with_indices([(2, 3, 4)], ((2, 3, 4), 0, 7))), ((4, 5), with_indices([(2, 4, 2)], ((2, 4, 2), 0, 20)))
)
FLAT = ((4, 5), (2, 2), (1, 2), (1, 0), (1, 1))
sample("avg_pool2d avg_pool3d", ((LINE, True, False, None), floats((2, 3, 7))), ((FLAT, False, True, 3), floats((2, 4, 5))))
sample("avg_pool_spread", ((LINE, False, True, None), floats((2, 3, 4))), ((FLAT, True, False, None), floats((2, 5, 3))))
