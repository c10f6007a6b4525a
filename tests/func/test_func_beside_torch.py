"""Transforms give what torch.func gives: values, nests, gradients through them, and errors."""

import numpy as np
import pytest

import tapediff as td
from tapediff.nested import flatten

torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning",
                                        "ignore:Attempted to insert a get_attr Node:UserWarning")

DRAWS = np.random.default_rng(7)
A, B, C = (DRAWS.standard_normal(shape) for shape in ((5, 3), (3,), (3, 4)))
WEIGHTS = {"w": DRAWS.standard_normal((3, 2)), "b": DRAWS.standard_normal(2)}


def f3(x):
    return (x * x * x).sum()


def dotted(w):
    return lambda row: (row * w).sin().sum()


def predict(params, x):
    return (x @ params["w"] + params["b"]).tanh()


def loss(params, x, y):
    return ((predict(params, x) - y) ** 2).mean()


def params(t):
    return {name: t.tensor(value) for name, value in WEIGHTS.items()}


def through(t, call, *arrays):
    """The results of a call and the gradients of their sum of squares by its tensors."""
    tensors = [t.tensor(array, requires_grad=True) for array in arrays]
    results = call(*tensors)
    leaves = [y for y in flatten(results)[0] if y.requires_grad]
    total = sum((y * y).sum() for y in leaves)
    first = t.autograd.grad(total, tensors, create_graph=True, allow_unused=True)
    known = [g for g in first if g is not None and g.requires_grad]
    second = t.autograd.grad(sum((g * g).sum() for g in known), tensors, allow_unused=True) if known else ()
    return results, [g for g in first if g is not None], [g for g in second if g is not None]


