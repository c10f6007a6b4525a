"""Resizing, sampling on grids, pooling, bags, attention with masks and CTC against PyTorch, to the second order."""

import itertools

import numpy as np
import pytest
from beside_torch import check, check_error, numbers

import tapediff as td
from tapediff.nn import functional as F

LINE, IMAGE, SOLID = numbers((2, 2, 7), (1, 2, 4, 5), (1, 1, 3, 4, 2), seed=8)

RESIZED = {
    **{f"{mode} to {size}": (lambda t, x, mode=mode, size=size: t.nn.functional.interpolate(x, size, mode=mode), LINE)
       for mode in ("nearest", "nearest-exact", "area", "linear") for size in (3, 7, 16)},
    **{f"{mode} by {scale}": (lambda t, x, mode=mode, scale=scale: t.nn.functional.interpolate(
        x, scale_factor=scale, mode=mode), LINE) for mode in ("nearest", "nearest-exact", "linear") for scale in (0.3, 1.7, 2)},
    **{f"{mode} image to {size}, corners {corners}": (
        lambda t, x, mode=mode, size=size, corners=corners: t.nn.functional.interpolate(x, size, None, mode, corners), IMAGE)
       for mode in ("bilinear", "bicubic") for size in ((3, 9), (1, 1), (8, 4)) for corners in (False, True)},
    "scale of the sizes": (lambda t, x: t.nn.functional.interpolate(x, scale_factor=(1.6, 0.7), mode="bicubic",
                                                                    recompute_scale_factor=True), IMAGE),
    **{f"antialiased {mode}, corners {corners}": (
        lambda t, x, mode=mode, corners=corners: t.nn.functional.interpolate(x, (2, 3), mode=mode, antialias=True,
                                                                             align_corners=corners), IMAGE)
       for mode in ("bilinear", "bicubic") for corners in (False, True)},
    "trilinear": (lambda t, x: t.nn.functional.interpolate(x, (2, 5, 3), mode="trilinear", align_corners=True), SOLID),
    "area of a solid": (lambda t, x: t.nn.functional.interpolate(x, (2, 3, 1), mode="area"), SOLID),
    "nearest solid": (lambda t, x: t.nn.functional.upsample_nearest(x, scale_factor=2), SOLID),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", RESIZED)
def test_resized_images_agree_with_torch(name):
    check(*RESIZED[name])


PLACES = np.random.default_rng(3).uniform(-1.4, 1.4, (1, 3, 4, 2))
PLACES_3D = np.random.default_rng(4).uniform(-1.3, 1.3, (1, 2, 2, 3, 3))
SAMPLED = [(mode, padding, corners) for mode, padding, corners
           in itertools.product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True))]


@pytest.mark.parametrize(("mode", "padding", "corners"), SAMPLED)
def test_sampled_images_agree_with_torch(mode, padding, corners):
    def call(t, x, grid):
        return t.nn.functional.grid_sample(x, grid, mode, padding, corners)

    check_first_order(call, IMAGE, PLACES)
    check_first_order(call, IMAGE[:, :, :1], PLACES)
    if mode != "bicubic":
        check_first_order(call, SOLID, PLACES_3D)


def check_first_order(call, *arrays):
    """Values and gradients; PyTorch has no second derivative of these."""
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    found = []
    for library in (torch, td):
        leaves = [library.tensor(array, requires_grad=True) for array in arrays]
        result = call(library, *leaves)
        weights = library.cos(library.arange(result.numel(), dtype=result.dtype)).reshape(result.shape)
        total = (weights * result * result).sum()
        found.append([result.detach().numpy(), *(g.numpy() if g is not None else None for g in
                                                 library.autograd.grad(total, leaves, allow_unused=True))])
    for wanted, given in zip(*found):
        np.testing.assert_allclose(0.0 if given is None else given, wanted, rtol=1e-10, atol=1e-10)


def test_second_derivatives_agree_with_finite_differences():
    image, grid = td.tensor(IMAGE, requires_grad=True), td.tensor(PLACES[:, :1, :2], requires_grad=True)
    assert td.autograd.gradgradcheck(lambda x, g: F.grid_sample(x, g, align_corners=False) ** 2, (image, grid))
    log_probabilities = td.tensor(LOGITS[:5, :1], requires_grad=True)
    assert td.autograd.gradgradcheck(lambda x: F.ctc_loss(x.log_softmax(-1), td.tensor([[1, 2]]), (5,), (2,)), log_probabilities)


