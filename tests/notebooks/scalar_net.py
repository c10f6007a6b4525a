"""A net whose every number is a tensor of its own, as in small teaching engines."""

import itertools
import math

import torch


class Neuron:
    def __init__(self, inputs, phase):
        self.weights = [torch.tensor(math.sin(phase + i), dtype=torch.float64, requires_grad=True) for i in range(inputs)]
        self.bias = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)

    def __call__(self, x):
        return sum((w * v for w, v in zip(self.weights, x)), self.bias).tanh()

    def parameters(self):
        return [*self.weights, self.bias]


class Net:
    def __init__(self, sizes):
        self.layers = [[Neuron(n, 0.7 * j + k) for j in range(m)] for k, (n, m) in enumerate(itertools.pairwise(sizes))]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]


net = Net([3, 4, 4, 1])
print(len(net.parameters()))
samples = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
wanted = [1.0, -1.0, -1.0, 1.0]
print([f"{net(s).item():.6f}" for s in samples])
for step in range(41):
    loss = sum((net(s) - y) ** 2 for s, y in zip(samples, wanted))
    for p in net.parameters():
        p.grad = None
    loss.backward()
    for p in net.parameters():
        p.data -= 0.05 * p.grad
    if step % 10 == 0:
        print(step, f"{loss.item():.6f}", f"{net.parameters()[0].grad.item():.6f}")
print(loss)
print([round(net(s).item(), 4) for s in samples])

print("-- a hinge loss and relu")
a = torch.tensor(-4.0, requires_grad=True)
b = torch.tensor(2.0, requires_grad=True)
c = a + b
d = a * b + b**3
c = c + c + 1
c = c + 1 + c + (-a)
d = d + d * 2 + (b + a).relu()
d = d + 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2.0
g = g + 10.0 / f
print(f"{g.item():.4f}")
g.backward()
print(f"{a.grad.item():.4f} {b.grad.item():.4f}")

print("-- one neuron, step by step")
x1, x2 = torch.tensor([1.5], requires_grad=True), torch.tensor([-0.5], requires_grad=True)
w1, w2 = torch.tensor([-2.0], requires_grad=True), torch.tensor([1.25], requires_grad=True)
bias = torch.tensor([3.1], requires_grad=True)
n = x1 * w1 + x2 * w2 + bias
o = torch.tanh(n)
n.retain_grad()
o.backward()
print(n, o)
print("x1", x1.grad.item().__round__(4), "w1", w1.grad.item().__round__(4), "n", round(n.grad.item(), 4))
print("x2", x2.grad, "w2", w2.grad, "bias", bias.grad)

print("-- Python's own operators and builtins")
t = torch.tensor(2.0, requires_grad=True)
print(3 + t, 3 - t, 3 * t, 3 / t, 3**t, 7 // t.detach(), 7 % t.detach(), -t, +t, abs(-t))
print(max(t, torch.tensor(1.0)), min(t, torch.tensor(1.0)), sum([t, t, t]), pow(t, 3))
print(float(t), int(t), bool(t), t.item(), math.sqrt(t), f"{t:.3f}", f"{t:8.2f}|", format(t, "e"))
print(t < 3, t == 2, t != 2, t >= 1, bool(t > 1 and t < 3))
print(divmod(7, 2), [10, 20, 30][torch.tensor(1)], list(range(torch.tensor(3))))
