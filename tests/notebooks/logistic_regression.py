# # Logistic regression: losses, weight decay, schedules, clipping

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_printoptions(precision=3)

# ## Data

n = 40
t = torch.linspace(-2, 2, n)
X = torch.stack([t, (3 * t).sin(), t ** 2 - 1], dim=1)
y = ((X @ torch.tensor([1.5, -1.0, 0.5]) + 0.3 * (7 * t).cos()) > 0).float().unsqueeze(1)
print(X.shape, y.sum())

dataset = TensorDataset(X, y)
loader = DataLoader(dataset, batch_size=16)
print(len(dataset), len(loader), [len(batch) for batch, _ in loader])
features, label = dataset[3]
print(features, label)

# ## Model and loss

model = nn.Linear(3, 1)
nn.init.zeros_(model.weight)
nn.init.constant_(model.bias, 0.1)
loss_fn = nn.BCEWithLogitsLoss()
print(model, loss_fn)
print(loss_fn(model(X), y))

# ## The same loss three times

z = model(X)
print(nn.BCELoss()(torch.sigmoid(z), y).item() - loss_fn(z, y).item() < 1e-6)
print(nn.functional.softplus(z).mean() - (z * y).mean())

# ## Optimizers beside each other


def train(make, epochs=15):
    with torch.no_grad():
        model.weight.zero_()
        model.bias.fill_(0.1)
    optimizer = make(model.parameters())
    for _ in range(epochs):
        for inputs, targets in loader:
            loss = loss_fn(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
    with torch.no_grad():
        final = loss_fn(model(X), y)
    return f"{final:.4f} {norm:.3f} {[round(w, 3) for w in model.weight[0].tolist()]}"


for name, make in {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.5),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9, nesterov=True),
    "decay": lambda p: torch.optim.SGD(p, lr=0.5, weight_decay=0.1),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.3),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.05, centered=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.1, amsgrad=True),
    "NAdam": lambda p: torch.optim.NAdam(p, lr=0.1),
    "RAdam": lambda p: torch.optim.RAdam(p, lr=0.1),
    "Adadelta": lambda p: torch.optim.Adadelta(p),
    "Rprop": lambda p: torch.optim.Rprop(p, lr=0.1),
}.items():
    print(f"{name:9} {train(make)}")

# ## Schedules

optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
for scheduler in (torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4], gamma=0.1),
                  torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)):
    for group in optimizer.param_groups:
        group["lr"] = 1.0
    rates = []
    for _ in range(6):
        rates.append(round(optimizer.param_groups[0]["lr"], 4))
        optimizer.step()
        scheduler.step()
    print(type(scheduler).__name__, rates)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
optimizer.param_groups[0]["lr"] = 1.0
for value in (3.0, 2.0, 2.0, 2.0, 2.5, 2.5):
    plateau.step(value)
    print(optimizer.param_groups[0]["lr"], end=" ")
print()

# ## Groups

optimizer = torch.optim.SGD([{"params": [model.weight]}, {"params": [model.bias], "lr": 0.01}], lr=0.1, momentum=0.9)
print(optimizer)
print([group["lr"] for group in optimizer.param_groups])
torch.set_printoptions(profile="default")
