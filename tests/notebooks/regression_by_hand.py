"""Linear regression, by hand and by backward, on a small exact data set."""

import torch

hours = torch.tensor([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 6.0])
marks = torch.tensor([12.0, 18.0, 25.0, 30.0, 44.0, 55.0, 74.0, 80.0])
print(hours.shape, marks.dtype, hours.mean(), marks.std())

slope = torch.tensor(0.0, requires_grad=True)
offset = torch.tensor(0.0, requires_grad=True)
rate = 0.02
for epoch in range(201):
    prediction = slope * hours + offset
    loss = ((prediction - marks) ** 2).mean()
    loss.backward()
    if epoch % 40 == 0:
        print(f"epoch {epoch:3d}  loss {loss.item():10.3f}  slope {slope.item():.3f}  offset {offset.item():.3f}"
              f"  grads {slope.grad.item():9.3f} {offset.grad.item():9.3f}")
    with torch.no_grad():
        slope -= rate * slope.grad
        offset -= rate * offset.grad
    slope.grad.zero_()
    offset.grad.zero_()
print(slope, offset)
print("prediction at 2.5 hours:", (slope * 2.5 + offset).item().__round__(3))

print("-- with a design matrix")
design = torch.stack([hours, torch.ones_like(hours)], dim=1)
print(design)
weights = torch.zeros(2, 1, requires_grad=True)
target = marks.unsqueeze(1)
for epoch in range(5):
    residual = design @ weights - target
    loss = (residual * residual).mean()
    loss.backward()
    with torch.no_grad():
        weights.sub_(weights.grad, alpha=0.02)
    print(epoch, f"{loss.item():.3f}", weights.grad.flatten())
    weights.grad = None
print(weights)

print("-- the normal equations say the same")
normal = design.T @ design
moment = design.T @ target
determinant = normal[0, 0] * normal[1, 1] - normal[0, 1] * normal[1, 0]
inverse = torch.stack([normal[1, 1], -normal[0, 1], -normal[1, 0], normal[0, 0]]).reshape(2, 2) / determinant
print(normal)
print(inverse @ moment)

print("-- momentum and weight decay")
weights = torch.zeros(2, 1, requires_grad=True)
velocity = torch.zeros_like(weights)
for epoch in range(60):
    loss = ((design @ weights - target) ** 2).mean() + 0.01 * (weights**2).sum()
    (gradient,) = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        velocity.mul_(0.8).add_(gradient)
        weights.add_(velocity, alpha=-0.01)
    if epoch % 15 == 14:
        print(f"{epoch + 1:3d} {loss.item():.2f} {[round(value, 2) for value in weights.flatten().tolist()]}")

print("-- a parabola")
s = torch.linspace(-2, 2, 9)
t = 0.5 * s**2 - s + 0.25
coefficients = torch.zeros(3, requires_grad=True)
basis = torch.stack([s**0, s, s**2])
print(basis)
for _ in range(400):
    error = (coefficients @ basis - t).pow(2).mean()
    error.backward()
    with torch.no_grad():
        coefficients -= 0.1 * coefficients.grad
        coefficients.grad = None
print([f"{c:.3f}" for c in coefficients])
