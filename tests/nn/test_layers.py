"""Every layer prints, computes and hands gradients back as PyTorch's does."""

import inspect

import numpy as np
import pytest
from modules_beside_torch import check_same, filled, message, numbers

import tapediff as td
from tapediff import nn
from tapediff.nn.modules.applied import Applied

# name: for each use the arguments of the layer, and the shapes of its inputs
USES = {
    "ReLU": [("", (3, 4)), ("inplace=True", (3, 4))],
    "ReLU6": [("", (3, 4)), ("True", (3, 4))],
    "LeakyReLU": [("", (3, 4)), ("0.2, inplace=True", (3, 4))],
    "ELU": [("", (3, 4)), ("0.5, True", (3, 4))],
    "CELU": [("", (3, 4)), ("alpha=0.5", (3, 4))],
    "SELU": [("", (3, 4)), ("True", (3, 4))],
    "GELU": [("", (3, 4)), ("'tanh'", (3, 4))],
    "SiLU": [("", (3, 4)), ("True", (3, 4))],
    "Mish": [("", (3, 4))],
    "Hardtanh": [("", (3, 4)), ("-0.5, 0.25, True", (3, 4))],
    "Hardsigmoid": [("", (3, 4)), ("True", (3, 4))],
    "Hardswish": [("", (3, 4)), ("True", (3, 4))],
    "Threshold": [("0.1, 20", (3, 4)), ("0.1, 2.5, True", (3, 4))],
    "Softplus": [("", (3, 4)), ("2, threshold=1", (3, 4))],
    "Hardshrink": [("", (3, 4)), ("0.1", (3, 4))],
    "Softshrink": [("", (3, 4)), ("0.1", (3, 4))],
    "Softsign": [("", (3, 4))],
    "Tanh": [("", (3, 4))],
    "Tanhshrink": [("", (3, 4))],
    "Sigmoid": [("", (3, 4))],
    "LogSigmoid": [("", (3, 4))],
    "Softmin": [("dim=1", (3, 4))],
    "Softmax": [("dim=0", (3, 4)), ("-1", (3, 4))],
    "Softmax2d": [("", (2, 3, 2, 2)), ("", (3, 2, 2))],
    "LogSoftmax": [("dim=1", (3, 4))],
    "GLU": [("", (3, 4)), ("0", (4, 3))],
    "PReLU": [("", (3, 4)), ("4, 0.5", (3, 4))],
    "L1Loss": [("", (3, 4), (3, 4)), ("reduction='sum'", (3, 4), (3, 4))],
    "MSELoss": [("", (3, 4), (3, 4)), ("reduction='none'", (3, 4), (3, 4))],
    "SmoothL1Loss": [("beta=0.5", (3, 4), (3, 4))],
    "HuberLoss": [("delta=0.5", (3, 4), (3, 4)), ("'sum'", (3, 4), (3, 4))],
    "KLDivLoss": [("reduction='batchmean', log_target=True", (3, 4), (3, 4))],
    "SoftMarginLoss": [("", (3, 4), "bits")],
    "CosineEmbeddingLoss": [("0.1", (3, 4), (3, 4), "signs")],
    "MarginRankingLoss": [("0.1", (3,), (3,), "signs")],
    "HingeEmbeddingLoss": [("", (3,), "signs")],
    "TripletMarginLoss": [("", (3, 4), (3, 4), (3, 4)), ("0.5, swap=True", (3, 4), (3, 4), (3, 4))],
    "PoissonNLLLoss": [("", (3, 4), (3, 4)), ("full=False, eps=1e-4", (3, 4), (3, 4))],
    "GaussianNLLLoss": [("full=True", (3, 4), (3, 4), "positive")],
    "CrossEntropyLoss": [("", (3, 4), "classes"), ("weight=library.arange(1., 5.), label_smoothing=0.1", (3, 4), "classes"),
                         ("ignore_index=2, reduction='sum'", (3, 4), "classes")],
    "NLLLoss": [("", (3, 4), "classes"), ("library.arange(1., 5.)", (3, 4), "classes")],
    "MultiMarginLoss": [("", (3, 4), "classes"), ("2, 0.5, library.arange(1., 5.)", (3, 4), "classes")],
    "MultiLabelSoftMarginLoss": [("", (3, 4), "bits")],
    "BCEWithLogitsLoss": [("", (3, 4), "bits"), ("pos_weight=library.arange(1., 5.)", (3, 4), "bits")],
    "BCELoss": [("reduction='sum'", "probabilities", "bits"), ("library.arange(1., 5.)", "probabilities", "bits")],
    "Flatten": [("", (2, 3, 4)), ("0, 1", (2, 3, 4))],
    "Unflatten": [("1, (2, 2)", (3, 4)), ("-1, [2, -1]", (3, 4))],
    "Identity": [("3, a=4", (3, 4))],
    "Dropout": [("0.0", (3, 4)), ("1.0, inplace=True", (3, 4))],
    "Dropout1d": [("0.0", (3, 4, 2)), ("1.0", (3, 4))],
    "Dropout2d": [("0.0", (2, 3, 4, 2)), ("1.0", (2, 3, 4, 2))],
    "Dropout3d": [("0.0", (2, 2, 3, 4, 2)), ("1.0", (2, 3, 4, 2))],
    "AlphaDropout": [("0.0", (3, 4))],
    "Linear": [("4, 2", (3, 4)), ("4, 2, bias=False", (4,)), ("4, 1", (2, 3, 4))],
    "Bilinear": [("4, 3, 2", (5, 4), (5, 3)), ("4, 3, 2, False", (4,), (3,))],
    "Embedding": [("5, 3", "classes"), ("5, 3, padding_idx=1", "classes"), ("5, 3, -1", "classes")],
    "BatchNorm1d": [("4", (3, 4)), ("4, affine=False, momentum=None", (3, 4, 2)), ("4, track_running_stats=False", (3, 4)),
                    ("4, 1e-3, 0.2, bias=False", (3, 4))],
    "BatchNorm2d": [("3", (2, 3, 4, 2))],
    "BatchNorm3d": [("2", (2, 2, 2, 2, 2))],
    "InstanceNorm1d": [("3", (2, 3, 4)), ("3, affine=True, track_running_stats=True", (2, 3, 4)), ("3", (3, 4))],
    "InstanceNorm2d": [("3, affine=True", (2, 3, 4, 2)), ("3", (3, 4, 2))],
    "InstanceNorm3d": [("2", (2, 2, 2, 2, 2))],
    "LayerNorm": [("4", (3, 4)), ("(3, 4), 1e-3", (2, 3, 4)), ("4, elementwise_affine=False", (3, 4)), ("4, bias=False", (3, 4))],
    "GroupNorm": [("2, 4", (3, 4)), ("2, 4, affine=False", (2, 4, 3)), ("1, 4, bias=False", (2, 4, 3))],
    "RNN": [("3, 4", (5, 2, 3)), ("3, 4, 2, 'relu', bidirectional=True", (5, 2, 3)), ("3, 2, bias=False", (4, 3))],
    "LSTM": [("3, 4", (5, 2, 3)), ("3, 4, num_layers=2, batch_first=True, bidirectional=True", (2, 5, 3)), ("3, 2", (4, 3))],
    "GRU": [("3, 4", (5, 2, 3)), ("3, 4, 2, batch_first=True", (2, 5, 3)), ("3, 2, 1, True, False, 0.0, True", (4, 3))],
    "RNNCell": [("3, 4", (2, 3)), ("3, 4, nonlinearity='relu'", (3,))],
    "LSTMCell": [("3, 4", (2, 3)), ("3, 4, bias=False", (3,))],
    "GRUCell": [("3, 4", (2, 3)), ("3, 4", (2, 3), (2, 4))],
    "Conv1d": [("3, 4, 2", (2, 3, 5)), ("2, 4, 3, padding='same', dilation=2, groups=2", (2, 6))],
    "Conv2d": [("3, 4, 3", (2, 3, 5, 4)), ("4, 6, (3, 2), stride=2, padding=(1, 0), dilation=(1, 2), groups=2, "
                                           "bias=False", (2, 4, 5, 6)),
               ("3, 4, 3, padding=1, padding_mode='reflect'", (3, 5, 4)), ("1, 2, 2, padding='same', "
                                                                           "padding_mode='circular'", (1, 1, 4, 4)),
               ("1, 2, 2, padding='valid', padding_mode='replicate'", (1, 1, 4, 4))],
    "Conv3d": [("2, 3, 2, padding=1", (1, 2, 2, 3, 3))],
    "ConvTranspose1d": [("3, 4, 2, 2", (2, 3, 4))],
    "ConvTranspose2d": [("4, 6, 3, stride=2, padding=1, output_padding=1, groups=2", (2, 4, 3, 4)),
                        ("2, 1, 2, bias=False, dilation=2", (2, 3, 3))],
    "ConvTranspose3d": [("2, 3, 2", (1, 2, 2, 2, 2))],
    "MaxPool1d": [("2", (2, 3, 5)), ("3, stride=1, padding=1, dilation=2, ceil_mode=True", (3, 7))],
    "MaxPool2d": [("2", (2, 3, 5, 4)), ("(3, 2), 2, 1, return_indices=True", (3, 5, 4))],
    "MaxPool3d": [("2", (1, 2, 4, 5, 4))],
    "AvgPool1d": [("2", (2, 3, 5)), ("3, 1, 1, count_include_pad=False", (3, 5))],
    "AvgPool2d": [("2", (2, 3, 5, 4)), ("3, stride=2, padding=1, ceil_mode=True, divisor_override=4", (3, 6, 5))],
    "AvgPool3d": [("2", (1, 2, 4, 5, 4))],
    "AdaptiveAvgPool1d": [("2", (2, 3, 5))],
    "AdaptiveAvgPool2d": [("(1, 1)", (2, 3, 5, 4)), ("(None, 3)", (3, 5, 4))],
    "AdaptiveMaxPool1d": [("2", (2, 3, 5))],
    "AdaptiveMaxPool2d": [("(3, 2), True", (2, 3, 5, 4))],
    "Unfold": [("(2, 3), padding=1", (2, 3, 4, 5))],
    "Fold": [("(4, 5), 2, stride=(2, 1)", (2, 12, 8))],
    "CosineSimilarity": [("", (3, 4), (3, 4)), ("0", (3, 4), (3, 4))],
    "PairwiseDistance": [("", (3, 4), (3, 4)), ("1, keepdim=True", (3, 4), (3, 4))],
    **{f"{kind}Pad{n}d": [(f"1{more}", shape), (f"{tuple([1, 0, 0, 1, 1, 1][:2 * n])}{more}", shape)]
       for kind, more in (("Constant", ", 3.5"), ("Zero", ""), ("Reflection", ""), ("Replication", ""), ("Circular", ""))
       for n, shape in ((1, (2, 3, 4)), (2, (2, 2, 3, 3)), (3, (1, 2, 2, 3, 3)))},
    "RMSNorm": [("4", (3, 4)), ("[3, 4], 1e-3, False", (2, 3, 4))],
    "RReLU": [("0.25, 0.25", (3, 4))],
    "FeatureAlphaDropout": [("0.0", (3, 4))],
    "MultiLabelMarginLoss": [("", (2, 4), "labels"), ("reduction='none'", (2, 4), "labels")],
    "TripletMarginWithDistanceLoss": [("", (3, 4), (3, 4), (3, 4)),
                                      ("margin=0.5, swap=True, reduction='sum'", (3, 4), (3, 4), (3, 4)),
                                      ("distance_function=lambda a, b: (a - b).abs().sum(1)", (3, 4), (3, 4), (3, 4))],
    "CTCLoss": [("", "log_probs", "targets", "input_lengths", "target_lengths"),
                ("1, 'sum', True", "log_probs", "targets", "input_lengths", "target_lengths")],
    "AdaptiveAvgPool3d": [("(2, None, 1)", (1, 2, 3, 4, 3)), ("1", (2, 3, 4, 3))],
    "AdaptiveMaxPool3d": [("(2, 3, 1), True", (1, 2, 3, 4, 3))],
    "LPPool1d": [("2, 3", "positive 3d"), ("1.5, 2, stride=1, ceil_mode=True", "positive 3d")],
    "LPPool2d": [("2, (1, 2)", "positive 4d")],
    "LPPool3d": [("2, 2", "positive 5d")],
    "LocalResponseNorm": [("2", (2, 3, 4)), ("3, 0.5, 0.5, 2.0", (2, 4, 3, 2))],
    "MaxUnpool1d": [("2", (1, 2, 3), "places 1d")],
    "MaxUnpool2d": [("2, 2, 0", (1, 1, 2, 2), "places 2d")],
    "MaxUnpool3d": [("(1, 2, 2)", (1, 1, 1, 1, 2), "places 3d")],
    "Upsample": [("scale_factor=2", (1, 2, 3)), ("(5, 4), mode='bilinear'", (1, 2, 3, 3)),
                 ("scale_factor=(1.5, 2.3), mode='bicubic'", (1, 2, 4, 3)),
                 ("size=5, mode='linear', align_corners=True", (1, 2, 3)),
                 ("scale_factor=1.5, mode='trilinear'", (1, 1, 2, 3, 4)), ("scale_factor=0.7, mode='nearest-exact'", (1, 2, 7)),
                 ("scale_factor=0.5, mode='area'", (1, 2, 5, 4))],
    "UpsamplingNearest2d": [("scale_factor=2", (1, 2, 3, 3)), ("(2, 5)", (1, 2, 3, 3))],
    "UpsamplingBilinear2d": [("scale_factor=2", (1, 2, 3, 3))],
    "PixelShuffle": [("2", (1, 8, 2, 3))],
    "PixelUnshuffle": [("2", (1, 2, 4, 6)), ("2", (2, 4, 6))],
    "ChannelShuffle": [("2", (1, 4, 2, 3))],
    "EmbeddingBag": [("5, 3", "bags"), ("5, 3, mode='sum', padding_idx=1", "bags"), ("5, 3, mode='max'", "bags"),
                     ("5, 3, mode='mean'", "bag positions", "offsets"),
                     ("5, 3, mode='max', include_last_offset=True, padding_idx=-1", "bag positions", "offsets")],
    "MultiheadAttention": [("4, 2", (3, 2, 4), (5, 2, 4), (5, 2, 4)),
                           ("4, 1, bias=False, batch_first=True", (2, 3, 4), (2, 5, 4), (2, 5, 4)),
                           ("4, 2, add_bias_kv=True, add_zero_attn=True", (3, 2, 4), (5, 2, 4), (5, 2, 4)),
                           ("4, 2, kdim=3, vdim=2", (3, 2, 4), (5, 2, 3), (5, 2, 2)), ("4, 2", (3, 4), (5, 4), (5, 4))],
    "TransformerEncoderLayer": [("4, 2, 6, 0.0", (3, 2, 4)),
                                ("4, 2, 6, 0.0, 'gelu', batch_first=True, norm_first=True", (2, 3, 4)),
                                ("4, 2, 6, 0.0, bias=False", (3, 4))],
    "TransformerDecoderLayer": [("4, 2, 6, 0.0", (3, 2, 4), (5, 2, 4)),
                                ("4, 2, 6, 0.0, 'gelu', 1e-3, True, True", (2, 3, 4), (2, 5, 4))],
    "TransformerEncoder": [("nn.TransformerEncoderLayer(4, 2, 6, 0.0), 2", (3, 2, 4)),
                           ("nn.TransformerEncoderLayer(4, 2, 6, 0.0), 1, nn.LayerNorm(4), enable_nested_tensor=False",
                            (3, 2, 4))],
    "TransformerDecoder": [("nn.TransformerDecoderLayer(4, 2, 6, 0.0), 2, nn.LayerNorm(4)", (3, 2, 4), (5, 2, 4))],
    "Transformer": [("4, 2, 1, 1, 6, 0.0", (3, 2, 4), (5, 2, 4)), ("4, 1, 2, 1, 3, 0.0, batch_first=True", (2, 3, 4), (2, 5, 4))],
}