CASES = {
    "grad": lambda t: t.func.grad(lambda x: t.sin(x))(t.tensor(0.5)),
    "grad twice": lambda t: t.func.grad(t.func.grad(t.sin))(t.tensor(0.5)),
    "grad thrice": lambda t: t.func.grad(t.func.grad(t.func.grad(lambda x: t.exp(x * x))))(t.tensor(0.5)),
    "grad of a vector": lambda t: t.func.grad(f3)(t.tensor(B)),
    "grad argnums": lambda t: t.func.grad(lambda x, y: (x * y).sum(), argnums=1)(t.tensor(B), t.tensor(B)),
    "grad argnums negative": lambda t: t.func.grad(lambda x, y: (x * y * y).sum(), argnums=-1)(t.tensor(B), t.tensor(B)),
    "grad argnums tuple": lambda t: t.func.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(t.tensor(B), t.tensor(B + 1)),
    "grad of a nest": lambda t: t.func.grad(loss)(params(t), t.tensor(A), t.ones(5, 2, dtype=t.float64)),
    "grad has_aux": lambda t: t.func.grad(lambda x: (f3(x), x + 1), has_aux=True)(t.tensor(B)),
    "grad of unused": lambda t: t.func.grad(lambda x, y: y.sum())(t.tensor(B), t.tensor(B)),
    "grad with options": lambda t: t.func.grad(lambda x, p=2: (x**p).sum())(t.tensor(B), p=3),
    "grad_and_value": lambda t: t.func.grad_and_value(f3)(t.tensor(B)),
    "grad_and_value has_aux": lambda t: t.func.grad_and_value(lambda x: (f3(x), {"y": x * 2}), has_aux=True)(t.tensor(B)),
    "grad under no_grad": lambda t: under_no_grad(t),
    "grad with no_grad inside": lambda t: t.func.grad(lambda x: (x * detached(t, x)).sum())(t.tensor(B)),
    "grad through detach": lambda t: t.func.grad(lambda x: (x * x.detach()).sum())(t.tensor(B)),
    "vjp": lambda t: t.func.vjp(t.sin, t.tensor(B))[1](t.ones(3, dtype=t.float64)),
    "vjp of several": lambda t: t.func.vjp(lambda x, y: (x * y, x.sum()), t.tensor(B), t.tensor(B))[1](
        (t.ones(3, dtype=t.float64), t.tensor(2.0, dtype=t.float64))),
    "vjp has_aux": lambda t: [t.func.vjp(lambda x: (x * x, x + 1), t.tensor(B), has_aux=True)[k] for k in (0, 2)],
    "vjp of a nest": lambda t: t.func.vjp(lambda p: {"y": predict(p, t.tensor(A))},
                                          params(t))[1]({"y": t.ones(5, 2, dtype=t.float64)}),
    "vjp twice": lambda t: [t.func.vjp(t.sin, t.tensor(B))[1](t.tensor(B)) for _ in range(2)],
    "jvp": lambda t: t.func.jvp(t.sin, (t.tensor(B),), (t.tensor(B + 1),)),
    "jvp of several": lambda t: t.func.jvp(lambda x, y: (x * y, x.exp()), (t.tensor(B), t.tensor(B)),
                                           (t.tensor(B), t.tensor(B * 2))),
    "jvp has_aux": lambda t: t.func.jvp(lambda x: (x * x, x + 1), (t.tensor(B),), (t.tensor(B),), has_aux=True),
    "jvp of grad": lambda t: t.func.jvp(t.func.grad(f3), (t.tensor(B),), (t.tensor(B + 1),)),
    "grad of jvp": lambda t: t.func.grad(lambda x: t.func.jvp(t.sin, (x,), (x,))[1].sum())(t.tensor(B)),
    "jacrev": lambda t: t.func.jacrev(t.sin)(t.tensor(B)),
    "jacfwd": lambda t: t.func.jacfwd(t.sin)(t.tensor(B)),
    "jacrev of matrices": lambda t: t.func.jacrev(lambda x: x @ t.tensor(C))(t.tensor(A)),
    "jacfwd of matrices": lambda t: t.func.jacfwd(lambda x: x @ t.tensor(C))(t.tensor(A)),
    "jacrev argnums": lambda t: t.func.jacrev(lambda x, y: x * y.sum(), argnums=(0, 1))(t.tensor(B), t.tensor(B)),
    "jacrev of nests": lambda t: t.func.jacrev(lambda p: {"y": predict(p, t.tensor(A)), "n": p["b"] * 2})(params(t)),
    "jacfwd of nests": lambda t: t.func.jacfwd(lambda p: (predict(p, t.tensor(A)), p["b"] * 2))(params(t)),
    "jacrev has_aux": lambda t: t.func.jacrev(lambda x: (x * x, x + 1), has_aux=True)(t.tensor(B)),
    "jacrev of float32": lambda t: t.func.jacrev(t.cos)(t.tensor(B, dtype=t.float32)),
    "jacrev of a constant": lambda t: t.func.jacrev(lambda x: t.ones(2, dtype=t.float64) + 0 * x.sum())(t.tensor(B)),
    "hessian": lambda t: t.func.hessian(f3)(t.tensor(B)),
    "hessian of a nest": lambda t: t.func.hessian(lambda p: loss(p, t.tensor(A), 1.0))(params(t)),
    "hessian argnums": lambda t: t.func.hessian(lambda x, y: (x * x * y).sum(), argnums=(0, 1))(t.tensor(B), t.tensor(B)),
    "jacrev of jacrev": lambda t: t.func.jacrev(t.func.jacrev(t.sin))(t.tensor(B)),
    "jacfwd of jacrev": lambda t: t.func.jacfwd(t.func.jacrev(lambda x: x.exp() * x.sum()))(t.tensor(B)),
    "linearize": lambda t: [t.func.linearize(t.sin, t.tensor(B))[0], t.func.linearize(t.sin, t.tensor(B))[1](t.tensor(B))],
    "vmap": lambda t: t.func.vmap(t.dot, in_dims=(0, None))(t.tensor(A), t.tensor(B)),
    "vmap in_dims": lambda t: t.func.vmap(lambda x, y: x * y, in_dims=(1, None))(t.tensor(A), t.tensor(2.0)),
    "vmap negative in_dims": lambda t: t.func.vmap(lambda x: x.sum(), in_dims=-1)(t.tensor(A)),
    "vmap out_dims": lambda t: t.func.vmap(lambda x: (x, x * 2), out_dims=(1, -1))(t.tensor(A)),
    "vmap of a nest": lambda t: t.func.vmap(lambda d: {"s": d["a"].sum(), "t": (d["b"], d["a"])})(
        {"a": t.tensor(A), "b": t.tensor(A[:, 0])}),
    "vmap with options": lambda t: t.func.vmap(lambda x, scale: x * scale, in_dims=(0,))(t.tensor(A), scale=t.tensor(B)),
    "vmap of a number": lambda t: t.func.vmap(lambda x, n: x**n, in_dims=(0, None))(t.tensor(A), 3),
    "vmap of vmap": lambda t: t.func.vmap(t.func.vmap(lambda a, b: a * b, (None, 0)), (0, None))(t.tensor(B), t.tensor(A[:, 0])),
    "vmap chunks": lambda t: t.func.vmap(lambda x: x.sin().sum(), chunk_size=2)(t.tensor(A)),
    "vmap of one row": lambda t: t.func.vmap(lambda x: x.cumsum(0))(t.tensor(A[:1])),
    "vmap of integers": lambda t: t.func.vmap(lambda i: t.tensor(B)[i])(t.tensor([0, 2, 1, 1])),
    "vmap of bools": lambda t: t.func.vmap(lambda x: (x > 0).any())(t.tensor(A)),
    "vmap of grad": lambda t: t.func.vmap(t.func.grad(loss), in_dims=(None, 0, 0))(params(t), t.tensor(A), t.tensor(A[:, :2])),
    "vmap of grad_and_value": lambda t: t.func.vmap(t.func.grad_and_value(loss), in_dims=(None, 0, None))(
        params(t), t.tensor(A), 1.0),
    "vmap of jacrev": lambda t: t.func.vmap(t.func.jacrev(lambda x: x.sin() * x.sum()))(t.tensor(A)),
    "vmap of jacfwd": lambda t: t.func.vmap(t.func.jacfwd(lambda x: x.sin() * x.sum()))(t.tensor(A)),
    "vmap of hessian": lambda t: t.func.vmap(t.func.hessian(f3))(t.tensor(A)),
    "vmap of vjp": lambda t: t.func.vmap(lambda x, v: t.func.vjp(t.sin, x)[1](v)[0])(t.tensor(A), t.tensor(A)),
    "vmap of jvp": lambda t: t.func.vmap(lambda x, v: t.func.jvp(t.sin, (x,), (v,)))(t.tensor(A), t.tensor(A)),
    "vmap same randomness": lambda t: t.func.vmap(lambda x: x * 0 + (t.rand(()) >= 0), randomness="same")(t.tensor(B)),
    "grad of vmap": lambda t: t.func.grad(lambda x: t.func.vmap(lambda row: row.sin().sum())(x).sum())(t.tensor(A)),
    "grad of vmap by shared": lambda t: t.func.grad(lambda w: t.func.vmap(dotted(w))(t.tensor(A)).sum())(t.tensor(B)),
    "hessian of vmap": lambda t: t.func.hessian(lambda w: t.func.vmap(dotted(w))(t.tensor(A)).sum())(t.tensor(B)),
    "jacrev of vmap": lambda t: t.func.jacrev(lambda w: t.func.vmap(lambda row: (row * w).sin().sum())(t.tensor(A)))(t.tensor(B)),
    "autograd through grad": lambda t: through(t, t.func.grad(f3), B),
    "autograd through vmap": lambda t: through(t, t.func.vmap(lambda x: x.sin() * x.sum()), A),
    "autograd through vmap by shared": lambda t: through(t, t.func.vmap(lambda x, w: (x * w).tanh(), in_dims=(0, None)), A, B),
    "autograd through vmap of two results": lambda t: through(t, t.func.vmap(lambda x, w: (x * w, w.sin()), in_dims=(0, None)), A,
                                                              B),
    "autograd through vmap by captured": lambda t: through(t, lambda w: t.func.vmap(lambda x: (x * w).tanh())(t.tensor(A)), B),
    "autograd through grad by captured": lambda t: through(t, lambda w: t.func.grad(lambda x: (x * w).sin().sum())(t.tensor(B)),
                                                           B),
    "autograd through jacrev": lambda t: through(t, t.func.jacrev(lambda x: x.sin() * x.sum()), B),
    "autograd through vjp": lambda t: through(t, lambda x, v: t.func.vjp(t.sin, x)[1](v)[0], B, B + 1),
    "autograd through jvp": lambda t: through(t, lambda x, v: t.func.jvp(t.sin, (x,), (v,))[1], B, B + 1),
    "autograd through vmap of grad": lambda t: through(t, t.func.vmap(t.func.grad(lambda w, x: (w * x).sin().sum()),
                                                                      in_dims=(None, 0)), B, A),
    "in-place inside vmap": lambda t: t.func.vmap(in_place)(t.tensor(A)),
    "indexed write inside vmap": lambda t: t.func.vmap(indexed)(t.tensor(A)),
    "control flow inside grad": lambda t: t.func.grad(lambda x: x.sin() if x > 0 else -x)(t.tensor(-1.0)),
    "per-sample gradients of a layer": lambda t: per_sample(t),
    "stacked models": lambda t: t.func.vmap(lambda w, b: t.tensor(A) @ w + b)(t.tensor(np.stack([C, C + 1])),
                                                                              t.tensor(np.ones((2, 4)))),
}


