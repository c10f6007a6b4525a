"""What is recorded and what is not: detach, no_grad, enable_grad, inference_mode, data."""

import torch


def attempt(phrase, action):
    try:
        print("no error:", action())
    except Exception as error:
        known = phrase in str(error)
        print(f"{type(error).__name__}: {phrase}" if known else f"UNEXPECTED {type(error).__name__}: {error}")


x = torch.tensor([1.0, 2.0], requires_grad=True)
print(torch.is_grad_enabled())
with torch.no_grad():
    print(torch.is_grad_enabled())
    y = x * 2
    print(y, y.requires_grad)
    with torch.enable_grad():
        z = x * 2
        print(z, torch.is_grad_enabled())
    print(torch.is_grad_enabled())
print(torch.is_grad_enabled())


@torch.no_grad()
def doubled(t):
    return t * 2


@torch.enable_grad()
def tripled(t):
    return t * 3


print(doubled(x), doubled.__name__)
with torch.no_grad():
    print(tripled(x))

for mode in (True, False):
    with torch.set_grad_enabled(mode):
        print((x + 1).requires_grad)
torch.set_grad_enabled(False)
print((x + 1).requires_grad)
torch.set_grad_enabled(True)
print((x + 1).requires_grad)

print("-- an error leaves the mode as it was")
try:
    with torch.no_grad():
        raise KeyError("inside")
except KeyError:
    print(torch.is_grad_enabled())

print("-- detach shares storage")
d = x.detach()
print(d, d.requires_grad, d.is_leaf)
d[0] = 10
print(x, d)
print((x * d).requires_grad)
(x * x.detach()).sum().backward()
print(x.grad)

print("-- data")
x.data[1] = 7
print(x, x.data, x.data.requires_grad)
x.data = torch.tensor([3.0, 4.0])
print(x)
x.data -= 0.5
print(x)

print("-- detach_")
t = x * 2
print(t.is_leaf, t.grad_fn is None)
t.detach_()
print(t, t.is_leaf, t.grad_fn, t.requires_grad)

print("-- inference mode")
with torch.inference_mode():
    i = x * 3
    print(i, i.requires_grad)
    print(torch.is_inference_mode_enabled())
print(torch.is_inference_mode_enabled(), i.is_inference())
attempt("Inference tensors cannot be saved for backward", lambda: (x * i).sum())


@torch.inference_mode()
def squared(t):
    return t**2


print(squared(x).requires_grad)

print("-- requires_grad_")
c = torch.zeros(2)
print(c.requires_grad_() is c, c)
c.requires_grad_(False)
print(c)
attempt("you can only change requires_grad flags of leaf variables", lambda: (x * 2).requires_grad_(False))
attempt("Only Tensors of floating point", lambda: torch.tensor([1, 2], requires_grad=True))
attempt("only Tensors of floating point", lambda: torch.tensor([1, 2]).requires_grad_())
attempt("Only Tensors of floating point", lambda: torch.arange(3, requires_grad=True))
attempt("Only Tensors of floating point", lambda: torch.zeros(3, dtype=torch.bool, requires_grad=True))

print("-- comparisons and rounding do not carry gradients")
print((x > 1).requires_grad, x.argmax().requires_grad, torch.isnan(x).requires_grad)
print(x.round().requires_grad, x.long().requires_grad, x.sign().requires_grad)
print(x.round(), x.floor(), x.sign())

print("-- an update without recording")
w = torch.tensor([1.0, -1.0], requires_grad=True)
for step in range(3):
    loss = ((w - 3) ** 2).sum()
    loss.backward()
    with torch.no_grad():
        w -= 0.25 * w.grad
        w.grad.zero_()
    print(step, loss.item(), w)
