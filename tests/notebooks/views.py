"""Views share storage with their base: what sees what, and how gradients follow writes through a view."""

import torch

base = torch.arange(12.0)
grid = base.view(3, 4)
column = grid[:, 1]
print(grid)
column.fill_(-1)
print(base)
print(column, column.is_contiguous(), grid.is_contiguous(), column.stride(), grid.stride())
grid.t()[0] = 100
print(base)
print(grid.T, grid.T.is_contiguous())
base[::5] = 0
print(grid)
print(grid.diagonal(), grid.diagonal(1), grid.diagonal(offset=-1))
grid.diagonal().mul_(3)
print(grid)

print("-- view or copy?")
samples = {
    "reshape": lambda t: t.reshape(4, 3),
    "flatten": lambda t: t.flatten(),
    "transpose": lambda t: t.transpose(0, 1),
    "permute": lambda t: t.permute(1, 0),
    "slice": lambda t: t[1:, ::2],
    "select": lambda t: t.select(0, 1),
    "narrow": lambda t: t.narrow(1, 1, 2),
    "index list": lambda t: t[[0, 1]],
    "mask": lambda t: t[t > 3],
    "unsqueeze": lambda t: t.unsqueeze(0),
    "squeeze": lambda t: t.squeeze(),
    "expand": lambda t: t.unsqueeze(0).expand(2, 3, 4),
    "detach": lambda t: t.detach(),
    "clone": lambda t: t.clone(),
    "split": lambda t: t.split(2)[0],
    "chunk": lambda t: t.chunk(2, dim=1)[1],
    "unbind": lambda t: t.unbind()[2],
    "movedim": lambda t: t.movedim(0, 1),
    "unflatten": lambda t: t.unflatten(1, (2, 2)),
    "view_as": lambda t: t.view_as(torch.empty(6, 2)),
    "transposed reshape": lambda t: t.T.reshape(-1),
    "contiguous": lambda t: t.contiguous(),
    "transposed contiguous": lambda t: t.T.contiguous(),
    "ravel": lambda t: t.ravel(),
    "roll": lambda t: t.roll(1),
    "flip": lambda t: t.flip(0),
    "repeat": lambda t: t.repeat(1, 1),
    "to same dtype": lambda t: t.to(torch.float32),
    "float": lambda t: t.float(),
    "double": lambda t: t.double(),
}
for name, make in samples.items():
    t = torch.arange(12.0).reshape(3, 4)
    v = make(t)
    v.zero_()
    print(f"{name:22s} {tuple(v.shape)!s:12s} shares storage: {t.sum().item() != 66.0}")

print("-- gradients through views")
x = torch.arange(6.0, requires_grad=True)
y = x.view(2, 3)
(y[0] * torch.tensor([1.0, 2.0, 3.0]) + y[1] ** 2).sum().backward()
print(x.grad)
print(y.grad_fn.name(), y[0].grad_fn.name(), y.T.grad_fn.name(), y[:, 1:].grad_fn.name(), y.T.reshape(6).grad_fn.name())

print("-- a write through a view reaches the base's graph")
x.grad = None
a = x * 1
b = a.view(2, 3)
b[0].mul_(10)
print(a)
a.sum().backward()
print(x.grad)

x.grad = None
a = x.clone()
row = a[2:4]
row.copy_(torch.tensor([100.0, 200.0]))
print(a, row.detach())
(a * a).sum().backward()
print(x.grad)

print("-- the base is written, the view sees it")
x.grad = None
a = x * 2
v = a[1:4]
a.mul_(3)
print(v.detach())
v.sum().backward()
print(x.grad)

print("-- a write through one view, read through another")
x.grad = None
a = x.clone()
left, right = a[:4], a[2:]
left.mul_(2)
print(right.detach())
(right * right).sum().backward()
print(x.grad)

print("-- the written values need gradients, the base did not")
w = torch.tensor([5.0, 7.0], requires_grad=True)
a = torch.zeros(2, 3)
a[:, 1] = w
a.diagonal().add_(w * 2)
print(a)
(a**2).sum().backward()
print(w.grad)

print("-- a chain of views of views")
x.grad = None
a = x.clone()
a.view(2, 3).t()[1].view(2).mul_(4)
print(a)
a[1:].view(5)[::2][1:].zero_()
print(a)
(a * torch.arange(6.0)).sum().backward()
print(x.grad)

print("-- expanded values add up in the gradient")
s = torch.tensor([[1.0], [2.0]], requires_grad=True)
(s.expand(2, 3) * torch.arange(6.0).view(2, 3)).sum().backward()
print(s.grad)
s.grad = None
s.expand(4, 2, 3).sum().backward()
print(s.grad)

print("-- unbind, split and iteration")
m = torch.arange(6.0).view(3, 2).requires_grad_()
first, second, third = m
(first * second - third).sum().backward()
print(m.grad)
parts = torch.split(torch.arange(7), [1, 2, 4])
print(parts, torch.arange(7).split(3), torch.arange(7).chunk(3))

print("-- data pointers and bases")
t = torch.arange(4.0)
print(t.data_ptr() == t.view(2, 2).data_ptr(), t.data_ptr() == t.clone().data_ptr())
print(t.view(2, 2)._base is t, t._base, t._is_view(), t[1:]._is_view())
