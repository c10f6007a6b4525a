"""Writes in place: version counters, the errors that protect backward, and what is allowed."""

import torch


def attempt(phrase, action):
    try:
        print("no error:", action())
    except Exception as error:
        known = phrase in str(error)
        print(f"{type(error).__name__}: {phrase}" if known else f"UNEXPECTED {type(error).__name__}: {error}")


x = torch.ones(3)
print(x._version)
x.add_(1)
x[0] = 5
x *= 2
print(x, x._version)
y = x.view(3, 1)
y.zero_()
print(x, x._version, y._version)

print("-- a leaf that requires grad")
w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
leaf = "a leaf Variable that requires grad is being used in an in-place operation"
attempt(leaf, lambda: w.add_(1))
attempt(leaf, lambda: w.zero_())
attempt(leaf, lambda: w.__setitem__(0, 1.0))
attempt(leaf, lambda: w.__imul__(2))
attempt("a view of a leaf Variable that requires grad is being used in an in-place operation", lambda: w[0].fill_(0))
attempt("a view of a leaf Variable that requires grad is being used in an in-place operation", lambda: w.view(3, 1).mul_(2))
with torch.no_grad():
    w += 1
    w[2] = 10
    w.clamp_(max=5)
print(w)

print("-- a value that backward needs")
changed = "one of the variables needed for gradient computation has been modified by an inplace operation"


def changed_square():
    a = w * 1
    b = a**2
    a.add_(1)
    b.sum().backward()


def changed_exp():
    b = w.exp()
    b.mul_(2)
    b.sum().backward()


def changed_through_a_view():
    a = w * 1
    b = a.sin()
    a[0].zero_()
    b.sum().backward()


def changed_leaf():
    b = (w * w).sum()
    with torch.no_grad():
        w.sub_(0)
    b.backward()


attempt(changed, changed_square)
attempt(changed, changed_exp)
attempt(changed, changed_through_a_view)
attempt(changed, changed_leaf)

print("-- allowed: the old value is not needed")
a = w * 1
b = a + 3
a.mul_(5)
(a.sum() + b.sum()).backward()
print(w.grad)
w.grad = None
a = w.clone()
a.mul_(2).add_(1).pow_(2).div_(4).neg_()
print(a)
a.sum().backward()
print(w.grad)
print("by hand", -(2 * w.detach() + 1))

print("-- relu_ saves its output, so does exp_")
w.grad = None
a = (w - 4).relu_().mul(2)
a.sum().backward()
print(w.grad)
w.grad = None
(w * 0.5).exp_().sum().backward()
print(w.grad)

print("-- setting items keeps the graph")
v = torch.tensor([1.0, 2.0], requires_grad=True)
out = torch.zeros(4)
out[1:3] = v * 3
out[3] = v[0] * v[1]
print(out)
out.sum().backward()
print(v.grad)
v.grad = None
m = torch.zeros(2, 2)
m[0] = v
m[1, 0] = v[1]
m[m == 0] = 7.0
print(m)
(m**2).sum().backward()
print(v.grad)

print("-- overwritten values get no gradient")
v.grad = None
c = v * 2
c[0] = 100
c.sum().backward()
print(v.grad)
v.grad = None
c = v * 2
c.zero_()
c.sum().backward()
print(v.grad)
v.grad = None
c = v * 2
c.copy_(torch.tensor([1.0, 1.0]))
print(c)
c = v.clone()
c.fill_(3)
print(c)
c = v * 2
c.masked_fill_(c > 3, 0)
print(c)
c.sum().backward()
print(v.grad)

print("-- augmented assignment")
t = torch.tensor([4.0, 9.0])
alias = t
t += 1
print(alias)
t = t + 1
print(alias, t)
t -= 1
t *= 2
t /= 4
t **= 2
t //= 2
t %= 2
print(t)
i = torch.tensor([1, 2, 3])
i += 1
i *= 3
i //= 2
i &= 3
i |= 4
i ^= 1
i <<= 1
i >>= 1
print(i)
attempt("result type Float can't be cast to the desired output type", lambda: i.add_(0.5))
attempt("result type Float can't be cast to the desired output type", lambda: i.__itruediv__(2))
attempt("output with shape [3] doesn't match the broadcast shape [2, 3]", lambda: torch.zeros(3).add_(torch.ones(2, 3)))

print("-- more forms")
z = torch.tensor([-1.5, 0.25, 2.0])
print(z.clone().abs_(), z.clone().sqrt_(), z.clone().floor_(), z.clone().sigmoid_(), z.clone().tanh_())
print(z.clone().clamp_(-1, 1), z.clone().round_(), z.clone().sin_(), z.clone().exp_(), z.clone().reciprocal_())
print(z.clone().lerp_(torch.ones(3), 0.5), z.clone().addcmul_(z, z, value=2), z.clone().addcdiv_(z, z))
print(torch.zeros(3).index_add_(0, torch.tensor([0, 0, 2]), z), torch.zeros(3).scatter_add_(0, torch.tensor([1, 1, 1]), z))
print(z.unsqueeze_(0).shape, z.squeeze_(0).shape)
print(torch.empty(2).fill_(2.5), torch.ones(2).zero_(), torch.zeros(2).requires_grad_().data.add_(1))