def operand(library, wanted, position):
    """A tensor for a shape, or for a word that says what is in it."""
    if isinstance(wanted, tuple):
        return numbers(library, *wanted, seed=position, requires_grad=True)
    if wanted == "probabilities":
        return ((numbers(library, 3, 4) + 1) / 2.5).detach().requires_grad_()
    if wanted.startswith("positive "):
        shape = (1, 2, 3, 4, 3)[:int(wanted[-2])]
        return (numbers(library, *shape) + 1.5).detach().requires_grad_()
    if wanted == "log_probs":
        return numbers(library, 6, 2, 4, requires_grad=True).log_softmax(-1).detach().requires_grad_()
    made = {"labels": [[3, 0, -1, 1], [0, 2, 1, -1]], "targets": [[2, 2, 3], [3, 2, 2]], "input_lengths": [6, 5],
            "target_lengths": [3, 2], "places 1d": [[[1, 2, 5], [0, 3, 4]]], "places 2d": [[[[0, 3], [9, 14]]]],
            "places 3d": [[[[[1, 6]]]]], "bags": [[0, 1, 1], [4, 1, 2]], "bag positions": [0, 1, 1, 4, 4, 3],
            "offsets": [0, 2, 2, 6], "classes": [2, 0, 3], "signs": [1.0, -1.0, 1.0],
            "bits": np.float32([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]),
            "positive": np.float32(np.arange(1, 13).reshape(3, 4) / 4)}[wanted]
    return library.tensor(made)