def test_a_nan_place_is_no_place():
    grid = td.tensor([[[[float("nan"), 0.0]]]])
    assert F.grid_sample(td.ones(1, 1, 2, 2), grid, mode="nearest", align_corners=False).tolist() == [[[[0.0]]]]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("corners", [False, True])
def test_grids_agree_with_torch(corners):
    plane, space = numbers((2, 2, 3), (1, 3, 4))
    check(lambda t, theta: t.nn.functional.affine_grid(theta, (2, 1, 3, 4), corners), plane)
    check(lambda t, theta: t.nn.functional.affine_grid(theta, (1, 1, 2, 1, 3), corners), space)


# --- attention ------------------------------------------------------------------------------------------------------------------

OPERANDS = [array / 20 for array in numbers((3, 2, 4), (5, 2, 4), (5, 2, 4), (12, 4), (12,), (4, 4), seed=9)]
SHIFTED = np.random.default_rng(0).normal(size=(3, 5))
MASKS = {
    "none": lambda t: {},
    "each head's weights": lambda t: {"average_attn_weights": False},
    "without weights": lambda t: {"need_weights": False},
    "bool": lambda t: {"attn_mask": t.tensor(SHIFTED > 0.7)},
    "float": lambda t: {"attn_mask": t.tensor(SHIFTED)},
    "of each head": lambda t: {"attn_mask": t.tensor(SHIFTED).expand(4, 3, 5).contiguous()},
    "padding": lambda t: {"key_padding_mask": t.tensor([[False, False, True, True, False], [True, False, False, False, True]])},
    "both": lambda t: {"attn_mask": t.tensor(SHIFTED > 1.0), "key_padding_mask": t.tensor([[False] * 4 + [True]] * 2)},
    "causal": lambda t: {"attn_mask": t.tensor(np.triu(np.ones((3, 5), bool), 1)), "is_causal": True},
}


@pytest.mark.parametrize("name", MASKS)
def test_attention_with_masks_agrees_with_torch(name):
    def call(t, q, k, v, w, b, o):
        attention = t.nn.functional.multi_head_attention_forward
        output, weights = attention(q, k, v, 4, 2, w, b, None, None, False, 0.0, o, None, **MASKS[name](t))
        return output if weights is None else (output, weights)

    (check_first_order if name == "without weights" else check)(call, *OPERANDS)


def test_a_transformer_sees_what_its_masks_allow():
    def call(t):
        t.manual_seed(0)
        model = t.nn.Transformer(4, 2, 1, 2, 6, 0.0, batch_first=True)
        with t.no_grad():
            for number, parameter in enumerate(model.parameters()):
                parameter.copy_(t.sin(t.arange(parameter.numel()) * 0.7 + number).reshape(parameter.shape))
        mask = t.nn.Transformer.generate_square_subsequent_mask(5)
        padding = t.tensor([[False, False, True], [False, False, False]])
        source, target = (t.cos(t.arange(float(2 * n * 4))).reshape(2, n, 4) for n in (3, 5))
        result = model(source, target, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding,
                       tgt_is_causal=True)
        result.square().sum().backward()
        return [result.detach().numpy(), *(one.grad.numpy() for one in model.parameters())], list(model.state_dict())

    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (wanted, names), (given, ours) = (call(t) for t in (torch, td))
    assert names == ours
    for a, b in zip(wanted, given, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-4, atol=2e-5)


# --- sequences ------------------------------------------------------------------------------------------------------------------

LOGITS = np.random.default_rng(5).normal(size=(7, 3, 4))
TARGETS = {
    "matrix": ([[1, 2, 2], [3, 1, 0], [0, 0, 0]], [7, 5, 4], [3, 2, 0]),
    "behind each other": ([1, 2, 2, 3, 1], [7, 6, 1], [3, 1, 1]),
    "too long": ([[1, 1, 1], [2, 3, 1], [3, 3, 3]], [4, 7, 2], [3, 3, 3]),
}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", TARGETS)
def test_ctc_loss_agrees_with_torch(name, reduction):
    targets, lengths, wanted = TARGETS[name]

    def loss(t, logits):
        return t.nn.functional.ctc_loss(logits.log_softmax(-1), t.tensor(targets), t.tensor(lengths), t.tensor(wanted),
                                        reduction=reduction, zero_infinity=True)

    def by_log_probabilities(t, log_probs):
        return t.nn.functional.ctc_loss(log_probs, t.tensor(targets), tuple(lengths), tuple(wanted), reduction=reduction,
                                        zero_infinity=True)

    check_first_order(loss, LOGITS)
    check_first_order(by_log_probabilities, LOGITS - 3)


