"""nn.functional against PyTorch: values, names in the graph, two orders of gradients, warnings, errors."""

import warnings
from math import inf

import numpy as np
import pytest
from beside_torch import check, check_error, check_finite_differences, graph_name, numbers

import tapediff as td
import tapediff.nn.functional as F
from tapediff import special

torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")

random = np.random.default_rng(1)
X = random.uniform(-4, 4, (3, 4))
TARGET, INSIDE, SHARES = random.uniform(-2, 2, (3, 4)), random.uniform(0.1, 0.9, (3, 4)), random.uniform(0, 1, (3, 4))
WEIGHT = random.uniform(0.5, 2, 4)
LOGITS, CLASSES = random.uniform(-2, 2, (4, 3)), np.array([2, 0, 1, 2])
CLASS_WEIGHT = random.uniform(0.5, 2, 3)
REDUCTIONS = ("mean", "sum", "none")


def of(library):
    return library.nn.functional


ACTIVATIONS = {
    **{
        name: lambda t, x, name=name: getattr(of(t), name)(x)
        for name in (
            "relu",
            "leaky_relu",
            "elu",
            "selu",
            "gelu",
            "silu",
            "softplus",
            "sigmoid",
            "tanh",
            "softsign",
            "hardtanh",
            "relu6",
            "logsigmoid",
            "hardsigmoid",
            "mish",
            "tanhshrink",
            "hardshrink",
            "softshrink",
        )
    },
    "leaky_relu slope": lambda t, x: of(t).leaky_relu(x, negative_slope=0.2),
    "elu alpha": lambda t, x: of(t).elu(x, 0.5),
    "gelu tanh": lambda t, x: of(t).gelu(x, approximate="tanh"),
    "softplus beta": lambda t, x: of(t).softplus(x, beta=3, threshold=2),
    "threshold": lambda t, x: of(t).threshold(x, 0.5, 9.0),
    "hardtanh limits": lambda t, x: of(t).hardtanh(x, -2.0, 0.5),
    "glu": lambda t, x: of(t).glu(x, 1),
    "softmax": lambda t, x: of(t).softmax(x, dim=1),
    "log_softmax": lambda t, x: of(t).log_softmax(x, 0),
    "softmin": lambda t, x: of(t).softmin(x, dim=-1),
    "normalize": lambda t, x: of(t).normalize(x),
    "normalize p": lambda t, x: of(t).normalize(x, p=3, dim=0),
    "layer_norm": lambda t, x: of(t).layer_norm(x, (4,)),
    "layer_norm of all": lambda t, x: of(t).layer_norm(x, (3, 4)),
    "batch_norm": lambda t, x: of(t).batch_norm(x, None, None, training=True),
    "group_norm": lambda t, x: of(t).group_norm(x, 1),
    "pad": lambda t, x: of(t).pad(x, (1, 2)),
    "pad and cut": lambda t, x: of(t).pad(x, (1, -1, -1, 2), value=3.0),
    "pad reflect": lambda t, x: of(t).pad(x.reshape(1, 3, 4), (1, 2), mode="reflect"),
    "pad replicate": lambda t, x: of(t).pad(x.reshape(1, 3, 4), (1, 2), mode="replicate"),
}
# PyTorch has float32 constants in the double kernels of these, or another graph
LOOSE = {
    "celu": lambda t, x: of(t).celu(x, 2.0),
    "hardswish": lambda t, x: of(t).hardswish(x),
    "rms_norm": lambda t, x: of(t).rms_norm(x, (4,)),
    "instance_norm": lambda t, x: of(t).instance_norm(x.reshape(1, 3, 4)),
    "pad circular": lambda t, x: of(t).pad(x.reshape(1, 3, 4), (1, 2), mode="circular"),
}


@pytest.mark.parametrize("name", [*ACTIVATIONS, "pad circular", "rms_norm"])
def test_functions_of_one_tensor_are_pytorchs_to_second_order(name):
    check(ACTIVATIONS.get(name) or LOOSE[name], X) if name not in ("hardsigmoid", "selu") else check_finite_differences(
        ACTIVATIONS[name], X
    )


@pytest.mark.parametrize("name", LOOSE)
def test_functions_of_one_tensor_have_right_gradients(name):
    check_finite_differences(LOOSE[name], X)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_names_in_the_graph_are_pytorchs(name):
    wanted, given = graph_name(ACTIVATIONS[name], X)
    assert given == wanted