def used(library, name, arguments, *wanted):
    """What a layer prints, keeps, computes in training and out of it, and hands back."""
    layer = filled(library, eval(f"nn.{name}({arguments})", {"nn": library.nn, "library": library}))
    inputs = [operand(library, one, position) for position, one in enumerate(wanted)]
    passed = [one.clone() if one.requires_grad else one for one in inputs]  # a layer may work in place
    result = layer(*passed)
    output = result[0] if isinstance(result, tuple) else result
    found = [repr(layer), list(layer.state_dict()), result, type(output.grad_fn).__name__]
    if getattr(layer, "inplace", False) or hasattr(layer, "hidden_size"):
        found.pop()  # PyTorch numbers the rules of in-place functions; recurrent layers are composed differently
    if output.requires_grad:
        weights = library.cos(library.arange(output.numel(), dtype=output.dtype)).reshape(output.shape)
        (output * weights).sum().backward()
        found += [[one.grad for one in inputs], [one.grad for one in layer.parameters()]]
    with library.no_grad():
        found += [layer.eval()(*[one.detach().clone() for one in inputs]), dict(layer.state_dict())]
    return found


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # of PyTorch, on its fast path
@pytest.mark.parametrize(("name", "use"), [(name, use) for name, uses in USES.items() for use in uses],
                         ids=lambda value: value if isinstance(value, str) else value[0] or "plain")