def test_an_impossible_target_has_infinite_loss():
    def call(t, logits):
        return t.nn.functional.ctc_loss(logits.log_softmax(-1).detach(), t.tensor([[1, 1, 1]]), (4,), (3,), reduction="none")

    check(call, LOGITS[:, :1])


BAGS = {
    "weighted": lambda t, w, s: t.nn.functional.embedding_bag(t.tensor([0, 2, 2, 1]), w, t.tensor([0, 0, 3]), mode="sum",
                                                              per_sample_weights=s),
    "weighted matrix": lambda t, w, s: t.nn.functional.embedding_bag(t.tensor([[0, 2], [2, 1]]), w, mode="sum", padding_idx=0,
                                                                     per_sample_weights=s.reshape(2, 2)),
}


@pytest.mark.parametrize("name", BAGS)
def test_weighted_bags_agree_with_torch(name):
    table, shares = numbers((3, 2), (4,))
    check_first_order(BAGS[name], table, shares)


@pytest.mark.parametrize(("call", "phrase"), [
    (lambda t: t.nn.functional.interpolate(t.ones(1, 1, 2)), "either size or scale_factor should be defined"),
    (lambda t: t.nn.functional.interpolate(t.ones(1, 1, 2), 2, 2.0), "only one of size or scale_factor should be defined"),
    (lambda t: t.nn.functional.interpolate(t.ones(1, 1, 2), (2, 2)), "must have the same number of spatial dimensions"),
    (lambda t: t.nn.functional.interpolate(t.ones(1, 1, 2), 2, align_corners=True), "align_corners option can only be set with"),
    (lambda t: t.nn.functional.interpolate(t.ones(1, 1, 2), 2, mode="bilinear"), "Got 3D input, but bilinear mode needs 4D"),
    (lambda t: t.nn.functional.interpolate(t.ones(1, 2), 2), "Only 3D, 4D and 5D input Tensors supported (got 2D)"),
    (lambda t: t.nn.functional.interpolate(t.ones(1, 1, 2), 0), "Input and output sizes should be greater than 0"),
    (lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.ones(2, 1, 1, 2)), "to have same batch size"),
    (lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.ones(1, 1, 1, 3)), "to have size 2 in last dimension"),
    (lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.ones(1, 1, 1, 2), "cubic"), "expected mode to be 'bilinear'"),
    (lambda t: t.nn.functional.affine_grid(t.ones(1, 2, 2), (1, 1, 2, 2)), "Expected a batch of 2D affine matrices"),
    (lambda t: t.nn.functional.pixel_shuffle(t.ones(3, 2, 2), 2), "divisible by the square of"),
    (lambda t: t.nn.functional.pixel_unshuffle(t.ones(1, 3, 2), 2), "to be divisible by"),
    (lambda t: t.nn.functional.embedding_bag(t.tensor([0]), t.ones(2, 2)), "offsets has to be a 1D Tensor but got None"),
    (lambda t: t.nn.functional.embedding_bag(t.tensor([[0]]), t.ones(2, 2), mode="min"), "mode has to be one of sum, mean"),
    (lambda t: t.nn.functional.ctc_loss(t.ones(2, 1, 2), t.tensor([[1]]), (2,), (1,), blank=2), "blank must be in label range"),
    (lambda t: t.nn.functional.max_unpool1d(t.ones(1, 2), t.tensor([[0, 1]]), 2, output_size=(9,)), "invalid output_size"),
    (lambda t: t.nn.MultiheadAttention(0, 1), "embed_dim and num_heads must be greater than 0"),
    (lambda t: t.nn.MultiheadAttention(4, 2)(*[t.ones(2, 1, 4)] * 3, is_causal=True), "Need attn_mask if specifying"),
    (lambda t: t.nn.MultiheadAttention(4, 2)(*[t.ones(2, 1, 4)] * 3, attn_mask=t.ones(3, 3)), "The shape of the 2D attn_mask is"),
    (lambda t: t.nn.TransformerEncoderLayer(4, 2, activation="tanh"), "activation should be relu/gelu, not tanh"),
    (lambda t: t.nn.Transformer(4, 2, 0, 0)(t.ones(1, 2, 4), t.ones(1, 3, 4)), "the batch number of src and tgt must be equal"),
])
def test_error(call, phrase):
    check_error(call, phrase)
