"""A first walk through gradients: leaves, graphs, backward, accumulation."""

import torch

x = torch.tensor([0.5, -1.5, 2.0], requires_grad=True)
print(x)
print(x.requires_grad, x.is_leaf, x.grad, x.grad_fn)

y = x * 3 + 1
print(y)
print(y.requires_grad, y.is_leaf)
print(type(y.grad_fn).__name__, y.grad_fn.name())

z = (y**2).mean()
print(z)
print("z =", z.item())
z.backward()
print(x.grad)
print("by hand:", 2 * 3 * (3 * x.detach() + 1) / 3)

print("-- gradients accumulate")
for _ in range(3):
    (x * 2).sum().backward()
    print(x.grad)
x.grad.zero_()
print(x.grad)
(x**3).sum().backward()
print(x.grad)
x.grad = None
print(x.grad)
x.sum().backward()
print(x.grad)

print("-- several leaves")
a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(3.0, requires_grad=True)
c = torch.tensor(4.0)
q = 3 * a**3 - b**2 + a * b * c
print(q)
q.backward()
print(a.grad, b.grad, c.grad)
print(a.grad == 9 * a**2 + b * c, b.grad == -2 * b + a * c)

print("-- one output used twice")
w = torch.tensor([1.0, 2.0], requires_grad=True)
u = w.exp()
v = u * u + u
v.sum().backward()
print(w.grad)

print("-- integers as weights")
p = torch.ones(2, 3, requires_grad=True)
r = (p * torch.tensor([1, 2, 3])).sum()
print(r)
r.backward()
print(p.grad)

print("-- control flow in Python")


def collatz_like(t):
    steps = 0
    while t.norm() < 50:
        t = t * 2 if t.sum() > 0 else t * -3
        steps += 1
    return t, steps


s = torch.tensor([-0.25, 0.125], requires_grad=True)
out, steps = collatz_like(s)
print(steps, out)
out.sum().backward()
print(s.grad)

print("-- is_leaf")
print(torch.rand(3).is_leaf, torch.rand(3, requires_grad=True).is_leaf)
print((torch.ones(3, requires_grad=True) + 1).is_leaf, (torch.ones(3) + 1).is_leaf)
print(torch.ones(2).requires_grad_().is_leaf)

print("-- requires_grad spreads")
m = torch.ones(2, 2)
n = (m * 3) / (m - 3)
print(n, n.requires_grad)
m.requires_grad_(True)
n = (m * 3) / (m - 3)
print(n, n.requires_grad)
n.sum().backward()
print(m.grad)
print(f"{z.item():.4f} {a.grad:.2f} {w.grad}")
