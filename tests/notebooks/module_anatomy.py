# # What a module is made of: buffers, hooks, containers, state

import copy
import pickle
from collections import OrderedDict

import torch
from torch import nn


class RunningScale(nn.Module):
    """Divides by a running maximum, which is state and no parameter."""

    def __init__(self, width):
        super().__init__()
        self.register_buffer("largest", torch.ones(width))
        self.register_buffer("calls", torch.tensor(0), persistent=False)
        self.gain = nn.Parameter(torch.ones(width))
        self.register_parameter("shift", None)

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.largest.copy_(torch.maximum(self.largest, x.abs().amax(dim=0)))
                self.calls += 1
        return self.gain * x / self.largest


net = nn.Sequential(OrderedDict([("scale", RunningScale(2)), ("linear", nn.Linear(2, 2)), ("act", nn.ReLU())]))
with torch.no_grad():
    net.linear.weight.copy_(torch.tensor([[1.0, -1.0], [0.5, 2.0]]))
    net.linear.bias.fill_(0.25)
print(net)
print(net(torch.tensor([[2.0, -4.0], [1.0, 3.0]])))
print(net.scale.largest, net.scale.calls, net.scale.shift)
print(dict(net.named_buffers()))
print(net.state_dict())

# ## Training mode

print([(name, module.training) for name, module in net.eval().named_modules()])
net(torch.tensor([[100.0, 100.0]]))
print(net.scale.largest)
net.train()

# ## Hooks

seen = []
handle = net.linear.register_forward_hook(lambda module, args, output: seen.append((type(module).__name__, tuple(output.shape))))
pre = net.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
back = net.linear.register_full_backward_hook(
    lambda module, grad_input, grad_output: print("backward:", grad_input[0].shape, grad_output[0].sum()))
y = net(torch.zeros(3, 2, requires_grad=True))
print(y)
y.sum().backward()
print(seen, net.linear.bias.grad)
for one in (handle, pre, back):
    one.remove()
print(net(torch.zeros(1, 2)), len(seen))

gradient_hook = net.linear.weight.register_hook(lambda grad: grad.clamp(-0.5, 0.5))
net.zero_grad()
net(torch.ones(3, 2)).sum().backward()
print(net.linear.weight.grad)
gradient_hook.remove()

# ## Containers


class Stack(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(2, 2, bias=False) for _ in range(depth))
        self.heads = nn.ModuleDict({"mean": nn.Identity(), "soft": nn.Softmax(dim=-1)})
        self.scales = nn.ParameterList([torch.full((1,), float(k)) for k in range(depth)])

    def forward(self, x, head):
        for layer, scale in zip(self.layers, self.scales):
            x = layer(x) * scale
        return self.heads[head](x)


stack = Stack(3)
print(stack)
print([name for name, _ in stack.named_parameters()])
print(len(stack.layers), stack.layers[-1], list(stack.heads))
print(stack(torch.ones(1, 2), "soft"))

# ## Copies

twin = copy.deepcopy(net)
with torch.no_grad():
    twin.linear.bias.zero_()
print(net.linear.bias, twin.linear.bias, sep="\n")
again = pickle.loads(pickle.dumps(net))
print(again.scale.largest, type(again.linear.weight).__name__)

# ## State that does not fit

try:
    net.load_state_dict({"scale.gain": torch.ones(3), "linear.weight": torch.ones(2, 2), "other": torch.ones(1)})
except RuntimeError as error:
    print(error)
print(net.load_state_dict({"scale.gain": torch.ones(2)}, strict=False))

# ## Dtypes

net.double()
print(net.linear.weight.dtype, net.scale.largest.dtype, net.scale.calls.dtype)
print(net(torch.ones(1, 2, dtype=torch.float64)).dtype)
print(net.float().linear.bias)

# ## Mistakes


class Forgetful(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


for mistake in (Forgetful, lambda: net.missing, lambda: setattr(net.linear, "weight", torch.ones(2, 2)), lambda: nn.Module()(1),
                lambda: net.get_submodule("linear.none"), lambda: net.register_buffer("a.b", None), lambda: nn.Sequential(3)):
    try:
        mistake()
    except (AttributeError, TypeError, NotImplementedError, KeyError) as error:
        print(f"{type(error).__name__}: {error}")
