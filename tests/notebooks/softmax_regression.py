"""Softmax regression on three clouds of points, loss and gradients written out and compared."""

import math

import torch
import torch.nn.functional as F

angles = torch.arange(30) * (2 * math.pi / 30)
labels = torch.arange(30) // 10
points = torch.stack([torch.cos(angles) * (1 + 0.1 * labels), torch.sin(angles)], dim=1)
print(points.shape, labels.dtype, points[:3])
print(labels)

weight = torch.zeros(3, 2, requires_grad=True)
bias = torch.zeros(3, requires_grad=True)


def logits(features):
    return F.linear(features, weight, bias)


def by_hand(scores, target):
    shifted = scores - scores.max(dim=1, keepdim=True).values
    log_probability = shifted - shifted.exp().sum(1, keepdim=True).log()
    return -log_probability[torch.arange(len(target)), target].mean()


print(by_hand(logits(points), labels), F.cross_entropy(logits(points), labels), math.log(3))

for epoch in range(101):
    scores = logits(points)
    loss = F.cross_entropy(scores, labels)
    loss.backward()
    if epoch % 25 == 0:
        accuracy = (scores.argmax(dim=1) == labels).float().mean()
        print(f"epoch {epoch:3d} loss {loss:.4f} accuracy {accuracy:.3f} |dW| {weight.grad.norm():.4f}")
    with torch.no_grad():
        for parameter in (weight, bias):
            parameter -= 1.0 * parameter.grad
            parameter.grad = None
print(weight)
print(bias)

probabilities = F.softmax(logits(points), dim=1)
print(probabilities[:2])
print(probabilities.sum(1).detach()[:4])

print("-- the gradient is (p - onehot) / n")
scores = logits(points).detach().requires_grad_()
F.cross_entropy(scores, labels).backward()
onehot = torch.zeros(30, 3).scatter_(1, labels[:, None], 1.0)
print(torch.allclose(scores.grad, (F.softmax(scores, 1).detach() - onehot) / 30, atol=1e-7))
print(scores.grad[::10])

print("-- confusion matrix")
predicted = probabilities.argmax(1)
confusion = torch.zeros(3, 3, dtype=torch.int64)
for truth, guess in zip(labels, predicted):
    confusion[truth, guess] += 1
print(confusion)

print("-- nll, log_softmax and weights per class")
print(F.nll_loss(F.log_softmax(scores, dim=1), labels))
print(F.cross_entropy(scores, labels, weight=torch.tensor([1.0, 2.0, 0.5])))
print(F.cross_entropy(scores, labels, reduction="sum"), F.cross_entropy(scores, labels, reduction="none").shape)
print(F.cross_entropy(scores, labels, label_smoothing=0.1))
print(F.cross_entropy(scores, onehot))
ignored = labels.clone()
ignored[::2] = -100
print(F.cross_entropy(scores, ignored))
