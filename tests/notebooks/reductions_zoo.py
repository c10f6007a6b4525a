"""Reductions in all their forms, with names in the graph and gradients."""

import torch

x = torch.tensor([[1.0, -2.0, 3.0, 0.5], [4.0, 0.25, -6.0, 3.0], [2.0, 2.0, 1.0, -1.0]])
forms = {
    "sum": lambda t: t.sum(),
    "sum dim": lambda t: t.sum(1),
    "sum dims keepdim": lambda t: t.sum((0, 1), keepdim=True),
    "mean": lambda t: t.mean(),
    "mean dim": lambda t: t.mean(dim=-1, keepdim=True),
    "prod": lambda t: t.prod(),
    "prod dim": lambda t: t.prod(0),
    "var": lambda t: t.var(),
    "var unbiased=False": lambda t: t.var(0, unbiased=False),
    "var correction": lambda t: torch.var(t, dim=1, correction=2, keepdim=True),
    "std": lambda t: t.std(dim=1),
    "std all": lambda t: t.std(),
    "max": lambda t: t.max(),
    "min": lambda t: t.min(),
    "max dim": lambda t: t.max(1).values,
    "min dim": lambda t: t.min(dim=0, keepdim=True)[0],
    "amax": lambda t: t.amax(1),
    "amin dims": lambda t: t.amin((0, 1)),
    "logsumexp": lambda t: t.logsumexp(1),
    "norm": lambda t: t.norm(),
    "norm 1": lambda t: t.norm(p=1, dim=1),
    "norm inf": lambda t: torch.norm(t, float("inf")),
    "cumsum": lambda t: t.cumsum(1),
    "cumprod": lambda t: t.cumprod(0),
    "median": lambda t: t.median(),
    "median dim": lambda t: t.median(1)[0],
    "softmax": lambda t: t.softmax(0),
    "log_softmax": lambda t: t.log_softmax(-1),
}
for name, form in forms.items():
    leaf = x.clone().requires_grad_()
    y = form(leaf)
    print(name, y)
    (y * torch.arange(1.0, 1 + y.numel()).view(y.shape)).sum().backward()
    print(leaf.grad + 0.0)  # without the sign of zeros, which sums of adjoints do not keep

print("-- pairs and indices")
print(x.max(1))
print(x.min(0, keepdim=True))
values, indices = torch.max(x, dim=0)
print(values, indices)
print(torch.max(x, torch.zeros(4)), torch.min(x, torch.tensor(1.0)))
print(x.argmax(), x.argmin(), x.argmax(0), x.argmin(1, keepdim=True))
print(torch.aminmax(x), torch.aminmax(x, dim=1).max)
print(x.median(0))
print(type(x.max(1)).__name__, x.max(1)._fields if hasattr(x.max(1), "_fields") else "", len(x.max(1)))

print("-- ties: max and amax share evenly, max along a dim takes one")
t = torch.tensor([3.0, 1.0, 3.0], requires_grad=True)
t.max().backward()
print(t.grad)
t.grad = None
t.amax().backward()
print(t.grad)
t.grad = None
t.max(0)[0].backward()
print(t.grad)

print("-- any, all, counting")
b = torch.tensor([[True, False], [True, True]])
print(b.any(), b.all(), b.any(0), b.all(1), b.sum(), b.sum(0), b.float().mean())
print(torch.any(x > 3), torch.all(x > -10, dim=1), torch.count_nonzero(x > 1), torch.count_nonzero(x, dim=0), x.count_nonzero())
print((x > 0).sum(dim=1), (x > 0).sum().item())

print("-- integers")
i = torch.arange(6).reshape(2, 3)
print(i.sum(), i.sum(0).dtype, i.prod(), i.max(), i.cumsum(1), i.cumprod(0), i.float().mean(), i.sum(dtype=torch.float64))
print(i.argmax(), i.amax(0), i.max(1), i.median())
print(i.to(torch.int32).sum().dtype, i.bool().sum(), i.sum(1, keepdim=True))

print("-- nothing to reduce")
e = torch.zeros(0, 3)
print(e.sum(), e.sum(0), e.prod(), e.mean(), e.sum(1), e.any(), e.all(), e.cumsum(0).shape)
for action in (lambda: e.max(), lambda: e.argmax(), lambda: e.amax(0), lambda: e.max(0)):
    try:
        print(action())
    except (RuntimeError, IndexError) as error:
        print(type(error).__name__)

print("-- scalars, nan and inf")
s = torch.tensor(3.0, requires_grad=True)
print(s.sum(), s.mean(0), s.max(), s.max(0), s.cumsum(0), s.sum(-1), s.logsumexp(0))
n = torch.tensor([1.0, float("nan"), float("inf")])
print(n.sum(), n.max(), n.min(), n.argmax(), n.mean(), torch.logsumexp(n[[0, 2]], 0), n.amax(), n[1:].prod())
print(torch.tensor([-float("inf"), -float("inf")]).logsumexp(0), torch.tensor([1000.0, 1000.0]).logsumexp(0))
print(torch.tensor([5.0]).var(), torch.tensor([5.0]).std(unbiased=False), torch.tensor([5.0, 7.0]).var(correction=0))
