"""What goes wrong, and with which error: the type, and the phrase people search for."""

import torch
import torch.nn.functional as F


def attempt(phrase, action):
    try:
        print("no error:", action())
    except Exception as error:
        known = phrase in str(error)
        print(f"{type(error).__name__}: {phrase}" if known else f"UNEXPECTED {type(error).__name__}: {error}")


m = torch.arange(6.0).reshape(2, 3)
v = torch.arange(3.0)
i = torch.arange(3)

print("-- shapes")
attempt("The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0", lambda: v + torch.ones(4))
attempt("The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1", lambda: m * torch.ones(2))
attempt("shape '[4, 2]' is invalid for input of size 6", lambda: m.reshape(4, 2))
attempt("shape '[5, -1]' is invalid for input of size 6", lambda: m.view(5, -1))
attempt("only one dimension can be inferred", lambda: m.reshape(-1, -1))
attempt("view size is not compatible with input tensor's size and stride", lambda: m.T.view(6))
attempt(
    "The expanded size of the tensor (5) must match the existing size (3) at non-singleton dimension 1", lambda: m.expand(2, 5)
)
attempt("the number of sizes provided", lambda: m.expand(3))
attempt("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor", lambda: m.repeat(2))
attempt("Sizes of tensors must match except in dimension 0", lambda: torch.cat([m, torch.ones(2, 2)]))
attempt("stack expects each tensor to be equal size, but got [2, 3] at entry 0 and [3] at entry 1", lambda: torch.stack([m, v]))
attempt("expected a non-empty list of Tensors", lambda: torch.cat([]))
attempt("stack expects a non-empty TensorList", lambda: torch.stack([]))
attempt("split_with_sizes expects split_sizes to sum exactly to 3", lambda: v.split([1, 1]))
attempt("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", lambda: m @ m)
attempt("size mismatch, got input (2), mat (2x3), vec (2)", lambda: m @ torch.ones(2))

print("-- dims")
attempt("Dimension out of range (expected to be in range of [-2, 1], but got 2)", lambda: m.sum(2))
attempt("Dimension out of range (expected to be in range of [-2, 1], but got -3)", lambda: m.mean(dim=-3))
attempt(
    "Dimension out of range (expected to be in range of [-1, 0], but got 1)", lambda: torch.tensor(1.0).unsqueeze(0).squeeze(1)
)
attempt("Dimension out of range (expected to be in range of [-3, 2], but got 5)", lambda: m.unsqueeze(5))
attempt("Dimension out of range", lambda: m.transpose(0, 2))
attempt("Dimension out of range", lambda: torch.cat([m, m], dim=2))
attempt("Dimension out of range", lambda: m.softmax(4))
attempt("Dimension out of range", lambda: m.argmax(2))
attempt("Dimension out of range", lambda: m.cumsum(2))
attempt("Dimension out of range", lambda: m.flip(3))
attempt("Dimension out of range", lambda: m.size(2))
attempt("dim 0 appears multiple times in the list of dims", lambda: m.sum((0, 0)))
attempt(
    "number of dimensions in the tensor input does not match the length of the desired ordering of dimensions",
    lambda: m.permute(0),
)


print("-- indices")
attempt("index 5 is out of bounds for dimension 0 with size 3", lambda: v[5])
attempt("index -4 is out of bounds for dimension 0 with size 3", lambda: v[-4])
attempt("index 3 is out of bounds for dimension 1 with size 3", lambda: m[0, 3])
attempt("index 7 is out of bounds for dimension 0 with size 3", lambda: v[[0, 7]])
attempt("too many indices for tensor of dimension 1", lambda: v[0, 0])
attempt("invalid index of a 0-dim tensor", lambda: torch.tensor(1.0)[0])
attempt(
    "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3] at index 0",
    lambda: v[torch.tensor([True, False])],
)
attempt("tensors used as indices must be long, int, byte or bool tensors", lambda: v[torch.tensor([0.0])])
attempt("invalid data type 'str'", lambda: v["a"])
attempt("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices", lambda: v[1.5])
attempt("step must be greater than zero", lambda: v[::-1])
attempt("shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]", lambda: m[[0, 1], [0, 1, 2]])
attempt("The expanded size of the tensor (3) must match the existing size (2)", lambda: m.__setitem__(0, torch.ones(2)))
attempt(
    "shape mismatch: value tensor of shape [2] cannot be broadcast to indexing result of shape [3]",
    lambda: v.__setitem__([0, 1, 2], torch.ones(2)),
)
attempt("index out of range in self", lambda: v.index_select(0, torch.tensor([3])))
attempt("index 9 is out of bounds for dimension 0 with size 3", lambda: v.gather(0, torch.tensor([9])))
attempt("Expected dtype int32/int64 for index", lambda: v.gather(0, torch.tensor([0.0])))
attempt("iteration over a 0-d tensor", lambda: list(torch.tensor(1.0)))
attempt("len() of a 0-d tensor", lambda: len(torch.tensor(1.0)))
attempt("start (2) + length (2) exceeds dimension size (3)", lambda: v.narrow(0, 2, 2))
attempt("selected index k out of range", lambda: v.topk(4))

