"""The graph behind a tensor: names of its nodes, their inputs, and how a reader walks over it."""

import torch
import torch.nn.functional as F

x = torch.tensor([[0.5, 1.5], [2.0, 0.25]], requires_grad=True)
v = torch.tensor([0.5, 0.75], requires_grad=True)
unary = """
abs neg exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh tanh
asinh atanh sigmoid logit erf erfc erfinv lgamma digamma sinc relu floor ceil round trunc frac deg2rad rad2deg sign
positive nan_to_num sum mean prod var std amax amin max min logsumexp norm median flatten ravel t clone detach
contiguous float double tril triu diag
""".split()
for name in unary:
    y = getattr(v if name in ("asin", "acos", "atanh", "erfinv", "logit") else x, name)
    y = y(0) if name == "logsumexp" else y()
    print(name, y.grad_fn.name() if y.grad_fn else None)
forms = {
    "x + x": lambda: x + x,
    "x + 1": lambda: x + 1,
    "1 + x": lambda: 1 + x,
    "x - x": lambda: x - x,
    "x - 1": lambda: x - 1,
    "1 - x": lambda: 1 - x,
    "x * x": lambda: x * x,
    "2 * x": lambda: 2 * x,
    "x / x": lambda: x / x,
    "x / 2": lambda: x / 2,
    "x**2": lambda: x**2,
    "x**x": lambda: x**x,
    "2**x": lambda: 2**x,
    "x % 2": lambda: x % 2,
    "-x": lambda: -x,
    "x @ x": lambda: x @ x,
    "x @ v": lambda: x @ v,
    "v @ v": lambda: v @ v,
    "maximum": lambda: torch.maximum(x, v),
    "minimum": lambda: torch.minimum(x, v),
    "fmod": lambda: torch.fmod(x, 2),
    "atan2": lambda: torch.atan2(x, v),
    "hypot": lambda: torch.hypot(x, v),
    "lerp": lambda: torch.lerp(x, v, 0.5),
    "logaddexp": lambda: torch.logaddexp(x, v),
    "xlogy": lambda: torch.xlogy(x, v),
    "copysign": lambda: torch.copysign(x, v),
    "where": lambda: torch.where(x > 1, x, v),
    "clamp": lambda: x.clamp(0, 1),
    "clamp tensor": lambda: torch.clamp(x, v),
    "addcmul": lambda: torch.addcmul(x, x, x),
    "addcdiv": lambda: torch.addcdiv(x, x, x),
    "sum dim": lambda: x.sum(0),
    "mean dim": lambda: x.mean(0),
    "max dim": lambda: x.max(0).values,
    "cumsum": lambda: x.cumsum(0),
    "cumprod": lambda: x.cumprod(0),
    "view": lambda: x.view(4),
    "reshape": lambda: x.reshape(4),
    "squeeze": lambda: x.squeeze(),
    "squeeze dim": lambda: x.squeeze(0),
    "unsqueeze": lambda: x.unsqueeze(0),
    "transpose": lambda: x.transpose(0, 1),
    "permute": lambda: x.permute(1, 0),
    "T": lambda: x.T,
    "mT": lambda: x.mT,
    "expand": lambda: x.expand(2, 2, 2),
    "repeat": lambda: x.repeat(2, 1),
    "cat": lambda: torch.cat([x, x]),
    "stack": lambda: torch.stack([v, v]),
    "split": lambda: x.split(1)[0],
    "unbind": lambda: x.unbind()[0],
    "chunk": lambda: x.chunk(2)[0],
    "flip": lambda: x.flip(0),
    "roll": lambda: x.roll(1, 0),
    "diagonal": lambda: x.diagonal(),
    "narrow": lambda: x.narrow(0, 0, 1),
    "select": lambda: x.select(0, 0),
    "x[0]": lambda: x[0],
    "x[:1]": lambda: x[:1],
    "x[:, 0]": lambda: x[:, 0],
    "x[[0, 1]]": lambda: x[[0, 1]],
    "x[x > 1]": lambda: x[x > 1],
    "x[None]": lambda: x[None],
    "x[...]": lambda: x[...],
    "gather": lambda: x.gather(0, torch.tensor([[0, 1]])),
    "index_select": lambda: x.index_select(0, torch.tensor([0])),
    "masked_fill": lambda: x.masked_fill(x > 1, 0),
    "sort": lambda: x.sort().values,
    "topk": lambda: x.topk(1).values,
    "outer": lambda: torch.outer(v, v),
    "dot": lambda: torch.dot(v, v),
    "bmm": lambda: torch.bmm(x[None], x[None]),
    "addmm": lambda: torch.addmm(v, x, x),
    "softmax": lambda: x.softmax(0),
    "log_softmax": lambda: x.log_softmax(0),
    "F.linear": lambda: F.linear(x, x, v),
    "mse_loss": lambda: F.mse_loss(x, torch.ones(2, 2)),
    "l1_loss": lambda: F.l1_loss(x, torch.ones(2, 2)),
    "smooth_l1": lambda: F.smooth_l1_loss(x, torch.ones(2, 2)),
    "huber": lambda: F.huber_loss(x, torch.ones(2, 2)),
    "cross_entropy": lambda: F.cross_entropy(x, torch.tensor([0, 1])),
    "gelu": lambda: F.gelu(x),
    "silu": lambda: F.silu(x),
    "elu": lambda: F.elu(x),
    "softplus": lambda: F.softplus(x),
    "logsigmoid": lambda: F.logsigmoid(x),
    "leaky_relu": lambda: F.leaky_relu(x),
    "bce": lambda: F.binary_cross_entropy(x.sigmoid(), torch.ones(2, 2)),
    "bce logits": lambda: F.binary_cross_entropy_with_logits(x, torch.ones(2, 2)),
    "to": lambda: x.to(torch.float64),
    "item": lambda: x[0, 0] * x[0, 0].item(),
}
for name, form in forms.items():
    print(name, form().grad_fn.name())

print("-- next_functions")


def walk(node, depth=0, limit=6):
    if node is None:
        print("  " * depth + "None")
    else:
        print("  " * depth + node.name())
        if depth < limit:
            for below, _ in node.next_functions:
                walk(below, depth + 1)


y = ((x * 3 + v) ** 2).mean()
print(type(y.grad_fn).__name__)
print([n.name() if n else None for n, _ in y.grad_fn.next_functions], [i for _, i in y.grad_fn.next_functions])
walk(y.grad_fn)
walk((torch.sin(v) * v.exp() - 1).sum().grad_fn)
walk((x @ v).relu().norm().grad_fn)
walk(torch.where(v > 0, v * torch.ones(2), v).sum().grad_fn)
walk(torch.cat([x, torch.ones(1, 2), v[None]]).sum().grad_fn)
a, b = x.unbind()
print((a * b).grad_fn.next_functions[1][1], b.grad_fn.name())
leaf = y.grad_fn.next_functions[0][0].next_functions[0][0].next_functions[0][0].next_functions[0][0]
print(leaf.name(), leaf.variable is x, leaf.next_functions)
print(x.grad_fn, (x * 1).detach().grad_fn, y.grad_fn is y.grad_fn)
