"""Comparisons, masks, where and logic, and the gradients that go through them."""

import torch

x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0])
y = torch.tensor([-2.0, 0.5, -0.0, 0.0, float("nan")])
print(x < y, x <= y, x == y, x != y, x > y, x >= y)
print(torch.lt(x, 0), x.le(0.5), torch.eq(x, 0), x.ne(2), torch.gt(x, y), x.ge(-0.5))
print((x < 0).dtype, (x < 0).sum(), ~(x < 0), (x < 0) | (x > 1), (x > -1) & (x < 1), (x > 0) ^ (x > 1))
print(torch.isnan(y), torch.isinf(x / 0), torch.isfinite(x / 0), torch.isclose(x, x + 1e-9), torch.allclose(x, x + 1e-9))
print(torch.equal(x, x.clone()), torch.equal(x, y), torch.allclose(y, y), torch.allclose(y, y, equal_nan=True))
print(torch.logical_and(x, x > 0), torch.logical_or(x, x), torch.logical_not(x), torch.logical_xor(x, x > 0))
print(torch.isposinf(-1 / torch.zeros(1)), torch.isneginf(-1 / torch.zeros(1)), torch.signbit(y))
print(torch.isin(torch.arange(4), torch.tensor([1, 3])))

print("-- integer bits")
a, b = torch.tensor([12, 10, -1]), torch.tensor([10, 3, 255])
print(a & b, a | b, a ^ b, ~a, a << 2, a >> 1, torch.bitwise_and(a, 6), a.bitwise_not())
print(a % b, a // b, a / b, -a, abs(a), a**2, torch.remainder(-a, 7), torch.fmod(-a, 7), 2**b[:2])
print(a == 10, a.bool(), a.float(), (a > 0).int(), (a > 0).float() * a, True + a, a * (b > 5))

print("-- where")
t = torch.tensor([1.0, -4.0, 9.0], requires_grad=True)
w = torch.where(t > 0, t.abs().sqrt(), -t)  # not t.sqrt(): its slope is nan at -4, and PyTorch lets it through
print(w)
w[[0, 1]].sum().backward()
print(t.grad)
print(torch.where(t > 0, 1.0, 0.0), torch.where(t > 0, t, 0), torch.where(t > 0, torch.tensor(1), torch.tensor(0.5)))
print(torch.where(torch.tensor([True, False]), torch.tensor([1, 2]), 10), t.where(t > 0, torch.tensor(0.0)))

print("-- an exact zero does not meet an infinite slope")
z = torch.tensor([4.0, 0.25], requires_grad=True)
torch.where(z > 0, z.sqrt(), torch.zeros_like(z)).sum().backward()
print(z.grad)

print("-- masked forms")
m = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
mask = torch.tensor([[True, False], [False, True]])
print(m.masked_fill(mask, 0.0), m.masked_fill(mask, float("-inf")).softmax(1))
print(m.masked_select(mask), m[mask], torch.masked_select(m, m > 1))
(m.masked_fill(mask, 0) * 3 + m[mask].sum()).sum().backward()
print(m.grad)
m.grad = None
(m * mask).sum().backward()
print(m.grad)

print("-- clamp and its relatives")
c = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0], requires_grad=True)
for name, form in {
    "clamp": lambda v: v.clamp(-1, 1),
    "clamp min": lambda v: v.clamp(min=0),
    "clamp max": lambda v: torch.clamp(v, max=0.5),
    "clip": lambda v: v.clip(-2.0, 2.0),
    "clamp tensors": lambda v: torch.clamp(v, torch.full((5,), -0.5), torch.arange(5.0)),
    "relu": lambda v: v.relu(),
    "abs": lambda v: v.abs(),
    "sign": lambda v: v.sign(),
    "maximum": lambda v: torch.maximum(v, torch.zeros(5)),
    "minimum": lambda v: torch.minimum(v, torch.tensor(1.0)),
    "fmax": lambda v: torch.fmax(v, torch.full((5,), float("nan"))),
    "nan_to_num": lambda v: torch.nan_to_num(v / v.detach(), nan=7.0),
    "heaviside by comparison": lambda v: (v > 0) * v,
}.items():
    c.grad = None
    out = form(c)
    print(name, out)
    out.sum().backward()
    print(c.grad.nan_to_num())  # 0 times an infinite slope is nan in PyTorch

print("-- truth")
print(bool(torch.tensor(0.0)), bool(torch.tensor([3])), not torch.tensor(False), "yes" if torch.tensor(1) > 0 else "no")
for action in (lambda: bool(torch.tensor([1, 2])), lambda: bool(torch.tensor([])), lambda: 1 if x > 0 else 0):
    try:
        print(action())
    except RuntimeError as error:
        print("Boolean value of Tensor with" in str(error), "is ambiguous" in str(error))
print(torch.tensor([1, 2, 3]).eq(2).nonzero().item(), (x > 0).nonzero().flatten(), x[x > 0], x[~(x > 0)].tolist())
