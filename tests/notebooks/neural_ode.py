# # A neural ordinary differential equation: gradients through a solver, and by the adjoint equation

import torch
import torch.nn as nn
from torch.autograd import Function, grad
from torch.func import functional_call, jacrev, vjp

torch.set_default_dtype(torch.float64)

# ## A solver is a loop


def rk4(f, y, t):
    path = [y]
    for start, end in zip(t[:-1], t[1:]):
        h = end - start
        k1 = f(start, y)
        k2 = f(start + h / 2, y + h / 2 * k1)
        k3 = f(start + h / 2, y + h / 2 * k2)
        k4 = f(end, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(y)
    return torch.stack(path)


# ## It solves what has a formula: a damped oscillation

rate = torch.tensor(0.3, requires_grad=True)


def oscillation(t, y):
    return torch.stack([y[1], -y[0] - 2 * rate * y[1]])


t = torch.linspace(0, 4, 41)
path = rk4(oscillation, torch.tensor([1.0, 0.0]), t)
omega = (1 - rate**2).sqrt()
exact = torch.exp(-rate * t) * (torch.cos(omega * t) + rate / omega * torch.sin(omega * t))
print(path.shape, (path[:, 0] - exact).abs().max() < 1e-5)
print(path[::10])
by_solver, = grad(path[-1, 0], rate, retain_graph=True)
by_formula, = grad(exact[-1], rate)
print(by_solver, torch.allclose(by_solver, by_formula, rtol=1e-4))
print(torch.trapezoid(path[:, 0], t), torch.cumulative_trapezoid(path[:, 0].detach(), t)[::10])
speed, = torch.gradient(path[:, 0].detach(), spacing=(t,), edge_order=2)
print((speed - path[:, 1].detach()).abs().max() < 0.01, speed[:3])

# ## Curvature by the rate: a second derivative through the whole solver

path = rk4(oscillation, torch.tensor([1.0, 0.0]), t[:11])
first, = grad(path[-1, 0], rate, create_graph=True)
second, = grad(first, rate)
print(first, second)


# ## The right-hand side as a network


class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(0.4 * torch.sin(torch.arange(parameter.numel()) * 1.1 + number).view_as(parameter))

    def forward(self, t, y):
        return self.net(y)


field = Field()
target = path[:, :].detach()
times = t[:11]
optimizer = torch.optim.Adam(field.parameters(), lr=0.02)
for step in range(61):
    optimizer.zero_grad()
    loss = (rk4(field, target[0], times) - target).square().mean()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(step, f"{loss.item():.8f}")


# ## The adjoint method: gradients by solving backwards, in a Function of one's own


class Solve(Function):
    @staticmethod
    def forward(ctx, y0, times, field, *parameters):
        with torch.no_grad():
            end = rk4(field, y0, times)[-1]
        ctx.field, ctx.parameters = field, parameters
        ctx.save_for_backward(end, times)
        return end

    @staticmethod
    def backward(ctx, grad_end):
        end, times = ctx.saved_tensors
        field, parameters = ctx.field, ctx.parameters
        sizes = [end.numel(), end.numel(), *(p.numel() for p in parameters)]

        def backwards(time, state):
            y, a, *_ = state.split(sizes)
            with torch.enable_grad():
                y = y.detach().requires_grad_()
                f = field(time, y)
                found = torch.autograd.grad(f, (y, *parameters), -a)
            return torch.cat([f.detach(), *(one.reshape(-1) for one in found)])

        start = torch.cat([end, grad_end, *(torch.zeros(p.numel()) for p in parameters)])
        state = rk4(backwards, start, times.flip(0))[-1]
        _, a, *by_parameters = state.split(sizes)
        return (a, None, None, *(g.view_as(p) for g, p in zip(by_parameters, parameters)))


y0 = torch.tensor([0.8, -0.2], requires_grad=True)
parameters = list(field.parameters())
end = Solve.apply(y0, times, field, *parameters)
print(end, end.grad_fn.name())
adjoint = grad(end.square().sum(), [y0, *parameters])
through = grad(rk4(field, y0, times)[-1].square().sum(), [y0, *parameters])
for a, b in zip(adjoint, through):
    print(tuple(a.shape), torch.allclose(a, b, atol=1e-6))
print(adjoint[0])

# ## How the end depends on the beginning

flow = jacrev(lambda y: rk4(field, y, times)[-1])(y0.detach())
print(flow, torch.linalg.det(flow))
state = {name: p.detach() for name, p in field.named_parameters()}
value, pull = vjp(lambda y: functional_call(field, state, (times[0], y)), y0.detach())
print(value, pull(torch.tensor([1.0, 0.0])))

# ## A step size from an error estimate: Python decides while it runs


def adaptive(f, y, end, tolerance):
    time, h, steps = 0.0, 0.5, 0
    while time < end:
        h = min(h, end - time)
        k1 = f(time, y)
        k2 = f(time + h, y + h * k1)
        error = ((k2 - k1) * h / 2).abs().max().item()
        if error <= tolerance:
            y = y + h / 2 * (k1 + k2)
            time += h
            steps += 1
        h *= min(2.0, max(0.3, 0.9 * (tolerance / max(error, 1e-12)) ** 0.5))
    return y, steps


for tolerance in (1e-2, 1e-3, 1e-4):
    y, steps = adaptive(oscillation, torch.tensor([1.0, 0.0]), 4.0, tolerance)
    slope, = grad(y[0], rate)
    print(tolerance, steps, y, slope)
print(torch.nn.functional.mse_loss(y, path[-1]).requires_grad)
torch.set_default_dtype(torch.float32)