def under_no_grad(t):
    with t.no_grad():
        return t.func.grad(f3)(t.tensor(B))


def detached(t, x):
    with t.no_grad():
        return x * 2


def in_place(x):
    y = x.clone()
    y.mul_(2).add_(1)
    y[0] = x[1]
    return y


def indexed(x):
    y = x * 1
    y[1:] = y[1:] + 2 * y[:-1]
    return y.sum()


def per_sample(t):
    model = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 2))
    values = {name: t.tensor(np.linspace(-1, 1, p.numel()).reshape(tuple(p.shape)), dtype=t.float32) for name,
              p in model.named_parameters()}

    def compute(values, x, y):
        prediction = t.func.functional_call(model, values, (x.unsqueeze(0),))
        return t.nn.functional.cross_entropy(prediction, y.unsqueeze(0))

    return t.func.vmap(t.func.grad(compute), in_dims=(None, 0, 0))(values, t.tensor(A, dtype=t.float32),
                                                                   t.tensor([0, 1, 1, 0, 1]))


def plain(result):
    leaves, structure = flatten(result)
    return [x.detach().numpy() if hasattr(x, "detach") else x for x in leaves], repr(structure)


@pytest.mark.parametrize("name", CASES)
def test_transforms_give_what_pytorchs_give(name):
    ours, our_nest = plain(CASES[name](td))
    theirs, their_nest = plain(CASES[name](torch))
    assert our_nest == their_nest
    for a, b in zip(ours, theirs, strict=True):
        assert (np.shape(a), a.dtype) == (np.shape(b), b.dtype)
        np.testing.assert_allclose(a, b, rtol=1e-5 if b.dtype == np.float32 else 1e-10, atol=1e-6 if b.dtype == np.float32
                                   else 1e-12)


