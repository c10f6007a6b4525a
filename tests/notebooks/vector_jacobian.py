"""Backward with a weight vector: rows of the Jacobian, the whole Jacobian, and the errors on the way."""

import torch


def attempt(phrase, action):
    try:
        print("no error:", action())
    except Exception as error:
        known = phrase in str(error)
        print(f"{type(error).__name__}: {phrase}" if known else f"UNEXPECTED {type(error).__name__}: {error}")


x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = torch.stack([x[0] * x[1], x[1] * x[2], x.prod(), (x**2).sum()])
print(y)
v = torch.tensor([1.0, 0.5, 0.25, -1.0])
y.backward(v, retain_graph=True)
print(x.grad)

print("-- the Jacobian, row by row")
rows = []
for i in range(len(y)):
    seed = torch.zeros(4)
    seed[i] = 1
    (row,) = torch.autograd.grad(y, x, seed, retain_graph=True)
    rows.append(row)
jacobian = torch.stack(rows)
print(jacobian)
print(v @ jacobian)
print(torch.equal(v @ jacobian, x.grad))

print("-- functional")
print(torch.autograd.functional.jacobian(lambda t: t**2 * t.sum(), torch.tensor([1.0, 2.0])))
print(torch.autograd.functional.hessian(lambda t: (t**3).sum() * t[0], torch.tensor([1.0, 2.0])))
value, product = torch.autograd.functional.vjp(lambda t: t.exp() - 1, torch.zeros(2), torch.tensor([1.0, 2.0]))
print(value, product)
value, product = torch.autograd.functional.jvp(lambda t: t**2, torch.tensor([1.0, 3.0]), torch.tensor([1.0, 2.0]))
print(value, product)
value, product = torch.autograd.functional.hvp(lambda t: (t**3).sum(), torch.tensor([1.0, 3.0]), torch.tensor([1.0, 2.0]))
print(value, product)
value, product = torch.autograd.functional.vhp(lambda t: (t**3).sum(), torch.tensor([1.0, 3.0]), torch.tensor([1.0, 2.0]))
print(value, product)

print("-- a matrix output")
m = torch.arange(6.0).reshape(2, 3).requires_grad_()
n = m.T @ m
print(n)
n.backward(torch.eye(3))
print(m.grad)

print("-- errors")
attempt("grad can be implicitly created only for scalar outputs", lambda: (x * 2).backward())
attempt("Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a shape of torch.Size([3]).",
        lambda: (x * 2).backward(torch.ones(2)))
attempt("element 0 of tensors does not require grad and does not have a grad_fn", lambda: torch.ones(1).sum().backward())
attempt("Trying to backward through the graph a second time", lambda: [t.backward() for t in [(x**2).sum()] * 2])
attempt("appears to not have been used in the graph",
        lambda: torch.autograd.grad((x * 2).sum(), torch.ones(3, requires_grad=True)))
attempt("One of the differentiated Tensors does not require grad", lambda: torch.autograd.grad((x * 2).sum(), torch.ones(3)))

print("-- autograd.grad")
a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(5.0, requires_grad=True)
unused = torch.zeros(2, requires_grad=True)
f = a**2 * b
print(torch.autograd.grad(f, (a, b), retain_graph=True))
print(torch.autograd.grad(f, [a, unused], allow_unused=True, retain_graph=True))
print(torch.autograd.grad(f, [a, unused], materialize_grads=True, retain_graph=True))
print(torch.autograd.grad([f, a * 3], [a, b], retain_graph=True))
print(torch.autograd.grad([f, a * 3], [a, b], grad_outputs=[torch.tensor(10.0), torch.tensor(1.0)], retain_graph=True))
print(torch.autograd.grad([f, a * 3], [a, b], grad_outputs=[None, torch.tensor(1.0)]))
print(a.grad, b.grad)

print("-- autograd.backward, and inputs=")
g = a * b
h = a + b
torch.autograd.backward([g, h])
print(a.grad, b.grad)
a.grad = b.grad = None
torch.autograd.backward([a * b, x], [torch.tensor(2.0), torch.ones(3)], inputs=[a])
print(a.grad, b.grad)
(a * b).backward(inputs=[b])
print(a.grad, b.grad)

print("-- a graph kept twice")
k = (x**2).sum()
x.grad = None
k.backward(retain_graph=True)
print(x.grad)
k.backward()
print(x.grad)
