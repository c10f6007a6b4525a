# # A small network on two spirals, with nn.Module and Adam

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

# ## Data: two spirals, and numbers for the weights that need no luck

def spirals(count):
    t = torch.linspace(0.5, 3.0, count)
    points = []
    for turn in (0.0, 3.14159):
        points.append(torch.stack([t * torch.cos(2 * t + turn), t * torch.sin(2 * t + turn)], dim=1) / 3)
    labels = torch.cat([torch.zeros(count, dtype=torch.long), torch.ones(count, dtype=torch.long)])
    return torch.cat(points), labels


def spread_weights(module):
    if isinstance(module, nn.Linear):
        with torch.no_grad():
            count = module.weight.numel()
            module.weight.copy_((torch.arange(count) * 0.61803).frac().sub(0.5).view_as(module.weight) * 1.5)
            module.bias.copy_(torch.linspace(-0.5, 0.5, module.bias.numel()))


X, y = spirals(60)
print(X.shape, y.shape, X.dtype, y.dtype)
print(X[:3])

# ## Model


class MLP(nn.Module):
    def __init__(self, hidden=16, classes=2):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, hidden),
            nn.Tanh(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.head = nn.Linear(hidden, classes)

    def forward(self, x):
        x = self.layers(x)
        return self.head(x)


model = MLP()
model.apply(spread_weights)
print(model)
print(sum(p.numel() for p in model.parameters()), "parameters")
for name, parameter in model.named_parameters():
    print(f"{name:18} {tuple(parameter.shape)!s:10} {parameter.requires_grad}")
print(model.head.bias)

# ## Training

criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.02)
print(optimizer)

logits = model(X)
loss = criterion(logits, y)
print(logits[:2])
print(loss)
loss.backward()
print(model.head.weight.grad.abs().sum(), model.layers[0].bias.grad.shape)
optimizer.zero_grad()
print(model.head.weight.grad)

for epoch in range(101):
    optimizer.zero_grad()
    logits = model(X)
    loss = criterion(logits, y)
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        accuracy = (logits.argmax(dim=1) == y).float().mean()
        print(f"epoch {epoch:3d}  loss {loss.item():.4f}  accuracy {accuracy:.3f}")

# ## What was learned

model.eval()
with torch.no_grad():
    probabilities = F.softmax(model(X[:3]), dim=1)
print(probabilities.sum(dim=1), probabilities.requires_grad)
state = optimizer.state_dict()
print(state["param_groups"])
print({key: tuple(value.shape) for key, value in state["state"][0].items()}, state["state"][0]["step"])
print(list(model.state_dict()))

# ## A copy of the model computes the same

twin = MLP()
print(twin.load_state_dict(model.state_dict()))
print(torch.equal(twin(X), model(X)))

# ## Only the head is trained on

for parameter in model.layers.parameters():
    parameter.requires_grad = False
fine = optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1, momentum=0.9)
before = model.layers[0].weight.clone()
for _ in range(5):
    fine.zero_grad()
    criterion(model(X), y).backward()
    fine.step()
print(torch.equal(before, model.layers[0].weight), model.layers[0].weight.grad is None)
