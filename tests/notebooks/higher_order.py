"""Gradients of gradients, to any order, by create_graph."""

import torch

x = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
y = x**5
derivative = y
for order in range(1, 7):
    (derivative,) = torch.autograd.grad(derivative, x, create_graph=True)
    print(order, derivative.item())

print("-- sine goes round")
derivative = torch.sin(x)
for order in range(1, 6):
    (derivative,) = torch.autograd.grad(derivative, x, create_graph=True)
    print(order, f"{derivative.item():.12f}")

print("-- names in the graph of a gradient")
t = torch.tensor([1.0, 2.0], requires_grad=True)
(g,) = torch.autograd.grad((t**3).sum(), t, create_graph=True)
print(g)
(h,) = torch.autograd.grad(g.sum(), t)
print(h)

print("-- a Hessian, column by column")


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


p = torch.tensor([-1.0, 2.0], dtype=torch.float64, requires_grad=True)
(gradient,) = torch.autograd.grad(rosenbrock(p), p, create_graph=True)
hessian = torch.stack([torch.autograd.grad(gradient[i], p, retain_graph=True)[0] for i in range(2)])
print(gradient)
print(hessian)
print(torch.equal(hessian, hessian.T))
print(torch.autograd.functional.hessian(rosenbrock, p.detach()))

print("-- Hessian-vector product two ways")
v = torch.tensor([1.0, -2.0], dtype=torch.float64)
(gradient,) = torch.autograd.grad(rosenbrock(p), p, create_graph=True)
print(torch.autograd.grad(gradient @ v, p)[0], hessian @ v)

print("-- Newton's method on the valley")
point = p.detach().clone()
for step in range(6):
    q = point.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(rosenbrock(q), q, create_graph=True)
    hessian = torch.stack([torch.autograd.grad(component, q, retain_graph=True)[0] for component in gradient])
    (a, b), (c, d) = hessian.tolist()
    det = a * d - b * c
    g0, g1 = gradient.tolist()
    point = point - torch.tensor([(d * g0 - b * g1) / det, (a * g1 - c * g0) / det], dtype=torch.float64)
    print(step, [f"{value:.6f}" for value in point.tolist()], f"{rosenbrock(point).item():.6f}")

print("-- Newton's method for a root")
root = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
for _ in range(6):
    value = root**3 - 2 * root - 5
    (slope,) = torch.autograd.grad(value, root)
    with torch.no_grad():
        root -= value / slope
    print(f"{root.item():.10f}")

print("-- Halley's step needs a second derivative")
guess = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
for _ in range(4):
    value = guess.exp() - 3 * guess**2
    (first,) = torch.autograd.grad(value, guess, create_graph=True)
    (second,) = torch.autograd.grad(first, guess)
    with torch.no_grad():
        guess -= 2 * value * first / (2 * first**2 - value * second)
    print(f"{guess.item():.10f}")

print("-- a penalty on the gradient")
w = torch.tensor([[0.5, -1.0], [1.5, 2.0]], requires_grad=True)
inputs = torch.tensor([[1.0, 2.0], [0.0, -1.0]], requires_grad=True)
out = torch.tanh(inputs @ w).sum()
(slope,) = torch.autograd.grad(out, inputs, create_graph=True)
penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
print(penalty)
penalty.backward()
print(w.grad)

print("-- backward with create_graph fills .grad with a graph")
u = torch.tensor(3.0, requires_grad=True)
(u**3).backward(create_graph=True)
print(u.grad.detach(), u.grad.requires_grad)
first = u.grad
u.grad = None
first.backward()
print(u.grad)

print("-- the gradient of a sum of second derivatives (a Laplacian)")
s = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
f = (s**4).sum() + s[0] * s[1] * s[2]
(grad,) = torch.autograd.grad(f, s, create_graph=True)
laplacian = sum(torch.autograd.grad(grad[i], s, create_graph=True)[0][i] for i in range(3))
print(laplacian)
print(torch.autograd.grad(laplacian, s)[0])

print("-- through matmul, softmax, division and a norm")
m = torch.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=torch.float64, requires_grad=True)
z = ((m @ m.T).softmax(1) / (1 + m.abs())).norm()
(g1,) = torch.autograd.grad(z, m, create_graph=True)
(g2,) = torch.autograd.grad((g1**2).sum(), m)
print(g1.detach())
print(g2)
