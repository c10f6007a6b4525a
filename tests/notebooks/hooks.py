"""Hooks see gradients on their way and may replace them; retain_grad keeps those of inner values."""

import warnings

import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
seen = []
handle = x.register_hook(lambda g: seen.append(g.tolist()))
(x * 3).sum().backward()
print(seen, x.grad)
handle.remove()
(x * 3).sum().backward()
print(seen, x.grad)

print("-- a hook that replaces the gradient of a leaf")
x.grad = None
x.register_hook(lambda g: g * 10)
(x**2).sum().backward()
print(x.grad)

print("-- hooks run in the order of registration, each on the last one's answer")
y = torch.tensor(1.0, requires_grad=True)
y.register_hook(lambda g: print("first", g) or g + 1)
y.register_hook(lambda g: print("second", g) or g * 2)
(y * 5).backward()
print(y.grad)

print("-- on an inner value")
a = torch.tensor([0.5, -1.0], requires_grad=True)
b = a * 2
b.register_hook(lambda g: print("b gets", g))
b.register_hook(lambda g: g.clamp(max=1))
c = b**2
c.register_hook(lambda g: print("c gets", g))
c.sum().backward()
print(a.grad)

print("-- retain_grad")
a.grad = None
b = a * 2
c = b**2
b.retain_grad()
print(b.retains_grad, c.retains_grad, a.retains_grad)
c.sum().backward()
print(b.grad, a.grad)

print("-- .grad of an inner value warns")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(c.grad)
print(len(caught), caught[0].category.__name__)
print("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed." in str(caught[0].message))

print("-- gradient clipping by a hook, within training")
w = torch.tensor([3.0, -4.0], requires_grad=True)
w.register_hook(lambda g: g / max(1.0, g.norm().item()))
for _ in range(3):
    (w**2).sum().backward()
    print(w.grad, f"{w.grad.norm():.4f}")
    with torch.no_grad():
        w -= w.grad
    w.grad = None
print(w)

print("-- errors")
for action in (lambda: torch.ones(2).register_hook(print), lambda: torch.ones(2).retain_grad()):
    try:
        action()
    except RuntimeError as error:
        print(type(error).__name__)
        message = str(error)
        print("cannot register a hook on a tensor that doesn't require gradient" in message,
              "can't retain_grad on Tensor that has requires_grad=False" in message)

print("-- a value used three times gets its sum once")
s = torch.tensor(2.0, requires_grad=True)
t = s * 3
t.register_hook(lambda g: print("total", g))
(t + t * t + t.exp() * 0).backward()
print(s.grad)

print("-- autograd.grad also runs hooks")
u = torch.tensor(1.0, requires_grad=True)
v = u * 2
v.register_hook(lambda g: g * 100)
print(torch.autograd.grad(v * 1, u))
