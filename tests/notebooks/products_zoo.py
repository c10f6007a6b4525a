"""Products of vectors, matrices and stacks of them, with gradients to both sides."""

import torch


def numbers(*shape):
    count = torch.Size(shape).numel()
    return ((torch.arange(float(count)) * 7 + 3) % 11 - 5).reshape(shape)


for left, right in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
                    ((4, 2, 3), (3, 2)), ((2, 3), (4, 3, 1)), ((4, 1, 2, 3), (5, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3))]:
    a, b = numbers(*left).requires_grad_(), numbers(*right).requires_grad_()
    y = a @ b
    print(left, right, tuple(y.shape))
    (y * numbers(*y.shape)).sum().backward()
    print(y.detach().flatten().tolist())
    print((a.grad + 0.0).flatten().tolist())  # without the sign of zeros, which sums of adjoints do not keep
    print((b.grad + 0.0).flatten().tolist())

print("-- named products")
m, n, u, v = numbers(2, 3), numbers(3, 2), numbers(3), numbers(2)
s, t = numbers(2, 2, 3), numbers(2, 3, 2)
forms = {
    "mm": lambda a, b: torch.mm(a, b),
    "matmul": lambda a, b: a.matmul(b),
    "addmm": lambda a, b: torch.addmm(torch.ones(2), a, b, beta=0.5, alpha=2),
    "einsum ij,jk": lambda a, b: torch.einsum("ij,jk->ik", a, b),
    "einsum implicit": lambda a, b: torch.einsum("ij,jk", a, b),
    "einsum trace": lambda a, b: torch.einsum("ij,ji->", a, b),
    "einsum list": lambda a, b: torch.einsum("ij,jk->ki", [a, b]),
    "tensordot": lambda a, b: torch.tensordot(a, b, dims=([0, 1], [1, 0])),
    "tensordot 1": lambda a, b: torch.tensordot(a, b, dims=1),
    "inner": lambda a, b: torch.inner(a, b.T),
    "operator": lambda a, b: a @ b,
}
for name, form in forms.items():
    a, b = m.clone().requires_grad_(), n.clone().requires_grad_()
    y = form(a, b)
    print(name, y)
    (y * y).sum().backward()
    print(a.grad + 0.0, b.grad + 0.0)
for name, form in {"mv": lambda a, b: a.mv(b), "outer": lambda a, b: torch.outer(a[0], b),
                   "dot": lambda a, b: a[1].dot(b), "ger": lambda a, b: torch.einsum("i,j->ij", a[:, 0], b),
                   "vecdot": lambda a, b: torch.linalg.vecdot(a, b)}.items():
    a, b = m.clone().requires_grad_(), u.clone().requires_grad_()
    y = form(a, b)
    print(name, y)
    y.sum().backward()
    print(a.grad + 0.0, b.grad + 0.0)
for name, form in {"bmm": lambda a, b: torch.bmm(a, b),
                   "baddbmm": lambda a, b: torch.baddbmm(torch.ones(2, 1, 2), a, b, beta=2, alpha=3),
                   "einsum batch": lambda a, b: torch.einsum("bij,bjk->bik", a, b),
                   "einsum dots": lambda a, b: torch.einsum("...ij,...jk->...ik", a, b),
                   "einsum sum": lambda a, b: torch.einsum("bij,bjk->b", a, b)}.items():
    a, b = s.clone().requires_grad_(), t.clone().requires_grad_()
    y = form(a, b)
    print(name, y)
    y.sum().backward()
    print(a.grad.flatten().tolist(), b.grad.flatten().tolist())

print("-- einsum of one and of three")
square = numbers(3, 3).requires_grad_()
print(torch.einsum("ii", square), torch.einsum("ii->i", square), torch.einsum("ij->ji", square))
y = torch.einsum("i,ij,j->", u, square, u)
print(y)
y.backward()
print(square.grad)
print(square.trace(), torch.trace(square.detach()))

print("-- integers")
i = torch.arange(6).reshape(2, 3)
print(i @ i.T, i.matmul(torch.arange(3)), torch.dot(torch.tensor([1, 2]), torch.tensor([3, 4])))
print(torch.outer(torch.arange(2), torch.arange(3)))

print("-- errors")
for phrase, action in {
    "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)": lambda: m @ m,
    "size mismatch": lambda: m @ v,
    "inconsistent tensor size": lambda: torch.dot(u, v),
    "same dtype": lambda: m @ n.double(),
    "both arguments to matmul need to be at least 1D": lambda: torch.matmul(torch.tensor(1.0), m),
    "must be a 3D tensor": lambda: torch.bmm(m, n),
    "self must be a matrix": lambda: torch.mm(u, n),
    "1D tensors expected": lambda: torch.dot(m, n),
}.items():
    try:
        action()
    except RuntimeError as error:
        print(phrase if phrase in str(error) else f"UNEXPECTED {phrase}: {error}")