def test_in_place_activations_write_their_operand():
    for name in ("relu", "leaky_relu", "elu", "celu", "selu", "silu", "hardtanh", "relu6", "mish", "hardswish", "hardsigmoid"):
        x = td.tensor(X) * 1
        expected = getattr(F, name)(x).tolist()
        assert getattr(F, name)(x, inplace=True) is x
        assert x.tolist() == expected, name


OPERANDS = {
    "linear": (lambda t, x, w, b: of(t).linear(x, w, b), (2, 3), (5, 3), (5,)),
    "linear no bias": (lambda t, x, w: of(t).linear(x, w), (2, 3), (5, 3)),
    "linear of a stack": (lambda t, x, w, b: of(t).linear(x, w, b), (4, 2, 3), (5, 3), (5,)),
    "linear of a stack no bias": (lambda t, x, w: of(t).linear(x, w), (4, 2, 3), (5, 3)),
    "linear of a vector": (lambda t, x, w, b: of(t).linear(x, w, b), (3,), (5, 3), (5,)),
    "linear of a vector no bias": (lambda t, x, w: of(t).linear(x, w), (3,), (5, 3)),
    "linear to a number": (lambda t, x, w: of(t).linear(x, w), (2, 3), (3,)),
    "linear matrix bias": (lambda t, x, w, b: of(t).linear(x, w, b), (2, 3), (5, 3), (2, 5)),
    "prelu": (lambda t, x, w: of(t).prelu(x, w), (2, 3), (3,)),
    "prelu one": (lambda t, x, w: of(t).prelu(x, w), (2, 3), (1,)),
    "layer_norm": (lambda t, x, w, b: of(t).layer_norm(x, (3,), w, b), (2, 3), (3,), (3,)),
    "batch_norm": (lambda t, x, w, b: of(t).batch_norm(x, None, None, w, b, training=True), (4, 3, 2), (3,), (3,)),
    "group_norm": (lambda t, x, w, b: of(t).group_norm(x, 2, w, b), (2, 4, 3), (4,), (4,)),
}
UNNAMED = {
    "bilinear": (lambda t, x, y, w, b: of(t).bilinear(x, y, w, b), (2, 3), (2, 4), (5, 3, 4), (5,)),
    "cosine_similarity": (lambda t, x, y: of(t).cosine_similarity(x, y), (2, 3, 4), (2, 3, 4)),
    "cosine_similarity last": (lambda t, x, y: t.cosine_similarity(x, y, dim=-1), (2, 3), (3,)),
    "pairwise_distance": (lambda t, x, y: of(t).pairwise_distance(x, y), (2, 3), (2, 3)),
    "batch_norm of running": (
        lambda t, x, w, b: of(t).batch_norm(x, t.tensor([0.5, 1, 2]).double(), t.tensor([1.0, 2, 3]).double(), w, b),
        (4, 3),
        (3,),
        (3,),
    ),
    "attention": (lambda t, q, k, v: of(t).scaled_dot_product_attention(q, k, v), (2, 4, 3), (2, 4, 3), (2, 4, 3)),
    "causal attention": (
        lambda t, q, k, v: of(t).scaled_dot_product_attention(q, k, v, is_causal=True),
        (2, 4, 3),
        (2, 4, 3),
        (2, 4, 3),
    ),
    "embedding": (lambda t, w: of(t).embedding(t.tensor([[1, 0], [1, 3]]), w, padding_idx=0), (4, 3)),
}


@pytest.mark.parametrize("name", [*OPERANDS, *UNNAMED])
def test_layers_are_pytorchs_to_second_order(name):
    call, *shapes = (OPERANDS | UNNAMED)[name]
    check(call, *numbers(*shapes))


@pytest.mark.parametrize("name", OPERANDS)
def test_names_of_layers_are_pytorchs(name):
    call, *shapes = OPERANDS[name]
    wanted, given = graph_name(call, *numbers(*shapes))
    assert given == wanted


