"""Wrong calls raise PyTorch's exception type, with the phrase of PyTorch's message that people search for."""

import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the oracle of these tests is PyTorch, which is not installed")
if os.environ.get("TAPEDIFF_PARITY_SELF"):
    library = torch
else:
    import tapediff as library  # type: ignore[no-redef]

WRONG: dict[str, tuple[str, Callable[[Any], Any]]] = {}
MATCH = "must match the size of tensor b"
RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"


def wrong(name: str, phrase: str, call: Callable[[Any], Any]) -> None:
    assert name not in WRONG, name
    WRONG[name] = phrase, call


for _name in (
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "atan2",
    "hypot",
    "logaddexp",
    "xlogy",
    "copysign",
    "fmod",
    "remainder",
    "floor_divide",
    "eq",
    "lt",
    "logical_and",
    "true_divide",
    "logaddexp2",
    "float_power",
):
    wrong(f"{_name}-shapes", MATCH, lambda t, f=_name: getattr(t, f)(t.ones(2, 3), t.ones(4)))
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    wrong(f"{_name}-floats", "not implemented for 'Float'", lambda t, f=_name: getattr(t, f)(t.ones(2), t.ones(2)))
wrong("where-shapes", "must match", lambda t: t.where(t.ones(2) > 0, t.ones(3), t.ones(3)))
wrong("lerp-shapes", "must match", lambda t: t.lerp(t.ones(2), t.ones(3), 0.5))
wrong("addcmul-shapes", "must match", lambda t: t.addcmul(t.ones(2), t.ones(3), t.ones(3)))
wrong("clamp-nothing", "At least one of 'min' or 'max' must not be None", lambda t: t.clamp(t.ones(2)))
wrong("div-rounding", "rounding_mode", lambda t: t.div(t.ones(2), 2, rounding_mode="nearest"))
for _name in ("sin", "exp", "abs", "sqrt", "tanh", "relu", "sigmoid", "log"):
    wrong(f"{_name}-number", "must be Tensor, not float", lambda t, f=_name: getattr(t, f)(1.0))
    wrong(f"{_name}-string", "must be Tensor, not str", lambda t, f=_name: getattr(t, f)("x"))
for _name in (
    "sum",
    "mean",
    "prod",
    "var",
    "std",
    "amax",
    "amin",
    "max",
    "min",
    "argmax",
    "argmin",
    "logsumexp",
    "any",
    "all",
    "cumsum",
    "cumprod",
    "median",
    "softmax",
    "log_softmax",
    "unbind",
    "sort",
    "argsort",
    "count_nonzero",
):
    wrong(f"{_name}-dim out of range", RANGE, lambda t, f=_name: getattr(t, f)(t.ones(2, 3), 2))
    wrong(f"{_name}-method dim out of range", RANGE.replace("got 2", "got -3"), lambda t, f=_name: getattr(t.ones(2, 3), f)(-3))
for _name in ("sum", "mean", "var", "std", "amax", "amin", "logsumexp"):
    wrong(
        f"{_name}-dims twice",
        "appears multiple times in the list of dims",
        lambda t, f=_name: getattr(t, f)(t.ones(2, 3), (0, 0)),
    )
for _name in ("max", "min", "argmax", "argmin", "amax", "amin"):
    wrong(f"{_name}-empty", "", lambda t, f=_name: getattr(t, f)(t.ones(0)))