ERRORS = {
    "grad of a vector result": lambda t: t.func.grad(t.sin)(t.tensor(B)),
    "grad of no tensor": lambda t: t.func.grad(lambda x: 1.0)(t.tensor(B)),
    "grad argnums too large": lambda t: t.func.grad(f3, argnums=2)(t.tensor(B)),
    "vmap of different sizes": lambda t: t.func.vmap(lambda x, y: x)(t.tensor(A), t.tensor(B)),
    "vmap of no tensor": lambda t: t.func.vmap(lambda x: x)(1.0),
    "vmap of nothing": lambda t: t.func.vmap(lambda: 1)(),
    "vmap of all None": lambda t: t.func.vmap(lambda x: x, in_dims=None)(t.tensor(A)),
    "vmap in_dims out of range": lambda t: t.func.vmap(lambda x: x, in_dims=3)(t.tensor(A)),
    "vmap in_dims of another nest": lambda t: t.func.vmap(lambda x: x, in_dims=(0, 0))(t.tensor(A)),
    "vmap returns a number": lambda t: t.func.vmap(lambda x: 1.0)(t.tensor(A)),
    "vmap random": lambda t: t.func.vmap(lambda x: x + t.rand(3))(t.tensor(A)),
    "vmap randomness unknown": lambda t: t.func.vmap(lambda x: x, randomness="any")(t.tensor(A)),
    "vmap chunk_size": lambda t: t.func.vmap(lambda x: x, chunk_size=0)(t.tensor(A)),
    "jvp strict": lambda t: t.func.jvp(lambda x: t.ones(2), (t.tensor(B),), (t.tensor(B),), strict=True),
    "jvp of no tuple": lambda t: t.func.jvp(t.sin, t.tensor(B), t.tensor(B)),
    "vjp of wrong cotangents": lambda t: t.func.vjp(t.sin, t.tensor(B))[1]((t.tensor(B), t.tensor(B))),
    "jacrev argnums": lambda t: t.func.jacrev(t.sin, argnums=1)(t.tensor(B)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_transforms_refuse_what_pytorchs_refuse(name):
    with pytest.raises((ValueError, RuntimeError, TypeError, IndexError)) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type):
        ERRORS[name](td)


def test_per_sample_gradients_of_a_convolutional_network():
    """The code of PyTorch's tutorial on per-sample gradients, but for the import; smaller images."""
    def run(t):
        class SimpleCNN(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = t.nn.Conv2d(1, 4, 3, 1)
                self.conv2 = t.nn.Conv2d(4, 6, 3, 1)
                self.fc1 = t.nn.Linear(24, 8)
                self.fc2 = t.nn.Linear(8, 10)

            def forward(self, x):
                x = t.nn.functional.relu(self.conv1(x))
                x = t.nn.functional.relu(self.conv2(x))
                x = t.nn.functional.max_pool2d(x, 2)
                x = t.flatten(x, 1)
                x = t.nn.functional.relu(self.fc1(x))
                return t.nn.functional.log_softmax(self.fc2(x), dim=1)

        model = SimpleCNN()
        draws = np.random.default_rng(0)
        params = {k: t.tensor(draws.standard_normal(tuple(v.shape)) / 3, dtype=t.float32) for k, v in model.named_parameters()}
        buffers = {k: v.detach() for k, v in model.named_buffers()}
        data = t.tensor(draws.standard_normal((5, 1, 8, 8)), dtype=t.float32)
        targets = t.tensor([3, 0, 9, 1, 5])

        def compute_loss(params, buffers, sample, target):
            predictions = t.func.functional_call(model, (params, buffers), (sample.unsqueeze(0),))
            return t.nn.functional.nll_loss(predictions, target.unsqueeze(0))

        ft_compute_grad = t.func.grad(compute_loss)
        return t.func.vmap(ft_compute_grad, in_dims=(None, None, 0, 0))(params, buffers, data, targets)

    ours, theirs = run(td), run(torch)
    assert list(ours) == list(theirs)
    for name in theirs:
        np.testing.assert_allclose(ours[name].numpy(), theirs[name].numpy(), rtol=2e-4, atol=2e-5, err_msg=name)
