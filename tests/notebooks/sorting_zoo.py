"""Sorting, selecting the largest, gathering and scattering, with gradients through the values."""

import torch

x = torch.tensor([[3.0, 1.0, 2.0], [-1.0, 5.0, 0.5]])
print(x.sort(), torch.sort(x, dim=0, descending=True), x.argsort(), torch.argsort(x, dim=0, descending=True), sep="\n")
print(x.topk(2), x.topk(1, dim=0, largest=False), torch.topk(x, k=2, dim=1, largest=True, sorted=True).indices, sep="\n")
print(torch.sort(torch.tensor([2, 1, 2, 1]), stable=True), torch.tensor([True, False]).sort().values, torch.tensor(3.0).sort())
print(torch.tensor([1.0, float("nan"), -1.0]).sort(), torch.tensor([3, 1, 2]).argsort(descending=True), x.median(1))
print(x.kthvalue(2))
print(torch.unique(torch.tensor([3, 1, 3, 2])), torch.unique(torch.tensor([3, 1, 3]), return_counts=True))
print(torch.bincount(torch.tensor([0, 2, 2])))
print(torch.searchsorted(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0.0, 3.0, 9.0])), torch.tensor([1, 2, 3]).cumsum(0))
print(x.argmax(1))

print("-- gradients")
for name, form in {
    "sort": lambda t: t.sort(dim=1).values,
    "sort descending": lambda t: t.sort(0, descending=True)[0],
    "topk": lambda t: t.topk(2)[0],
    "gather": lambda t: t.gather(1, torch.tensor([[0, 0, 2], [1, 1, 1]])),
    "gather by sort": lambda t: torch.gather(t, 1, t.argsort(1)),
    "take_along_dim": lambda t: torch.take_along_dim(t, t.argsort(0), 0),
    "scatter": lambda t: torch.zeros(2, 4).scatter(1, torch.tensor([[3, 0, 1], [1, 2, 0]]), t),
    "scatter number": lambda t: t.scatter(1, torch.tensor([[0], [1]]), 9.0),
    "scatter_add": lambda t: torch.ones(2, 2).scatter_add(1, torch.tensor([[0, 1, 0], [1, 1, 1]]), t),
    "scatter_add target": lambda t: t.scatter_add(0, torch.tensor([[0, 1, 1]]), torch.tensor([[10.0, 20.0, 30.0]])),
    "index_add": lambda t: torch.zeros(3, 3).index_add(0, torch.tensor([2, 2]), t, alpha=2),
    "index_select": lambda t: t.index_select(1, torch.tensor([1, 1, 0])),
    "masked_select": lambda t: t.masked_select(t > 0.75),
    "cummax by max": lambda t: torch.stack([t[:, : k + 1].amax(1) for k in range(3)], 1),
    "median": lambda t: t.median(1).values,
    "repeat_interleave": lambda t: t.repeat_interleave(torch.tensor([1, 2]), 0),
}.items():
    leaf = x.clone().requires_grad_()
    y = form(leaf)
    print(name, y)
    (y * torch.arange(1.0, 1 + y.numel()).view(y.shape)).sum().backward()
    print(leaf.grad)

print("-- in place")
z = torch.zeros(2, 3)
z.scatter_(1, torch.tensor([[0], [2]]), 1.0)
print(z)
z.scatter_add_(0, torch.tensor([[1, 1, 0]]), torch.tensor([[5.0, 6.0, 7.0]]))
print(z)
z.index_add_(1, torch.tensor([0, 0]), torch.ones(2, 2))
print(z)
z.masked_fill_(z > 5, -1)
print(z)
z.fill_diagonal_(8)
print(z)

print("-- a histogram by scatter_add, a lookup table by indexing")
values = torch.tensor([0, 1, 1, 3, 3, 3])
print(torch.zeros(4, dtype=torch.int64).scatter_add_(0, values, torch.ones_like(values)))
table = torch.arange(8.0).reshape(4, 2).requires_grad_()
chosen = table[values]
print(chosen)
(chosen * torch.arange(12.0).view(6, 2)).sum().backward()
print(table.grad)

print("-- order statistics as a loss")
w = torch.tensor([0.3, -0.2, 0.9, 0.1], requires_grad=True)
trimmed = w.sort().values[1:-1].mean()
trimmed.backward()
print(trimmed, w.grad)