wrong("mean-integers", "could not infer output dtype", lambda t: t.arange(3).mean())
wrong("var-integers", "only support floating point", lambda t: t.arange(3).var())
wrong("reshape-size", "shape '[4]' is invalid for input of size 6", lambda t: t.ones(6).reshape(4))
wrong("reshape-two unknown", "only one dimension can be inferred", lambda t: t.ones(6).reshape(-1, -1))
wrong("reshape-unknown does not divide", "shape '[4, -1]' is invalid for input of size 6", lambda t: t.ones(6).reshape(4, -1))
wrong("view-size", "shape '[4]' is invalid for input of size 6", lambda t: t.ones(6).view(4))
wrong("view-strides", "view size is not compatible with input tensor's size and stride", lambda t: t.ones(2, 3).t().view(6))
wrong("unflatten-size", "", lambda t: t.ones(2, 6).unflatten(1, (4, 2)))
wrong("flatten-order", "flatten() has invalid args: start_dim cannot come after end_dim", lambda t: t.ones(2, 3).flatten(1, 0))
wrong(
    "unsqueeze-dim", "Dimension out of range (expected to be in range of [-3, 2], but got 3)", lambda t: t.ones(2, 3).unsqueeze(3)
)
wrong("squeeze-dim", RANGE, lambda t: t.ones(2, 3).squeeze(2))
wrong("transpose-dim", RANGE, lambda t: t.ones(2, 3).transpose(0, 2))
wrong("t-dims", "t() expects a tensor with <= 2 dimensions, but self is 3D", lambda t: t.ones(2, 3, 4).t())
wrong("permute-few", "does not match", lambda t: t.ones(2, 3).permute(0))
wrong("permute-twice", "", lambda t: t.ones(2, 3).permute(0, 0))
wrong("movedim-dim", "Dimension out of range", lambda t: t.ones(2, 3).movedim(0, 2))
wrong(
    "expand-size",
    "The expanded size of the tensor (4) must match the existing size (3) at non-singleton dimension 1",
    lambda t: t.ones(2, 3).expand(2, 4),
)
wrong("expand-few", "must be greater or equal to the number of dimensions in the tensor", lambda t: t.ones(2, 3).expand(3))
wrong("expand-unknown", "", lambda t: t.ones(3).expand(-1, 3))
wrong("broadcast_to-size", "must match the existing size", lambda t: t.broadcast_to(t.ones(3), (4,)))
wrong("broadcast_tensors-size", "must match", lambda t: t.broadcast_tensors(t.ones(3), t.ones(2)))
wrong(
    "repeat-few",
    "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
    lambda t: t.ones(2, 3).repeat(2),
)
wrong(
    "cat-sizes",
    "Sizes of tensors must match except in dimension 0. Expected size 3 but got size 4 for tensor number 1 in the list",
    lambda t: t.cat([t.ones(2, 3), t.ones(2, 4)]),
)
wrong("cat-dims", "Tensors must have same number of dimensions: got 2 and 1", lambda t: t.cat([t.ones(2, 3), t.ones(3)]))
wrong("cat-nothing", "expected a non-empty list of Tensors", lambda t: t.cat([]))
wrong("cat-dim", RANGE, lambda t: t.cat([t.ones(2, 3)], dim=2))
wrong("cat-tensor", "must be tuple of Tensors, not Tensor", lambda t: t.cat(t.ones(2)))
wrong(
    "cat-scalars",
    "zero-dimensional tensor (at position 0) cannot be concatenated",
    lambda t: t.cat([t.tensor(1.0), t.tensor(2.0)]),
)
wrong(
    "stack-sizes",
    "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1",
    lambda t: t.stack([t.ones(2), t.ones(3)]),
)
wrong("stack-nothing", "stack expects a non-empty TensorList", lambda t: t.stack([]))
wrong("split-sizes", "split_with_sizes expects split_sizes to sum exactly to 5", lambda t: t.ones(5).split([1, 3]))
wrong("split-negative", "", lambda t: t.ones(5).split(-1))
wrong("split-zero", "", lambda t: t.ones(5).split(0))
wrong("chunk-zero", "chunk expects `chunks` to be greater than 0, got: 0", lambda t: t.ones(5).chunk(0))
wrong("narrow-length", "exceeds dimension size (3)", lambda t: t.ones(3).narrow(0, 2, 2))
wrong("select-index", "", lambda t: t.ones(3).select(0, 3))
wrong("roll-dims", "shifts and dimensions must align", lambda t: t.ones(2, 3).roll((1, 2), 0))
wrong("flip-dim out of range", RANGE, lambda t: t.ones(2, 3).flip(2))
wrong("flip-twice", "appears multiple times", lambda t: t.ones(2, 3).flip(0, 0))
wrong("diag-dims", "", lambda t: t.diag(t.ones(2, 2, 2)))
wrong("diagonal-same dims", "", lambda t: t.diagonal(t.ones(2, 2), dim1=0, dim2=0))
wrong("tril-vector", "must have at least 2 dimensions", lambda t: t.ones(3).tril())
wrong("index_select-out of range", "index out of range in self", lambda t: t.ones(3).index_select(0, t.tensor([3])))
wrong("index_select-dtype", "", lambda t: t.ones(3).index_select(0, t.tensor([1.0])))
wrong("gather-out of range", "index 5 is out of bounds for dimension 0 with size 3", lambda t: t.ones(3).gather(0, t.tensor([5])))
wrong(
    "gather-dims",
    "Index tensor must have the same number of dimensions as input tensor",
    lambda t: t.ones(2, 3).gather(0, t.tensor([0])),
)
wrong("gather-size", "Size does not match at dimension 0", lambda t: t.ones(2, 3).gather(1, t.zeros(3, 1, dtype=t.int64)))
wrong(
    "scatter-out of range",
    "index 5 is out of bounds for dimension 0 with size 3",
    lambda t: t.zeros(3).scatter(0, t.tensor([5]), 1.0),
)
wrong(
    "scatter_add-out of range",
    "index 5 is out of bounds for dimension 0 with size 3",
    lambda t: t.zeros(3).scatter_add(0, t.tensor([5]), t.ones(1)),
)
wrong("index_add-out of range", "index out of range in self", lambda t: t.zeros(3).index_add(0, t.tensor([5]), t.ones(1)))
wrong("index_add-sizes", "", lambda t: t.zeros(3).index_add(0, t.tensor([0, 1]), t.ones(3)))
wrong("masked_fill-dtype", "masked_fill_ only supports boolean masks", lambda t: t.ones(2).masked_fill(t.tensor([1, 0]), 0))
wrong("masked_fill-shape", "must match", lambda t: t.ones(2).masked_fill(t.tensor([True, False, True]), 0))
wrong("masked_select-dtype", "expected BoolTensor", lambda t: t.ones(2).masked_select(t.tensor([1, 0])))
wrong("topk-large", "selected index k out of range", lambda t: t.ones(3).topk(4))
wrong("meshgrid-matrix", "Expected 0D or 1D tensor", lambda t: t.meshgrid(t.ones(2, 2), t.ones(2), indexing="ij"))
wrong("repeat_interleave-counts", "", lambda t: t.repeat_interleave(t.ones(3), t.tensor([1, 2]), dim=0))
wrong("index-out of range", "index 3 is out of bounds for dimension 0 with size 3", lambda t: t.ones(3)[3])
wrong("index-negative out of range", "index -4 is out of bounds for dimension 0 with size 3", lambda t: t.ones(3)[-4])
wrong("index-second out of range", "index 4 is out of bounds for dimension 1 with size 3", lambda t: t.ones(2, 3)[:, 4])
wrong("index-list out of range", "index 3 is out of bounds for dimension 0 with size 3", lambda t: t.ones(3)[[0, 3]])
wrong("index-too many", "too many indices for tensor of dimension 2", lambda t: t.ones(2, 3)[0, 0, 0])
wrong("index-scalar", "invalid index of a 0-dim tensor", lambda t: t.tensor(1.0)[0])
wrong("index-negative step", "step must be greater than zero", lambda t: t.ones(3)[::-1])
wrong("index-float", "only integers, slices", lambda t: t.ones(3)[0.5])
wrong(
    "index-mask shape",
    "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3] at index 0",
    lambda t: t.ones(3)[t.tensor([True, False])],
)
wrong(
    "index-float tensor", "tensors used as indices must be long, int, byte or bool tensors", lambda t: t.ones(3)[t.tensor([0.0])]
)
wrong(
    "index-not broadcast",
    "indexing tensors could not be broadcast together with shapes [2], [3]",
    lambda t: t.ones(3, 3)[[0, 1], [0, 1, 2]],
)
wrong(
    "setitem-shape",
    "The expanded size of the tensor (3) must match the existing size (2) at non-singleton dimension 0",
    lambda t: t.ones(2, 3).__setitem__(0, t.ones(2)),
)
wrong(
    "setitem-list shape",
    "shape mismatch: value tensor of shape [3] cannot be broadcast to indexing result of shape [2]",
    lambda t: t.ones(4).__setitem__([0, 1], t.ones(3)),
)
wrong("setitem-out of range", "index 9 is out of bounds for dimension 0 with size 4", lambda t: t.ones(4).__setitem__(9, 1.0))
wrong(
    "setitem-leaf",
    "a view of a leaf Variable that requires grad is being used in an in-place operation",
    lambda t: t.ones(4, requires_grad=True)[1:].__setitem__(0, 1.0),
)
wrong("matmul-2 by 2", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", lambda t: t.ones(2, 3) @ t.ones(2, 3))
wrong("matmul-2 by 1", "size mismatch, got input (2), mat (2x3), vec (2)", lambda t: t.ones(2, 3) @ t.ones(2))
wrong("matmul-1 by 1", "inconsistent tensor size", lambda t: t.ones(3) @ t.ones(2))
wrong(
    "matmul-batches",
    "Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [2, 3].",
    lambda t: t.ones(2, 3, 4) @ t.ones(2, 3, 4),
)
wrong("matmul-batch sizes", "must match the size of tensor b", lambda t: t.ones(2, 3, 4) @ t.ones(5, 4, 3))
wrong("matmul-scalar", "both arguments to matmul need to be at least 1D", lambda t: t.tensor(1.0) @ t.ones(3))
wrong("matmul-dtypes", "same dtype", lambda t: t.ones(2, 2) @ t.ones(2, 2, dtype=t.float64))
wrong("mm-vector", "self must be a matrix", lambda t: t.mm(t.ones(2), t.ones(2, 2)))
wrong("mv-size", "size mismatch", lambda t: t.mv(t.ones(2, 3), t.ones(2)))
wrong("bmm-matrix", "must be a 3D tensor", lambda t: t.bmm(t.ones(2, 3), t.ones(3, 2)))
wrong("dot-matrix", "1D tensors expected", lambda t: t.dot(t.ones(2, 2), t.ones(2)))
wrong("dot-size", "inconsistent tensor size", lambda t: t.dot(t.ones(2), t.ones(3)))
wrong("outer-matrix", "", lambda t: t.outer(t.ones(2, 2), t.ones(2)))
wrong("einsum-size", "", lambda t: t.einsum("ij,jk->ik", t.ones(2, 3), t.ones(2, 3)))
wrong("einsum-count", "", lambda t: t.einsum("ij,jk->ik", t.ones(2, 3)))
wrong("einsum-letters", "", lambda t: t.einsum("ijk->i", t.ones(2, 3)))
wrong("einsum-output", "", lambda t: t.einsum("ij->k", t.ones(2, 3)))
wrong("tensordot-size", "", lambda t: t.tensordot(t.ones(2, 3), t.ones(2, 3), dims=1))
wrong("addmm-shape", "mat1 and mat2 shapes cannot be multiplied", lambda t: t.addmm(t.ones(2), t.ones(2, 3), t.ones(2, 2)))
wrong(
    "linear-shape",
    "mat1 and mat2 shapes cannot be multiplied (4x3 and 2x5)",
    lambda t: t.nn.functional.linear(t.ones(4, 3), t.ones(5, 2)),
)
wrong(
    "mse_loss-reduction",
    "is not a valid value for reduction",
    lambda t: t.nn.functional.mse_loss(t.ones(2), t.ones(2), reduction="max"),
)
wrong(
    "cross_entropy-batch",
    "Expected input batch_size (2) to match target batch_size (3).",
    lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), t.tensor([0, 1, 2])),
)
wrong("cross_entropy-class", "Target 3 is out of bounds.", lambda t: t.nn.functional.cross_entropy(t.ones(1, 3), t.tensor([3])))
wrong(
    "cross_entropy-weight",
    "weight tensor should be defined either for all 3 classes or no classes",
    lambda t: t.nn.functional.cross_entropy(t.ones(1, 3), t.tensor([0]), weight=t.ones(2)),
)
wrong(
    "cross_entropy-smoothing",
    "label_smoothing must be between 0.0 and 1.0",
    lambda t: t.nn.functional.cross_entropy(t.ones(1, 3), t.tensor([0]), label_smoothing=1.5),
)
wrong(
    "bce-range",
    "all elements of input should be between 0 and 1",
    lambda t: t.nn.functional.binary_cross_entropy(t.tensor([1.5]), t.tensor([1.0])),
)
wrong("bce-size", "Using a target size", lambda t: t.nn.functional.binary_cross_entropy(t.ones(2), t.ones(3)))
wrong(
    "bce logits-size",
    "Target size (torch.Size([3])) must be the same as input size (torch.Size([2]))",
    lambda t: t.nn.functional.binary_cross_entropy_with_logits(t.ones(2), t.ones(3)),
)
wrong(
    "dropout-p", "dropout probability has to be between 0 and 1, but got -0.1", lambda t: t.nn.functional.dropout(t.ones(2), -0.1)
)
wrong("tensor-ragged", "expected sequence of length 2 at dim 1 (got 3)", lambda t: t.tensor([[1, 2], [1, 2, 3]]))
wrong("tensor-string", "", lambda t: t.tensor("text"))
wrong("tensor-strings", "too many dimensions 'str'", lambda t: t.tensor(["a"]))
wrong("tensor-None", "Could not infer dtype of NoneType", lambda t: t.tensor([None]))
wrong("tensor-dtype", "", lambda t: t.tensor([1.0], dtype="float64"))
wrong("tensor-overflow", "Overflow when unpacking long", lambda t: t.tensor([2**70]))
wrong(
    "tensor-integer requires grad",
    "Only Tensors of floating point and complex dtype can require gradients",
    lambda t: t.tensor([1], requires_grad=True),
)
wrong("zeros-negative", "", lambda t: t.zeros(2, -1))
wrong("zeros-float", "", lambda t: t.zeros(2.5))
wrong("arange-sign", "upper bound and lower bound inconsistent with step sign", lambda t: t.arange(0, 3, -1))
wrong("linspace-steps", "number of steps must be non-negative", lambda t: t.linspace(0, 1, -2))
wrong("randint-range", "random_ expects 'from' to be less than 'to'", lambda t: t.randint(5, 5, (2,)))
wrong("item-many", "a Tensor with 2 elements cannot be converted to Scalar", lambda t: t.ones(2).item())
wrong("float-many", "only one element tensors can be converted to Python scalars", lambda t: float(t.ones(2)))
wrong("bool-many", "Boolean value of Tensor with more than one value is ambiguous", lambda t: bool(t.ones(2)))
wrong("bool-none", "Boolean value of Tensor with no values is ambiguous", lambda t: bool(t.ones(0)))
wrong("index-float scalar", "only integer tensors of a single element can be converted to an index", lambda t: [1][t.tensor(0.0)])
wrong("len-scalar", "len() of a 0-d tensor", lambda t: len(t.tensor(1.0)))
wrong("iter-scalar", "iteration over a 0-d tensor", lambda t: list(t.tensor(1.0)))
wrong("operator-string", "unsupported operand type(s) for +: 'Tensor' and 'str'", lambda t: t.ones(2) + "1")
wrong("operator-None", "unsupported operand type(s) for *: 'Tensor' and 'NoneType'", lambda t: t.ones(2) * None)
wrong("operator-string first", "", lambda t: "1" - t.ones(2))
wrong("pow-negative integer", "Integers to negative integer powers are not allowed", lambda t: t.arange(3) ** -2)
wrong("floor_divide-zero", "ZeroDivisionError", lambda t: t.arange(3) // 0)
wrong(
    "bool-minus",
    "Subtraction, the `-` operator, with two bool tensors is not supported",
    lambda t: t.tensor([True]) - t.tensor([True]),
)
wrong("bool-negative", "Negation, the `-` operator, on a bool tensor is not supported", lambda t: -t.tensor([True]))
wrong("invert-float", "", lambda t: ~t.ones(2))
wrong("in place-cast", "result type Float can't be cast to the desired output type", lambda t: t.arange(3).mul_(0.5))
wrong("in place-shape", "output with shape [3] doesn't match the broadcast shape [2, 3]", lambda t: t.ones(3).add_(t.ones(2, 3)))
wrong(
    "in place-leaf",
    "a leaf Variable that requires grad is being used in an in-place operation",
    lambda t: t.ones(3, requires_grad=True).add_(1),
)
wrong("in place-copy shape", "", lambda t: t.ones(3).copy_(t.ones(2)))
wrong("in place-expanded", "unsupported operation", lambda t: t.ones(1).expand(3).add_(t.arange(3)))
wrong(
    "backward-no graph", "element 0 of tensors does not require grad and does not have a grad_fn", lambda t: t.ones(()).backward()
)
wrong(
    "backward-vector",
    "grad can be implicitly created only for scalar outputs",
    lambda t: t.ones(2, requires_grad=True).exp().backward(),
)
wrong("backward-shape", "Mismatch in shape", lambda t: t.ones(2, requires_grad=True).exp().backward(t.ones(3)))
wrong(
    "backward-twice",
    "Trying to backward through the graph a second time",
    lambda t: [y.backward() for y in [(t.ones((), requires_grad=True) ** 2).exp()] * 2],
)
wrong(
    "grad-unused",
    "appears to not have been used in the graph",
    lambda t: t.autograd.grad(t.ones((), requires_grad=True) ** 2, t.ones(2, requires_grad=True)),
)
wrong(
    "grad-not required",
    "One of the differentiated Tensors does not require grad",
    lambda t: t.autograd.grad(t.ones((), requires_grad=True) ** 2, t.ones(2)),
)
wrong(
    "grad-dtype of seed", "", lambda t: t.autograd.grad(t.ones(2, requires_grad=True) ** 2, t.ones(2), t.ones(2, dtype=t.int64))
)
wrong("requires_grad_-integer", "only Tensors of floating point", lambda t: t.arange(2).requires_grad_())
wrong(
    "requires_grad-not leaf",
    "you can only change requires_grad flags of leaf variables",
    lambda t: (t.ones(2, requires_grad=True) * 2).requires_grad_(False),
)
wrong("retain_grad-no graph", "can't retain_grad on Tensor that has requires_grad=False", lambda t: t.ones(2).retain_grad())
wrong(
    "register_hook-no graph",
    "cannot register a hook on a tensor that doesn't require gradient",
    lambda t: t.ones(2).register_hook(print),
)
wrong(
    "numpy-requires grad",
    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    lambda t: t.ones(2, requires_grad=True).numpy(),
)
wrong(
    "grad-assign number",
    "assigned grad expected to be a Tensor or None but got grad of type int",
    lambda t: setattr(t.ones(2), "grad", 1),
)
wrong("attribute", "'Tensor' object has no attribute 'nothing'", lambda t: t.ones(2).nothing)
wrong("detach_-view", "", lambda t: t.ones(2, requires_grad=True).exp()[0].view(1).detach_())


def raised(t, call):
    """The exception of a call, warnings aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = call(t)
        except Exception as error:
            return error
    return AssertionError(f"no error was raised, the call returned {result!r}")


def is_of_type(error, wanted):
    """Whether the error is what an `except` clause for PyTorch's exception would catch."""
    return wanted.__name__ in [kind.__name__ for kind in type(error).__mro__]


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    phrase, call = WRONG[name]
    wanted, given = raised(torch, call), raised(library, call)
    assert not isinstance(wanted, AssertionError), f"PyTorch accepts this: {wanted}"
    assert phrase in str(wanted), f"PyTorch says: {wanted}"
    assert is_of_type(given, type(wanted)), f"wanted {type(wanted).__name__}: {wanted}\n got {type(given).__name__}: {given}"
    assert phrase in str(given), f"wanted the phrase: {phrase}\n got: {given}"