def test_layers_are_pytorchs(name, use):
    check_same(lambda library: used(library, name, *use), 2e-5)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("is_single", [False, True])
def test_recurrent_layers_go_on_from_a_state(name, is_single):
    def call(library):
        layer = filled(library, getattr(library.nn, name)(3, 4, 2, bidirectional=True))
        batch = () if is_single else (2,)
        states = tuple(numbers(library, 4, *batch, 4, seed=part, requires_grad=True) for part in range(1 + (name == "LSTM")))
        output, last = layer(numbers(library, 5, *batch, 3), states if name == "LSTM" else states[0])
        total = (output * output).sum() + sum((one * 2).sin().sum() for one in (last if name == "LSTM" else (last,)))
        total.backward()
        return output, last, [one.grad for one in states], [one.grad for one in layer.parameters()]

    check_same(call, 5e-5)


def test_every_layer_is_used():
    layers = {name for name in nn.modules.__all__ if issubclass(getattr(nn, name), nn.Module)}
    layers = {name for name in layers if not name.startswith("Lazy")}  # tests/nn/test_lazy.py
    containers = {"Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"}
    assert layers - containers - set(USES) == set()


def test_derived_layers_take_their_arguments_in_pytorchs_order():
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    for name in nn.modules.__all__:
        layer = getattr(nn, name)
        if issubclass(layer, Applied):
            theirs = inspect.signature(getattr(torch.nn, name)).parameters.values()
            theirs = [one for one in theirs if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
            ours = inspect.signature(layer).parameters.values()
            described = [[(one.name, one.default, one.kind) for one in signature] for signature in (ours, theirs)]
            assert described[0] == described[1][:len(described[0])], name


ERRORS = {
    "dropout of two": lambda library: library.nn.Dropout(2.0),
    "batch of the wrong shape": lambda library: library.nn.BatchNorm2d(3)(library.ones(2, 3)),
    "batch of one": lambda library: library.nn.BatchNorm1d(3)(library.ones(1, 3)),
    "groups": lambda library: library.nn.GroupNorm(2, 3),
    "width": lambda library: library.nn.Linear(3, 2)(library.ones(4, 2)),
    "bilinear of nothing": lambda library: library.nn.Bilinear(0, 1, 1),
    "unflatten into nothing": lambda library: library.nn.Unflatten(1, 3.5),
    "reduction": lambda library: library.nn.MSELoss(reduction="max")(library.ones(2), library.ones(2)),
    "padding beyond the table": lambda library: library.nn.Embedding(3, 2, padding_idx=3),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors_are_pytorchs(what):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    wanted, given = message(torch, ERRORS[what]), message(td, ERRORS[what])
    assert wanted[0] != "no error"
    assert given[0] == wanted[0]
    assert wanted[1].split(":")[0] in given[1] or given[1].split(":")[0] in wanted[1], (wanted, given)


def test_older_arguments_of_losses_mean_a_reduction():
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        loss = nn.MSELoss(size_average=False)
    assert loss.reduction == "sum"
    assert loss(td.tensor([1.0, 3.0]), td.tensor([0.0, 0.0])).item() == 10


def test_a_padding_vector_is_zero_and_is_not_trained():
    table = nn.Embedding(3, 2, padding_idx=1)
    table(td.tensor([0, 1, 1])).sum().backward()
    assert table.weight[1].tolist() == [0, 0]
    assert table.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]
    frozen = nn.Embedding.from_pretrained(td.ones(2, 2))
    assert not frozen.weight.requires_grad


def test_dropout_keeps_the_mean():
    td.manual_seed(0)
    layer = nn.Dropout(0.25)
    values = layer(td.ones(20000))
    assert set(values.tolist()) == {0.0, np.float32(1 / 0.75)}
    assert values.mean().item() == pytest.approx(1, abs=0.02)
    channels = nn.Dropout2d(0.5)(td.ones(50, 40, 2, 2)).numpy()
    assert set(np.unique(channels.reshape(2000, 4).sum(1))) == {0.0, 8.0}
    alpha = nn.AlphaDropout(0.3)(td.randn(50000))
    assert alpha.mean().item() == pytest.approx(0, abs=0.02)
    assert alpha.std().item() == pytest.approx(1, abs=0.02)


# --- initial values -------------------------------------------------------------------------------------------------------------

SPREADS = {
    "kaiming_uniform_": (lambda tensor: nn.init.kaiming_uniform_(tensor, nonlinearity="relu"), (2 / 200) ** 0.5),
    "kaiming_normal_": (lambda tensor: nn.init.kaiming_normal_(tensor, mode="fan_out"), (2 / 300) ** 0.5),
    "xavier_uniform_": (lambda tensor: nn.init.xavier_uniform_(tensor, gain=2.0), 2 * (2 / 500) ** 0.5),
    "xavier_normal_": (nn.init.xavier_normal_, (2 / 500) ** 0.5),
    "normal_": (lambda tensor: nn.init.normal_(tensor, 0, 3), 3),
    "uniform_": (lambda tensor: nn.init.uniform_(tensor, -1, 1), 1 / 3**0.5),
    "trunc_normal_": (nn.init.trunc_normal_, 0.8796),
}


@pytest.mark.parametrize("name", SPREADS)
def test_draws_have_the_spread_of_the_formula(name):
    td.manual_seed(1)
    fill, spread = SPREADS[name]
    parameter = nn.Parameter(td.empty(300, 200))
    assert fill(parameter) is parameter
    assert parameter.std().item() == pytest.approx(spread, rel=0.02)
    assert parameter.mean().item() == pytest.approx(0, abs=0.02 * spread)
    assert parameter.requires_grad


def test_fillers_without_chance_are_pytorchs():
    def call(library):
        init = library.nn.init
        empty = lambda *shape: library.empty(*shape)  # noqa: E731
        return [init.ones_(empty(2)), init.zeros_(empty(2)), init.constant_(empty(2), 0.3), init.eye_(empty(2, 3)),
                init.dirac_(empty(4, 2, 3)), init.dirac_(empty(4, 2, 3, 3), groups=2),
                [init.calculate_gain(name) for name in ("relu", "tanh", "selu", "sigmoid", "conv2d", "leaky_relu")],
                init.calculate_gain("leaky_relu", 0.2)]

    check_same(call)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 2)])
def test_orthogonal_rows_or_columns(shape):
    matrix = nn.init.orthogonal_(td.empty(*shape, dtype=td.float64), gain=2).reshape(shape[0], -1).numpy()
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_layers_draw_within_their_bounds():
    td.manual_seed(2)
    layer = nn.Linear(100, 300)
    assert layer.weight.abs().max().item() <= 0.1
    assert layer.weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.02)
    assert layer.bias.abs().max().item() <= 0.1
    assert nn.Embedding(200, 100).weight.std().item() == pytest.approx(1, rel=0.02)
