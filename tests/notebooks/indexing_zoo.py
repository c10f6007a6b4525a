"""Indexing, reading and writing, with the gradient of each form."""

import torch

x = torch.arange(24.0).reshape(2, 3, 4)
mask = x[0] > 5
forms = {
    "x[0]": lambda t: t[0],
    "x[-1, 1]": lambda t: t[-1, 1],
    "x[1, 2, 3]": lambda t: t[1, 2, 3],
    "x[:, 1]": lambda t: t[:, 1],
    "x[..., 0]": lambda t: t[..., 0],
    "x[1, ..., 2]": lambda t: t[1, ..., 2],
    "x[:, None, 0]": lambda t: t[:, None, 0],
    "x[0, :, ::2]": lambda t: t[0, :, ::2],
    "x[:, 1:, -2:]": lambda t: t[:, 1:, -2:],
    "x[..., None]": lambda t: t[0, 0, ..., None],
    "x[[0, 0, 1]]": lambda t: t[[0, 0, 1], 0],
    "x[tensor]": lambda t: t[torch.tensor([1, 0]), 2],
    "x[2-d tensor]": lambda t: t[0, torch.tensor([[0, 1], [2, 2]])],
    "x[pairs]": lambda t: t[torch.tensor([0, 1]), torch.tensor([2, 0])],
    "x[:, list]": lambda t: t[:, [2, 0]],
    "x[:, :, list]": lambda t: t[:, :, [3, 3]],
    "x[list, :, list]": lambda t: t[[0, 1], :, [1, 2]],
    "x[broadcast]": lambda t: t[torch.tensor([[0], [1]]), torch.tensor([0, 2]), -1],
    "x[0][mask]": lambda t: t[0][mask],
    "x[:, mask]": lambda t: t[:, mask],
    "x[bool list]": lambda t: t[[True, False]],
    "x[mask of rows]": lambda t: t[:, torch.tensor([True, False, True]), 0],
    "x[0-dim tensor]": lambda t: t[torch.tensor(1), 0],
    "x[slice, tensor]": lambda t: t[0:1, torch.tensor([1])],
    "x[None]": lambda t: t[None, 0, 0],
    "x[True]": lambda t: t[True, 0, 0],
    "x[empty]": lambda t: t[0, 0, 4:],
    "x[empty list]": lambda t: t[torch.tensor([], dtype=torch.int64)],
}
for name, form in forms.items():
    leaf = x.clone().requires_grad_()
    y = form(leaf)
    print(name, tuple(y.shape), y.grad_fn.name())
    print(y.detach())
    (y * y).sum().backward()
    print(leaf.grad.flatten().to(torch.int64).tolist())

print("-- writing")


def written(name, write):
    t = torch.zeros(3, 4)
    write(t)
    print(name)
    print(t)


def put(*index):
    def write(t):
        *where, value = index
        t[tuple(where) if len(where) > 1 else where[0]] = value

    return write


written("t[1] = 5", put(1, 5))
written("t[:, 0] = vector", put(slice(None), 0, torch.tensor([1.0, 2.0, 3.0])))
written("t[::2, 1:3] = matrix", put(slice(None, None, 2), slice(1, 3), torch.tensor([[1.0, 2.0], [3.0, 4.0]])))
written("t[[0, 2]] = row", put([0, 2], torch.arange(4.0)))
written("t[[0, 2], [1, 3]] = values", put([0, 2], [1, 3], torch.tensor([8.0, 9.0])))
written("t[..., -1] = True", put(..., -1, True))
written("t[1:] = integers", put(slice(1, None), torch.tensor([1, 2, 3, 4])))
written("t[mask] = 1", lambda t: t.__setitem__(torch.eye(3, 4) > 0, 1))
written("t[mask] = values", lambda t: t.__setitem__(torch.eye(3, 4).bool(), torch.tensor([7.0, 8.0, 9.0])))
written("t[mask rows] = 2", lambda t: t.__setitem__(torch.tensor([True, False, True]), 2))
written("t[1][2] = 6", lambda t: t[1].__setitem__(2, 6))
written("t[0] += 1", lambda t: t.__setitem__(0, t[0].add_(1)))
places = (torch.tensor([0, 0, 1]), torch.tensor([1, 1, 1]))
written("t.index_put_", lambda t: t.index_put_(places, torch.tensor(1.0), accumulate=True))
written("t.index_fill_", lambda t: t.index_fill_(1, torch.tensor([0, 2]), 4.0))
written("t.index_copy_", lambda t: t.index_copy_(0, torch.tensor([2, 0]), torch.arange(8.0).view(2, 4)))
written("t.masked_scatter_", lambda t: t.masked_scatter_(torch.eye(3, 4).bool(), torch.arange(1.0, 9)))

print("-- integer and bool tensors")
i = torch.arange(10)
i[i % 3 == 0] = -1
i[[1, 2]] += 10
print(i, i[-3:], i[5], i[5].item(), i[::3])
b = torch.zeros(4, dtype=torch.bool)
b[1:3] = True
print(b, b.nonzero(), b.nonzero().shape, torch.where(b), b.sum())
print(torch.nonzero(torch.tensor([[0, 1], [2, 0]])), torch.nonzero(torch.tensor([[0, 1], [2, 0]]), as_tuple=True))

print("-- gradients of written values")
t = torch.zeros(3, 3)
v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
t[[0, 1, 2], [2, 1, 0]] = v
t[0] = v[0] * t[0].clone()
t[t == 0] = -1
print(t)
(t * torch.arange(9.0).view(3, 3)).sum().backward()
print(v.grad)

print("-- len, iteration, membership, unpacking")
m = torch.tensor([[1, 2], [3, 4], [5, 6]])
print(len(m), [row.tolist() for row in m], 3 in m, 7 in m)
(a, b), *rest = m
print(a, b, rest)
print(list(reversed([1, 2])), [int(v) for v in m[:, 0]], {int(k): v for k, v in m})
for position, row in enumerate(m):
    print(position, row, row[0].item() * 10)
