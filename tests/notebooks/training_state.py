# # Saving a training and going on with it

import io
import os
import tempfile
from collections import OrderedDict

import torch
import torch.nn as nn

folder = tempfile.mkdtemp()

# ## Tensors, and what holds them

path = os.path.join(folder, "tensors.pt")
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
torch.save(x, path)
print(torch.load(path))
torch.save({"x": x, "list": [x, 3, "text", None, (1.5, True)], "when": OrderedDict(epoch=7)}, path)
found = torch.load(path, weights_only=True)
print(found)
print(type(found["when"]), found["list"][0] is found["x"])

# ## Memory that is shared stays shared

numbers = torch.arange(1, 7)
row = numbers.view(2, 3)[1]
torch.save([numbers, row], path)
loaded, loaded_row = torch.load(path)
loaded_row *= 2
print(loaded, loaded_row)
print(numbers)

# ## Into memory, dtypes, requires_grad

buffer = io.BytesIO()
parameter = nn.Parameter(torch.zeros(2, dtype=torch.float64))
torch.save([parameter, torch.ones(2, requires_grad=True), torch.tensor([True]), torch.tensor(3), torch.Size([2, 3]),
            torch.float32], buffer)
buffer.seek(0)
for one in torch.load(buffer, map_location="cpu"):
    print(one)
buffer.seek(0)
print(torch.load(buffer, map_location=torch.device("cpu"))[0].is_leaf)


# ## A training, stopped half way


def make():
    model = nn.Sequential(nn.Linear(2, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1)).double()
    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            weight.copy_(torch.cos(torch.arange(weight.numel()) + number).view_as(weight))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5)
    return model, optimizer, scheduler


X = torch.linspace(-1, 1, 16, dtype=torch.float64).view(8, 2)
y = X.prod(1, keepdim=True)


def train(model, optimizer, scheduler, epochs):
    for epoch in range(epochs):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(X), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
    return loss.item()


whole = make()
print(f"{train(*whole, 8):.5f}")

half = make()
loss = train(*half, 4)
checkpoint = os.path.join(folder, "checkpoint.pt")
torch.save({
    "epoch": 4,
    "model_state_dict": half[0].state_dict(),
    "optimizer_state_dict": half[1].state_dict(),
    "scheduler_state_dict": half[2].state_dict(),
    "loss": loss,
}, checkpoint)

model, optimizer, scheduler = make()
state = torch.load(checkpoint)
print(list(state), state["epoch"], f"{state['loss']:.5f}")
print(model.load_state_dict(state["model_state_dict"]))
optimizer.load_state_dict(state["optimizer_state_dict"])
scheduler.load_state_dict(state["scheduler_state_dict"])
print(scheduler.last_epoch, optimizer.param_groups[0]["lr"])
print(f"{train(model, optimizer, scheduler, 4):.5f}")
for name, value in whole[0].state_dict().items():
    print(name, torch.equal(value, model.state_dict()[name]))

# ## Part of a state

backbone = {name: value for name, value in state["model_state_dict"].items() if name.startswith("0.")}
torch.save(backbone, path)
other = nn.Sequential(nn.Linear(2, 4, bias=False), nn.ReLU())
print(other.load_state_dict(torch.load(path), strict=False))
print(other[0].weight)
try:
    other.load_state_dict(state["model_state_dict"])
except RuntimeError as error:
    print(str(error).splitlines()[0])

# ## The random numbers go on, too

torch.manual_seed(3)
torch.save(torch.get_rng_state(), path)
first = torch.rand(3)
torch.set_rng_state(torch.load(path))
print(torch.equal(first, torch.rand(3)))
with torch.random.fork_rng():
    torch.manual_seed(0)
print(torch.random.initial_seed())

# ## What goes wrong

try:
    torch.load(os.path.join(folder, "nothing.pt"))
except FileNotFoundError:
    print("FileNotFoundError")
try:
    torch.save(x, os.path.join(folder, "no", "folder.pt"))
except RuntimeError as error:
    print(str(error).split()[0], str(error).split()[-3:])
content = open(checkpoint, "rb").read()
with open(path, "wb") as file:
    file.write(content[:len(content) // 2])
try:
    torch.load(path)
except (RuntimeError, OSError):
    print("damaged")
try:
    torch.save(x, 3)
except AttributeError as error:
    print(str(error)[:30])
