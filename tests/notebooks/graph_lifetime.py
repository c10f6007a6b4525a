"""How long a graph lives: what a backward pass frees, what may be walked again, and long chains."""

import torch

AGAIN = "Trying to backward through the graph a second time"


def twice(name, build):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = build(x)
    y.backward()
    try:
        y.backward()
        print(f"{name:22s} again is fine  {x.grad}")
    except RuntimeError as error:
        print(f"{name:22s} {AGAIN in str(error)}  {x.grad}")


twice("sum", lambda x: x.sum())
twice("add", lambda x: (x + 1).sum())
twice("neg, sub, view", lambda x: (-x - 3).view(2, 1).sum())
twice("mean, cat", lambda x: torch.cat([x, x]).mean())
twice("mul", lambda x: (x * x).sum())
twice("exp", lambda x: x.exp().sum())
twice("pow", lambda x: (x**2).sum())
twice("relu", lambda x: x.relu().sum())
twice("matmul", lambda x: x @ x)

print("-- two results over one part")
x = torch.tensor(1.5, requires_grad=True)
shared = (x * 2).exp()
left, right = shared.sin(), shared.cos()
left.backward(retain_graph=True)
first = x.grad.item()
right.backward()
print(f"{first:.4f} {x.grad.item():.4f}")
try:
    left.backward()
except RuntimeError as error:
    print(AGAIN in str(error))

print("-- a value computed once, used in every step, must be kept or computed anew")
w = torch.tensor([1.0, -2.0], requires_grad=True)
scale = w.exp()
for step in range(3):
    loss = (scale * (step + 1)).sum()
    try:
        loss.backward()
        print(step, w.grad)
    except RuntimeError as error:
        print(step, AGAIN in str(error))

print("-- state carried from step to step: detach cuts the history")
state = torch.zeros(2)
w.grad = None
for step in range(4):
    state = torch.tanh(state.detach() * 0.5 + w)
    state.sum().backward()
    print(step, state.detach(), w.grad)

print("-- carried with its history")
w.grad = None
state = torch.zeros(2)
for _ in range(4):
    state = torch.tanh(state * 0.5 + w)
state.sum().backward()
print(w.grad)

print("-- long chains need no recursion")
t = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
y = t
for _ in range(20000):
    y = y * 1.0001
y.backward()
print(f"{t.grad.item():.6f} {1.0001**20000:.6f}")
t.grad = None
total = torch.zeros((), dtype=torch.float64)
for k in range(5000):
    total = total + t * k
total.backward()
print(t.grad)

print("-- grad() frees as backward() does, and keeps on demand")
p = torch.tensor([2.0, 3.0], requires_grad=True)
q = (p**3).sum()
print(torch.autograd.grad(q, p, retain_graph=True), torch.autograd.grad(q, p))
try:
    torch.autograd.grad(q, p)
except RuntimeError as error:
    print(AGAIN in str(error))
(g,) = torch.autograd.grad((p**3).sum(), p, create_graph=True)
print(torch.autograd.grad(g.sum(), p, retain_graph=True), torch.autograd.grad(g[0], p))

print("-- results may outlive their operands' names")


def make():
    inner = torch.tensor([1.0, 4.0], requires_grad=True)
    return inner, (inner.sqrt() * 3).sum()


leaf, result = make()
del make
result.backward()
print(leaf.grad)
