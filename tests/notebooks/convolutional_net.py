# # A convolutional network on stripes and checks

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import StepLR

# ## Images of three sorts: rows, columns, checks


def images(count, size=12):
    rows = torch.arange(size).view(-1, 1).expand(size, size)
    columns = rows.t()
    made, labels = [], []
    for number in range(count):
        phase = number % 4
        sort = number % 3
        pattern = [(rows + phase) // 2 % 2, (columns + phase) // 2 % 2, (rows // 2 + columns // 2 + phase) % 2][sort]
        shade = torch.sin(torch.arange(size * size) * (0.37 + 0.05 * number)).view(size, size)
        made.append(pattern.float() + 0.3 * shade)
        labels.append(sort)
    return torch.stack(made).unsqueeze(1), torch.tensor(labels)


X, y = images(30)
print(X.shape, y.bincount())


# ## The network


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 8, kernel_size=3, stride=2, bias=False)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.0)
        self.fc = nn.Linear(8 * 2 * 2, 3)

    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.conv1(x))))
        x = F.relu(self.conv2(x))
        x = torch.flatten(x, 1)
        return F.log_softmax(self.fc(self.drop(x)), dim=1)


net = Net()
with torch.no_grad():
    for number, parameter in enumerate(net.parameters()):
        if parameter.dim() > 1:
            parameter.copy_((torch.arange(parameter.numel()) * 0.7 + number).sin().view_as(parameter) * 0.4)
        else:
            parameter.fill_(0.5 if number == 2 else 0.0)
print(net)
print(net.conv2.weight.shape, net.conv2.bias)

# ## Shapes on the way, and the graph

h = net.conv1(X[:2])
print(h.shape, h.grad_fn.name())
h = net.pool(h)
print(h.shape, h.grad_fn.name())
print(F.avg_pool2d(X[:1], 4)[0, 0])
print(F.adaptive_avg_pool2d(X[:1], 1))
print(F.conv2d(X[0], torch.ones(1, 1, 2, 2)).shape)
print(net.norm.running_mean, net.norm.num_batches_tracked)
print(net(X[:2]))

# ## Training in batches

optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
for epoch in range(6):
    net.train()
    total = 0.0
    for start in range(0, len(X), 10):
        batch, labels = X[start:start + 10], y[start:start + 10]
        optimizer.zero_grad()
        loss = F.nll_loss(net(batch), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    scheduler.step()
    net.eval()
    with torch.no_grad():
        correct = net(X).argmax(1).eq(y).sum().item()
    print(f"epoch {epoch}: loss {total / len(X):.3f}, correct {correct}/{len(X)}, lr {scheduler.get_last_lr()[0]:.4f}")
print(net.norm.num_batches_tracked, net.norm.running_var.shape)
print([name for name, _ in net.named_buffers()])

# ## Gradients by the image

x = X[:1].clone().requires_grad_()
net(x)[0, y[0]].backward()
print(x.grad.shape, x.grad.abs().max() > 0)

# ## Shapes that do not fit

for call in (lambda: net(torch.ones(2, 3, 12, 12)), lambda: net.conv1(torch.ones(5)), lambda: net.pool(torch.ones(1, 1, 1, 1)),
             lambda: net.norm(torch.ones(2, 4))):
    try:
        call()
    except (RuntimeError, ValueError) as error:
        print(type(error).__name__, str(error)[:90])
