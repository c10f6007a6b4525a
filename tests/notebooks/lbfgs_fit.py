# # Curves fitted with L-BFGS, and functions of many parameters

import torch
from torch import nn

# ## A decaying wave: amplitude, rate, frequency, phase

x = torch.linspace(0, 4, 60, dtype=torch.float64)
observed = 2.0 * torch.exp(-0.6 * x) * torch.cos(3.0 * x + 0.4) + 0.05 * torch.sin(17 * x)


class Wave(nn.Module):
    def __init__(self):
        super().__init__()
        self.amplitude = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
        self.rate = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))
        self.frequency = nn.Parameter(torch.tensor(2.8, dtype=torch.float64))
        self.phase = nn.Parameter(torch.tensor(0.0, dtype=torch.float64))

    def forward(self, x):
        return self.amplitude * torch.exp(-self.rate * x) * torch.cos(self.frequency * x + self.phase)

    def extra_repr(self):
        return ", ".join(f"{name}={value.item():.3f}" for name, value in self.named_parameters())


wave = Wave()
print(wave)
loss_fn = nn.MSELoss()
print(loss_fn(wave(x), observed))

optimizer = torch.optim.LBFGS(wave.parameters(), lr=1, max_iter=10, line_search_fn="strong_wolfe")
calls = 0


def closure():
    global calls
    calls += 1
    optimizer.zero_grad()
    loss = loss_fn(wave(x), observed)
    loss.backward()
    return loss


for step in range(4):
    loss = optimizer.step(closure)
    print(f"step {step}: loss {loss.item():.6f}, calls {calls}")
print(wave)
print(optimizer)

# ## The gradient vanishes there

closure()
print(max(parameter.grad.abs().item() for parameter in wave.parameters()) < 1e-4)

# ## Curvature at the solution, by hessian of a pure function


def loss_of(amplitude, rate):
    return ((amplitude * torch.exp(-rate * x) * torch.cos(3.0 * x + 0.4) - observed) ** 2).mean()


point = (torch.tensor(2.0, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64))
hessian = torch.autograd.functional.hessian(loss_of, point)
print([[f"{entry.item():.4f}" for entry in row] for row in hessian])

# ## Without a line search

start = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
plain = torch.optim.LBFGS([start], lr=0.2, max_iter=50, history_size=10)


def rosenbrock():
    plain.zero_grad()
    value = (1 - start[0]) ** 2 + 100 * (start[1] - start[0] ** 2) ** 2
    value.backward()
    return value


print(f"{plain.step(rosenbrock).item():.3f}")
print(f"{rosenbrock().item():.4f}")
print(plain.state[start]["n_iter"], plain.state[start]["func_evals"])

# ## Vectors of parameters

vector = nn.utils.parameters_to_vector(wave.parameters())
print(vector.shape, vector.grad_fn.name())
nn.utils.vector_to_parameters(torch.arange(4, dtype=torch.float64), wave.parameters())
print(wave)
try:
    torch.optim.LBFGS([{"params": [wave.rate]}, {"params": [wave.phase]}])
except ValueError as error:
    print(error)
