"""Losses and activations of nn.functional with their gradients."""

import torch
import torch.nn.functional as F
from torch import nn

p = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]])
q = torch.tensor([[0.0, 1.0, 2.0], [1.0, -1.0, 0.5]])
print("-- activations")
for name, form in {
    "relu": F.relu,
    "leaky_relu": lambda t: F.leaky_relu(t, 0.1),
    "leaky_relu default": F.leaky_relu,
    "elu": lambda t: F.elu(t, alpha=0.5),
    "gelu": F.gelu,
    "gelu tanh": lambda t: F.gelu(t, approximate="tanh"),
    "silu": F.silu,
    "softplus": lambda t: F.softplus(t, beta=2, threshold=3),
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "softmax": lambda t: F.softmax(t, dim=0),
    "log_softmax": lambda t: F.log_softmax(t, dim=1),
    "logsigmoid": F.logsigmoid,
    "normalize": lambda t: F.normalize(t, dim=1),
    "normalize 1": lambda t: F.normalize(t, p=1, dim=0),
    "relu of hardtanh": lambda t: F.relu(t.clamp(-1, 1)),
    "softmin by hand": lambda t: F.softmax(-t, -1),
}.items():
    leaf = p.clone().requires_grad_()
    y = form(leaf)
    print(name, y)
    (y * q).sum().backward()
    print(leaf.grad)

print("-- regression losses")
for name, form in {
    "mse": F.mse_loss,
    "mse sum": lambda a, b: F.mse_loss(a, b, reduction="sum"),
    "mse none": lambda a, b: F.mse_loss(a, b, reduction="none"),
    "l1": F.l1_loss,
    "smooth_l1": F.smooth_l1_loss,
    "smooth_l1 beta": lambda a, b: F.smooth_l1_loss(a, b, beta=0.25, reduction="none"),
    "huber": lambda a, b: F.huber_loss(a, b, delta=0.75),
    "cosine": lambda a, b: F.cosine_similarity(a, b, dim=1),
    "cosine 0": lambda a, b: F.cosine_similarity(a, b, dim=0).sum(),
    "bce": lambda a, b: F.binary_cross_entropy(a.sigmoid(), (b > 0).float()),
    "bce weight": lambda a, b: F.binary_cross_entropy(
        a.sigmoid(), b.sigmoid(), weight=torch.tensor([1.0, 2.0, 3.0]), reduction="sum"
    ),
    "bce logits": lambda a, b: F.binary_cross_entropy_with_logits(a, (b > 0).float()),
    "bce logits pos_weight": lambda a, b: F.binary_cross_entropy_with_logits(
        a, b.sigmoid(), pos_weight=torch.tensor([1.0, 2.0, 3.0])
    ),
}.items():
    a, b = p.clone().requires_grad_(), q.clone().requires_grad_()
    y = form(a, b)
    print(name, y)
    y.sum().backward()
    print(a.grad + 0.0)  # without the sign of zeros, which sums of adjoints do not keep
    print(b.grad if b.grad is None else b.grad + 0.0)

print("-- classification losses")
labels = torch.tensor([2, 0])
shares = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]])
weight = torch.tensor([1.0, 2.0, 0.5])
for name, form in {
    "cross_entropy": lambda t: F.cross_entropy(t, labels),
    "sum": lambda t: F.cross_entropy(t, labels, reduction="sum"),
    "none": lambda t: F.cross_entropy(t, labels, reduction="none"),
    "weight": lambda t: F.cross_entropy(t, labels, weight=weight),
    "weight none": lambda t: F.cross_entropy(t, labels, weight=weight, reduction="none"),
    "ignore_index": lambda t: F.cross_entropy(t, labels, ignore_index=2),
    "label_smoothing": lambda t: F.cross_entropy(t, labels, label_smoothing=0.2),
    "smoothing weight": lambda t: F.cross_entropy(t, labels, weight=weight, label_smoothing=0.2),
    "probabilities": lambda t: F.cross_entropy(t, shares),
    "probabilities weight sum": lambda t: F.cross_entropy(t, shares, weight=weight, reduction="sum"),
    "probabilities smoothing": lambda t: F.cross_entropy(t, shares, label_smoothing=0.1),
    "one sample": lambda t: F.cross_entropy(t[0], torch.tensor(1)),
    "nll": lambda t: F.nll_loss(t.log_softmax(1), labels),
    "nll weight": lambda t: F.nll_loss(t.log_softmax(1), labels, weight=weight, reduction="sum"),
    "by hand": lambda t: -(shares * t.log_softmax(1)).sum(1).mean(),
}.items():
    leaf = p.clone().requires_grad_()
    y = form(leaf)
    print(name, y)
    y.sum().backward()
    print(leaf.grad)
extra = torch.arange(12.0).reshape(1, 3, 4).div(4).requires_grad_()
loss = F.cross_entropy(extra, torch.tensor([[0, 1, 2, 1]]))
loss.backward()
print(loss, extra.grad)

print("-- extremes stay finite")
big = torch.tensor([[1000.0, -1000.0]], requires_grad=True)
for y in (
    F.log_softmax(big, 1),
    F.softmax(big, 1),
    F.softplus(big),
    F.logsigmoid(big),
    F.cross_entropy(big, torch.tensor([1])),
    F.binary_cross_entropy_with_logits(big, torch.tensor([[0.0, 1.0]])),
    torch.sigmoid(big),
    torch.logsumexp(big, 1),
):
    big.grad = None
    y.sum().backward()
    print(y.detach(), big.grad)

print("-- linear and one_hot")
weight, bias = torch.arange(6.0).reshape(2, 3).requires_grad_(), torch.tensor([1.0, -1.0], requires_grad=True)
out = F.linear(p, weight, bias)
print(out, F.linear(p[0], weight))
(out**2).sum().backward()
print(weight.grad, bias.grad)
print(F.one_hot(torch.tensor([0, 2, 1])), F.one_hot(labels, num_classes=4).dtype, nn.functional.relu(torch.tensor(-1.0)))