print("-- values and types")
attempt("Boolean value of Tensor with more than one value is ambiguous", lambda: bool(v))
attempt("a Tensor with 3 elements cannot be converted to Scalar", lambda: v.item())
attempt("only integer tensors of a single element can be converted to an index", lambda: [1, 2][torch.tensor(1.0)])
attempt("unsupported operand type(s) for +: 'Tensor' and 'str'", lambda: v + "a")
attempt("unsupported operand type(s) for *: 'Tensor' and 'NoneType'", lambda: v * None)
attempt("must be Tensor, not", lambda: torch.sin(1.0))
attempt("dimension", lambda: torch.sum(v, dimension=0))
attempt("'Tensor' object has no attribute 'nonexistent'", lambda: v.nonexistent)
attempt("could not infer output dtype", lambda: i.mean())
attempt("expected", lambda: torch.where(v, v, v))
attempt("expected m1 and m2 to have the same dtype", lambda: m @ m.T.double())
attempt("grad can be implicitly created only for scalar outputs", lambda: v.clone().requires_grad_().exp().backward())
attempt("does not require grad and does not have a grad_fn", lambda: v.sum().backward())
attempt(
    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    lambda: v.clone().requires_grad_().numpy(),
)
attempt(
    "attempting to assign a gradient of size '[4]' to a tensor of size '[3]'",
    lambda: setattr(v.clone().requires_grad_(), "grad", torch.ones(4)),
)
attempt(
    "assigned grad expected to be a Tensor or None but got grad of type int",
    lambda: setattr(v.clone().requires_grad_(), "grad", 1),
)
attempt(
    "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol",
    lambda: __import__("copy").deepcopy(v.clone().requires_grad_() * 2),
)
attempt("rounding_mode", lambda: torch.div(v, 2, rounding_mode="up"))
attempt("torch.clamp: At least one of 'min' or 'max' must not be None", lambda: v.clamp())
attempt("ZeroDivisionError", lambda: i // 0)
attempt("ZeroDivisionError", lambda: i % 0)

print("-- losses")
scores, labels = torch.zeros(2, 3), torch.tensor([0, 2])
attempt("Expected input batch_size (2) to match target batch_size (3).", lambda: F.cross_entropy(scores, torch.tensor([0, 1, 2])))
attempt("Target 3 is out of bounds.", lambda: F.cross_entropy(scores, torch.tensor([0, 3])))
attempt("to be Long or Byte, but got Int", lambda: F.nll_loss(scores, labels.int()))
attempt("is not a valid value for reduction", lambda: F.mse_loss(scores, scores, reduction="average"))
attempt(
    "all elements of input should be between 0 and 1", lambda: F.binary_cross_entropy(torch.tensor([2.0]), torch.tensor([1.0]))
)
attempt(
    "Using a target size (torch.Size([3])) that is different to the input size (torch.Size([2]))",
    lambda: F.binary_cross_entropy(torch.ones(2), torch.ones(3)),
)
attempt(
    "Target size (torch.Size([3])) must be the same as input size (torch.Size([2]))",
    lambda: F.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(3)),
)
attempt("dropout probability has to be between 0 and 1, but got 1.5", lambda: F.dropout(v, 1.5))
