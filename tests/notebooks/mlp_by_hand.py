"""A multilayer perceptron trained with hand-written gradient descent, in both floating dtypes."""

import math

import torch
import torch.nn.functional as F

for dtype in (torch.float64, torch.float32):
    print("--", dtype)
    x = torch.linspace(-3, 3, 25, dtype=dtype).unsqueeze(1)
    target = torch.sin(x) + 0.1 * x**2

    def starting(rows, columns, dtype=dtype):
        index = torch.arange(rows * columns, dtype=dtype).reshape(rows, columns)
        return (torch.sin(1 + 1.7 * index) / math.sqrt(rows)).requires_grad_()

    first, second = starting(1, 8), starting(8, 1)
    shift, offset = torch.zeros(8, dtype=dtype, requires_grad=True), torch.zeros(1, dtype=dtype, requires_grad=True)
    parameters = [first, shift, second, offset]
    print([tuple(p.shape) for p in parameters], sum(p.numel() for p in parameters))
    for step in range(61):
        hidden = torch.tanh(x @ first + shift)
        loss = F.mse_loss(hidden @ second + offset, target)
        for p in parameters:
            p.grad = None
        loss.backward()
        if step % 20 == 0:
            norm = torch.stack([p.grad.norm() for p in parameters]).norm()
            print(f"step {step:3d} loss {loss.item():.4f} gradient norm {norm.item():.4f}")
        with torch.no_grad():
            for p in parameters:
                p -= 0.05 * p.grad
    print(loss)
    print(second.grad.T)
    print(offset)

print("-- exclusive or, relu and sigmoid, binary cross-entropy")
inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
truth = torch.tensor([0.0, 1.0, 1.0, 0.0])
w1 = torch.tensor([[1.0, 0.8, -0.6], [0.9, -0.7, 1.1]], requires_grad=True)
b1 = torch.tensor([0.0, 0.1, -0.1], requires_grad=True)
w2 = torch.tensor([0.5, -0.4, 0.6], requires_grad=True)
b2 = torch.zeros((), requires_grad=True)
for step in range(401):
    score = F.relu(inputs @ w1 + b1) @ w2 + b2
    loss = F.binary_cross_entropy_with_logits(score, truth)
    gradients = torch.autograd.grad(loss, [w1, b1, w2, b2])
    with torch.no_grad():
        for p, g in zip([w1, b1, w2, b2], gradients):
            p.sub_(g, alpha=0.5)
    if step % 100 == 0:
        print(f"{step:4d} {loss.item():.3f}", torch.sigmoid(score).round().tolist())
print((score > 0).float() == truth)

print("-- dropout in evaluation is the identity")
print(F.dropout(inputs, 0.5, training=False) is inputs, F.dropout(inputs, p=0.5, training=False))
kept = F.dropout(torch.ones(4000), 0.25)
print(sorted(set(kept.tolist())) == [0.0, kept.max().item()], abs((kept > 0).float().mean().item() - 0.75) < 0.05)
print(kept.max())