LOSSES = {
    "mse_loss": ({}, X, TARGET),
    "l1_loss": ({}, X, TARGET),
    "smooth_l1_loss": ({"beta": 0.5}, X, TARGET),
    "huber_loss": ({"delta": 0.5}, X, TARGET),
    "binary_cross_entropy_with_logits": ({}, X, SHARES),
    "kl_div": ({"log_target": True}, X, TARGET),
    "poisson_nll_loss": ({"log_input": False, "full": True}, INSIDE, SHARES + 0.6),
    "multilabel_soft_margin_loss": ({}, X, SHARES),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_pytorchs_to_second_order(name, reduction):
    options, *arrays = LOSSES[name]
    call = lambda t, x, y: getattr(of(t), name)(x, y, reduction=reduction, **options)  # noqa: E731
    check(call, *arrays)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted, given = graph_name(call, *arrays)
    assert given == wanted


def check_first_order(call, *arrays):
    """As `check`, where PyTorch has no second order, or one that is rounded differently."""
    check_finite_differences(call, *arrays)
    wanted, given = (call(library, *(library.tensor(array) for array in arrays)).numpy() for library in (torch, td))
    np.testing.assert_allclose(given, wanted, rtol=1e-12)
    wanted, given = graph_name(call, *arrays)
    assert given == wanted


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy_is_pytorchs(reduction):
    weight = {library: library.tensor(WEIGHT) for library in (torch, td)}
    check_first_order(lambda t, x, y: of(t).binary_cross_entropy(x, y, reduction=reduction), INSIDE, SHARES)
    check_first_order(lambda t, x, y: of(t).binary_cross_entropy(x, y, weight[t], reduction=reduction), INSIDE, SHARES)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("p", [1, 2])
def test_multi_margin_loss_is_pytorchs(reduction, p):
    classes, weight = ({library: library.tensor(array) for library in (torch, td)} for array in (CLASSES, CLASS_WEIGHT))
    check_first_order(lambda t, x: of(t).multi_margin_loss(x, classes[t], p, weight=weight[t], reduction=reduction), LOGITS)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_losses_are_pytorchs(reduction):
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        check(lambda t, x, y, w, f=name: getattr(of(t), f)(x, y, weight=w, reduction=reduction), X, TARGET, INSIDE)
    check(
        lambda t, x, y: of(t).binary_cross_entropy_with_logits(
            x, y, t.tensor(WEIGHT), pos_weight=t.tensor(WEIGHT[::-1].copy()), reduction=reduction
        ),
        X,
        SHARES,
    )
    check(lambda t, x, y, v: of(t).gaussian_nll_loss(x, y, v, full=True, reduction=reduction), X, TARGET, INSIDE)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_signs_are_pytorchs(reduction):
    signs = np.sign(TARGET)
    check(lambda t, x: of(t).hinge_embedding_loss(x, t.tensor(signs), margin=0.5, reduction=reduction), X)
    check(lambda t, x: of(t).soft_margin_loss(x, t.tensor(signs), reduction=reduction), X)
    check(lambda t, x, y: of(t).margin_ranking_loss(x, y, t.tensor(signs), margin=0.1, reduction=reduction), X, TARGET)
    check(lambda t, x, y: of(t).cosine_embedding_loss(x, y, t.tensor([1, -1, 1]), margin=0.1, reduction=reduction), X, TARGET)
    check(lambda t, x, y, z: of(t).triplet_margin_loss(x, y, z, swap=True, reduction=reduction), X, TARGET, INSIDE)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "options", [{}, {"ignore_index": 2}, {"label_smoothing": 0.2}, {"label_smoothing": 0.2, "ignore_index": 0}], ids=str
)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_cross_entropy_of_indices_is_pytorchs(reduction, options, is_weighted):
    def call(t, x, y):
        weight = t.tensor(CLASS_WEIGHT) if is_weighted else None
        return of(t).cross_entropy(x, y, weight=weight, reduction=reduction, **options)

    for logits, classes in (
        (LOGITS, CLASSES),
        (LOGITS[0], CLASSES[0]),
        (LOGITS.T.reshape(1, 3, 4), CLASSES[None]),
        (LOGITS.T.reshape(1, 3, 2, 2), CLASSES.reshape(1, 2, 2)),
    ):
        for _ in range(2):  # the second time specs are known
            check(call, logits, classes)
        wanted, given = graph_name(call, logits, classes)
        assert given == wanted


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_cross_entropy_of_probabilities_is_pytorchs(reduction, label_smoothing, is_weighted):
    shares = random.uniform(0, 1, LOGITS.shape)

    def call(t, x, y):
        weight = t.tensor(CLASS_WEIGHT) if is_weighted else None
        return of(t).cross_entropy(x, y, weight=weight, reduction=reduction, label_smoothing=label_smoothing)

    check(call, LOGITS, shares)
    check(call, LOGITS[0], shares[0])
    check(call, LOGITS.T.reshape(1, 3, 4), shares.T.reshape(1, 3, 4))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nll_loss_is_pytorchs(reduction):
    for options in ({}, {"ignore_index": 0}, {"ignore_index": -5}):
        check(lambda t, x, y, o=options: of(t).nll_loss(x, y, t.tensor(CLASS_WEIGHT), reduction=reduction, **o), LOGITS, CLASSES)
    check(lambda t, x, y: of(t).nll_loss(x, y, ignore_index=1, reduction=reduction), LOGITS, np.ones(4, np.int64))
    check(lambda t, x, y: of(t).nll_loss(x, y, reduction=reduction), np.zeros((0, 3)), np.zeros(0, np.int64))
    check(
        lambda t, x, y: of(t).nll_loss(x, y, ignore_index=1, reduction=reduction),
        np.array([[1.0, -inf], [2.0, 3.0]]),
        np.array([1, 0]),
    )


