"""Derivatives against finite differences, by hand and with gradcheck."""

import torch


def central(f, x, step=1e-6):
    slopes = torch.zeros_like(x)
    for i in range(x.numel()):
        up, down = x.clone(), x.clone()
        up.view(-1)[i] += step
        down.view(-1)[i] -= step
        slopes.view(-1)[i] = (f(up) - f(down)) / (2 * step)
    return slopes


x = torch.tensor([[0.5, 1.25], [2.0, 0.75]], dtype=torch.float64)
cases = {
    "sin exp": lambda t: (t.sin() * t.exp()).sum(),
    "matmul tanh": lambda t: (t @ t.T).tanh().mean(),
    "softmax": lambda t: (t.softmax(1) ** 2).sum(),
    "log-sum-exp": lambda t: t.logsumexp(0).prod(),
    "norm": lambda t: t.norm(),
    "determinant": lambda t: t[0, 0] * t[1, 1] - t[0, 1] * t[1, 0],
    "rational": lambda t: ((t**3 - 2 * t) / (1 + t**2)).sum(),
    "sorted": lambda t: (t.flatten().sort().values * torch.arange(4, dtype=torch.float64)).sum(),
    "cumulative": lambda t: t.cumsum(0).cumprod(1).sum(),
    "variance": lambda t: t.var(0).sum() + t.std(),
    "where": lambda t: torch.where(t > 1, t.log(), t**2).sum(),
    "lgamma": lambda t: torch.lgamma(t).sum() + torch.erf(t).sum(),
}
for name, f in cases.items():
    leaf = x.clone().requires_grad_()
    f(leaf).backward()
    print(f"{name:12s} {torch.allclose(leaf.grad, central(f, x), rtol=1e-7, atol=1e-8)}")
    print(leaf.grad.flatten().tolist()[0].__round__(8))
    print(
        "  gradcheck",
        torch.autograd.gradcheck(f, (x.clone().requires_grad_(),)),
        "gradgradcheck",
        torch.autograd.gradgradcheck(f, (x.clone().requires_grad_(),)),
    )

print("-- two inputs")
a = torch.tensor([0.25, 0.5], dtype=torch.float64, requires_grad=True)
b = torch.tensor([[1.0], [2.0]], dtype=torch.float64, requires_grad=True)
print(torch.autograd.gradcheck(torch.hypot, (a, b)), torch.autograd.gradcheck(lambda p, q: (p * q, p + q), (a, b)))
print(torch.autograd.gradcheck(lambda p, q: p * q.detach(), (a, b), raise_exception=False))


class WrongRule(torch.autograd.Function):
    @staticmethod
    def forward(ctx, t):
        return t * 2

    @staticmethod
    def backward(ctx, g):
        return g * 3


print(torch.autograd.gradcheck(WrongRule.apply, (a,), raise_exception=False))
try:
    torch.autograd.gradcheck(WrongRule.apply, (a,))
except RuntimeError as error:
    print(type(error).__name__, "Jacobian mismatch for output 0 with respect to input 0" in str(error))

print("-- anomaly detection")
with torch.autograd.detect_anomaly(check_nan=True):
    z = torch.tensor(-1.0, requires_grad=True)
    try:
        (z.sqrt() * 1).backward()
    except RuntimeError as error:
        print("returned nan values in its 0th output" in str(error), "SqrtBackward0" in str(error))
print((torch.tensor(-1.0).requires_grad_().sqrt() * 1).backward())

print("-- derivative at the edges")
for name, f, points in [
    ("abs", torch.abs, [0.0]),
    ("relu", torch.relu, [0.0, -0.0]),
    ("clamp", lambda t: t.clamp(0, 1), [0.0, 1.0]),
    ("maximum", lambda t: torch.maximum(t, torch.zeros_like(t)), [0.0]),
    ("sqrt", torch.sqrt, [0.0, 4.0]),
    ("norm", lambda t: t.norm(), [0.0]),
    ("pow 0", lambda t: t**0, [0.0]),
    ("pow 1", lambda t: t**1, [0.0]),
    ("pow 2", lambda t: t**2, [0.0]),
    ("log", torch.log, [0.0]),
    ("sinc", torch.sinc, [0.0]),
    ("floor", torch.floor, [1.5]),
    ("fmod", lambda t: torch.fmod(t, 3), [4.0]),
    ("remainder", lambda t: t % 3, [-4.0]),
    ("frac", torch.frac, [1.5]),
]:
    t = torch.tensor(points, requires_grad=True)
    f(t).sum().backward()
    print(name, t.grad)
