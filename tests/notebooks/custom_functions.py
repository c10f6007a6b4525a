"""autograd.Function: a rule of one's own, its saved tensors, its flags and its errors."""

import torch
from torch.autograd import Function


def attempt(phrase, action):
    try:
        print("no error:", action())
    except Exception as error:
        known = phrase in str(error)
        print(f"{type(error).__name__}: {phrase}" if known else f"UNEXPECTED {type(error).__name__}: {error}")


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * 3 * x**2


x = torch.tensor([1.0, 2.0, -3.0], requires_grad=True)
y = Cube.apply(x)
print(y)
print(y.grad_fn.name(), type(y.grad_fn).__name__)
y.sum().backward()
print(x.grad)

print("-- twice")
(first,) = torch.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
print(first)
print(torch.autograd.grad(first.sum(), x))


class ScaledAdd(Function):
    @staticmethod
    def forward(ctx, a, b, scale, label="none"):
        ctx.scale = scale
        print("forward", label, ctx.needs_input_grad)
        return a + scale * b

    @staticmethod
    def backward(ctx, grad_output):
        print("backward", ctx.needs_input_grad)
        return grad_output, grad_output * ctx.scale, None, None


a = torch.ones(2, requires_grad=True)
b = torch.ones(2)
out = ScaledAdd.apply(a, b, 2.5, "first")
print(out)
out.sum().backward()
print(a.grad, b.grad)
b.requires_grad_()
ScaledAdd.apply(a, b, 0.5).sum().backward()
print(a.grad, b.grad)


class Split(Function):
    @staticmethod
    def forward(ctx, x):
        positive = x > 0
        ctx.mark_non_differentiable(positive)
        ctx.save_for_backward(positive)
        return x.clamp(min=0), x.clamp(max=0), positive

    @staticmethod
    def backward(ctx, grad_high, grad_low, grad_mask):
        (positive,) = ctx.saved_tensors
        print(grad_high, grad_low, grad_mask.dtype)
        return torch.where(positive, grad_high, grad_low)


x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
high, low, mask = Split.apply(x)
print(high, low, mask, mask.requires_grad)
(2 * high + 5 * low).sum().backward()
print(x.grad)
x.grad = None
high, low, mask = Split.apply(x)
high.sum().backward()
print(x.grad)


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


v = torch.tensor([0.2, 0.7], requires_grad=True)
(StraightThrough.apply(v) * torch.tensor([3.0, 4.0])).sum().backward()
print(v.grad)


class SeparateSetup(Function):
    @staticmethod
    def forward(x, power):
        return x**power

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, power = inputs
        ctx.save_for_backward(x)
        ctx.power = power

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * ctx.power * x ** (ctx.power - 1), None


t = torch.tensor(2.0, requires_grad=True)
SeparateSetup.apply(t, 4).backward()
print(t.grad)

print("-- no gradient needed, nothing recorded")
print(Cube.apply(torch.ones(2)).requires_grad)
with torch.no_grad():
    print(Cube.apply(x).requires_grad)

print("-- Reversal of a gradient inside a longer graph")


class Reverse(Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return -grad_output


w = torch.tensor([1.0, 2.0], requires_grad=True)
(Reverse.apply(w * 2) * w).sum().backward()
print(w.grad)


class TooFew(Function):
    @staticmethod
    def forward(ctx, a, b):
        return a * b

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


class WrongShape(Function):
    @staticmethod
    def forward(ctx, a):
        return a.sum()

    @staticmethod
    def backward(ctx, grad_output):
        return torch.ones(7)


class NoRule(Function):
    @staticmethod
    def forward(ctx, a):
        return a * 2


print("-- errors")
attempt("returned an incorrect number of gradients (expected 2, got 1)", lambda: TooFew.apply(w, w).sum().backward())
attempt("returned an invalid gradient at index 0 - got [7] but expected shape compatible with [2]",
        lambda: WrongShape.apply(w).backward())
attempt("You must implement either the backward or vjp method", lambda: NoRule.apply(w).sum().backward())

print("-- once_differentiable")


class Once(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_output):
        return grad_output * 2


(g,) = torch.autograd.grad((Once.apply(w) ** 2).sum(), w, create_graph=True)
print(g.requires_grad)
attempt("trying to differentiate twice a function that was marked with @once_differentiable", lambda: g.sum().backward())