def test_extreme_logits_stay_finite():
    x = td.tensor([[1000.0, -1000.0]], requires_grad=True)
    loss = F.cross_entropy(x, td.tensor([1]))
    loss.backward()
    assert loss.item() == 2000
    assert x.grad.tolist() == [[1.0, -1.0]]
    x.grad = None
    F.binary_cross_entropy_with_logits(x, td.tensor([[0.0, 1.0]]), reduction="sum").backward()
    assert x.grad.tolist() == [[1.0, -1.0]]
    assert F.binary_cross_entropy(td.tensor([0.0, 1.0]), td.tensor([1.0, 0.0]), reduction="none").tolist() == [100.0, 100.0]


def test_one_hot_is_numpys_identity():
    assert F.one_hot(td.tensor([0, 2, 1])).tolist() == np.eye(3, dtype=int)[[0, 2, 1]].tolist()
    assert F.one_hot(td.tensor([[1]]), 4).tolist() == [[[0, 1, 0, 0]]]


def test_dropout_keeps_the_expectation_and_follows_the_seed():
    x = td.ones(10_000, dtype=td.float64, requires_grad=True)
    td.manual_seed(7)
    y = F.dropout(x, 0.25)
    td.manual_seed(7)
    assert F.dropout(x, 0.25).tolist() == y.tolist()
    assert set(y.tolist()) == {0.0, 1 / 0.75}
    assert abs(y.mean().item() - 1) < 0.02
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert F.dropout(x, 0.25, training=False) is x
    assert F.dropout(x, 1.0).sum().item() == 0
    assert y.grad_fn.name() == "MulBackward0"


def test_batch_norm_moves_its_running_statistics():
    x = random.normal(size=(6, 3, 2))
    statistics = {}
    for library in (torch, td):
        mean, variance = library.zeros(3, dtype=library.float64), library.ones(3, dtype=library.float64)
        of(library).batch_norm(library.tensor(x, requires_grad=True), mean, variance, training=True, momentum=0.3)
        statistics[library] = mean.tolist(), variance.tolist()
    np.testing.assert_allclose(statistics[td], statistics[torch], rtol=1e-12)


def test_gumbel_softmax_draws_a_class_with_the_gradient_of_the_relaxed_draw():
    logits = td.tensor(LOGITS, requires_grad=True)
    draw = F.gumbel_softmax(logits, hard=True)
    assert np.allclose(draw.sum(1).tolist(), 1)
    (draw * td.tensor(LOGITS)).sum().backward()
    assert any(any(row) for row in logits.grad.tolist())


@pytest.mark.parametrize(
    "call",
    [
        lambda t: of(t).mse_loss(t.ones(2, 3), t.ones(3)),
        lambda t: of(t).l1_loss(t.ones(2, 3), t.ones(3)),
        lambda t: of(t).huber_loss(t.ones(2, 3), t.ones(3)),
        lambda t: of(t).smooth_l1_loss(t.ones(2, 3), t.ones(3)),
        lambda t: of(t).softmax(t.ones(2, 3)),
        lambda t: of(t).kl_div(t.ones(2, 3), t.ones(2, 3)),
        lambda t: of(t).mse_loss(t.ones(3), t.ones(3), size_average=False),
    ],
)
def test_warnings_are_pytorchs_and_point_at_the_caller(call):
    texts = []
    for library in (torch, td):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call(library)
        texts.append([(warning.category, str(warning.message)) for warning in caught])
        if library is td:
            assert [warning.filename for warning in caught] == [__file__]
    assert texts[0] == texts[1]


SPECIAL = {
    name: lambda t, x, name=name: getattr(t.special, name)(x)
    for name in ("entr", "ndtr", "expit", "gammaln", "psi", "digamma", "erf", "log1p", "exp2", "sinc")
} | {
    "xlog1py": lambda t, x: t.special.xlog1py(x, x),
    "xlog1py number": lambda t, x: t.special.xlog1py(2, x),
    "multigammaln": lambda t, x: t.special.multigammaln(x + 2, 3),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions_have_right_gradients(name):
    x = INSIDE + 0.5
    check_finite_differences(SPECIAL[name], x)
    np.testing.assert_allclose(SPECIAL[name](td, td.tensor(x)).numpy(), SPECIAL[name](torch, torch.tensor(x)).numpy(), rtol=1e-12)


def test_special_functions_are_pytorchs_at_the_edge():
    edge = [0.0, 1.0, -1.0, float("nan")]
    assert str(special.entr(td.tensor(edge)).tolist()) == str(torch.special.entr(torch.tensor(edge)).tolist())
    assert special.xlog1py(td.tensor([0.0]), td.tensor([-1.0])).item() == 0


ERRORS = {
    "relu(): argument 'input' (position 1) must be Tensor, not float": lambda t: of(t).relu(1.0),
    "approximate argument must be either none or tanh": lambda t: of(t).gelu(t.ones(2), approximate="sigmoid"),
    "ZeroDivisionError: alpha cannot be 0 for CELU": lambda t: of(t).celu(t.ones(2), 0.0),
    "min_val cannot be greater than max_val": lambda t: of(t).hardtanh(t.ones(2), 1.0, -1.0),
    "\"leaky_relu_cpu\" not implemented for 'Long'": lambda t: of(t).leaky_relu(t.arange(2)),
    "Boolean inputs not supported for relu": lambda t: of(t).relu(t.ones(2) > 0),
    "Halving dimension must be even, but dimension 1 is size 3": lambda t: of(t).glu(t.ones(2, 3)),
    "Found parameter numbers = 2 and channel size = 3": lambda t: of(t).prelu(t.ones(2, 3), t.ones(2)),
    "Dimension out of range (expected to be in range of [-2, 1], but got 5)": lambda t: of(t).softmax(t.ones(2, 3), 5),
    "max is not a valid value for reduction": lambda t: of(t).mse_loss(t.ones(2), t.ones(2), reduction="max"),
    "must match the size of tensor b (3)": lambda t: of(t).mse_loss(t.ones(2), t.ones(3)),
    "\"mse_cpu\" not implemented for 'Long'": lambda t: of(t).mse_loss(t.arange(2), t.arange(2)),
    "smooth_l1_loss does not support negative values for beta.": lambda t: of(t).smooth_l1_loss(t.ones(2), t.ones(2), beta=-1.0),
    "huber_loss does not support non-positive values for delta.": lambda t: of(t).huber_loss(t.ones(2), t.ones(2), delta=0.0),
    "all elements of input should be between 0 and 1": lambda t: of(t).binary_cross_entropy(t.tensor([1.5]), t.ones(1)),
    "all elements of target should be between 0 and 1": lambda t: of(t).binary_cross_entropy(t.ones(1), t.tensor([-0.5])),
    "Using a target size (torch.Size([3])) that is different to the input size (torch.Size([2])) is deprecated": lambda t: of(
        t
    ).binary_cross_entropy(t.ones(2), t.ones(3)),
    "Found dtype Double but expected Float": lambda t: of(t).binary_cross_entropy(t.ones(2), t.ones(2, dtype=t.float64)),
    "not differentiable with respect to argument 'weight'": lambda t: of(t).nll_loss(
        t.ones(1, 2, requires_grad=True), t.tensor([0]), t.ones(2, requires_grad=True)
    ),
    "Target size (torch.Size([3])) must be the same as input size (torch.Size([2]))": lambda t: of(
        t
    ).binary_cross_entropy_with_logits(t.ones(2), t.ones(3)),
    "Expected input batch_size (2) to match target batch_size (3).": lambda t: of(t).cross_entropy(
        t.ones(2, 3), t.tensor([0, 1, 2])
    ),
    "Target 3 is out of bounds.": lambda t: of(t).cross_entropy(t.ones(1, 3), t.tensor([3])),
    "Target -1 is out of bounds.": lambda t: [of(t).cross_entropy(t.ones(1, 3), t.tensor([k])) for k in (0, 0, -1)],
    "weight tensor should be defined either for all 3 classes or no classes": lambda t: of(t).cross_entropy(
        t.ones(1, 3), t.tensor([0]), weight=t.ones(2)
    ),
    "label_smoothing must be between 0.0 and 1.0. Got: 1.5": lambda t: of(t).cross_entropy(
        t.ones(1, 3), t.tensor([0]), label_smoothing=1.5
    ),
    "expected target dtype to be Long or Byte, but got Float": lambda t: of(t).cross_entropy(t.ones(2, 3), t.ones(2)),
    "Expected floating point type for target with class probabilities, got Long": lambda t: of(t).cross_entropy(
        t.ones(2, 2), t.ones(2, 2, dtype=t.int64)
    ),
    "ignore_index is not supported for floating point target": lambda t: of(t).cross_entropy(
        t.ones(2, 3), t.ones(2, 3), ignore_index=1
    ),
    "argument 'target' (position 2) must be Tensor, not NoneType": lambda t: of(t).cross_entropy(t.ones(2, 3), None),
    "0D or 1D target tensor expected, multi-target not supported": lambda t: of(t).nll_loss(
        t.ones(2, 3), t.zeros(2, 1, dtype=t.int64)
    ),
    "Expected target size [2, 4], got [2, 3]": lambda t: of(t).nll_loss(t.ones(2, 3, 4), t.zeros(2, 3, dtype=t.int64)),
    "For 1D input, 1D target must have size 1, but got target size: 2": lambda t: of(t).nll_loss(t.ones(3), t.tensor([0, 1])),
    "dropout probability has to be between 0 and 1, but got -0.1": lambda t: of(t).dropout(t.ones(2), -0.1),
    "Given normalized_shape=[2], expected input with shape [*, 2], but got input of size[2, 3]": lambda t: of(t).layer_norm(
        t.ones(2, 3), (2,)
    ),
    "Expected weight to be of same shape as normalized_shape": lambda t: of(t).layer_norm(t.ones(2, 3), (3,), t.ones(2)),
    "running_mean must be defined in evaluation mode": lambda t: of(t).batch_norm(t.ones(2, 3), None, None),
    "running_mean should contain 3 elements not 2": lambda t: of(t).batch_norm(t.ones(2, 3), t.ones(2), t.ones(2)),
    "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])": lambda t: of(t).batch_norm(
        t.ones(1, 3), None, None, training=True
    ),
    "Class values must be non-negative.": lambda t: of(t).one_hot(t.tensor([-1])),
    "Class values must be smaller than num_classes.": lambda t: of(t).one_hot(t.tensor([3]), 2),
    "one_hot is only applicable to index tensor of type LongTensor": lambda t: of(t).one_hot(t.ones(1)),
    "index out of range in self": lambda t: of(t).embedding(t.tensor([7]), t.ones(4, 3)),
    "to have one of the following scalar types: Long, Int": lambda t: of(t).embedding(t.ones(2), t.ones(4, 3)),
    "Padding length must be divisible by 2": lambda t: of(t).pad(t.ones(2, 3), (1,)),
    "Padding length should be less than or equal to two times the input dimension": lambda t: of(t).pad(t.ones(2), (1, 1, 1, 1)),
    "narrow(): length must be non-negative.": lambda t: of(t).pad(t.ones(2, 3), (-3, -1)),
    "Unrecognised padding mode": lambda t: of(t).pad(t.ones(2, 3), (1, 1), mode="mirror"),
    "var has negative entry/entries": lambda t: of(t).gaussian_nll_loss(t.ones(2), t.ones(2), -t.ones(2)),
    "var is of incorrect size": lambda t: of(t).gaussian_nll_loss(t.ones(2, 3), t.ones(2, 3), t.ones(5)),
    "mat1 and mat2 shapes cannot be multiplied (4x3 and 2x5)": lambda t: of(t).linear(t.ones(4, 3), t.ones(5, 2)),
    "The expanded size of the tensor (5) must match the existing size (4)": lambda t: of(t).linear(
        t.ones(4, 3), t.ones(5, 3), t.ones(4)
    ),
    "t() expects a tensor with <= 2 dimensions, but self is 3D": lambda t: of(t).linear(t.ones(4, 3), t.ones(2, 5, 3)),
    "linear(): argument 'input' (position 1) must be Tensor, not int": lambda t: of(t).linear(3, t.ones(5, 3)),
}


@pytest.mark.parametrize("phrase", ERRORS)
def test_errors_are_pytorchs(phrase):
    check_error(ERRORS[phrase], phrase)
