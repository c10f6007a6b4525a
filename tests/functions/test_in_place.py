"""In-place operations that forget the old value, take a new shape or draw numbers, beside PyTorch."""

import pytest

import tapediff as td

torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")

CASES = {
    "zero_": lambda t, c: c.zero_(),
    "fill_": lambda t, c: c.fill_(3),
    "fill_ with a tensor": lambda t, c: c.fill_(c.detach().sum()),
    "fill_ with a gradient": lambda t, c: c.fill_((c * 2).sum()),
    "copy_": lambda t, c: c.copy_(t.ones(4)),
    "copy_ of one number": lambda t, c: c.copy_(t.tensor(2.0)),
    "copy_ of integers": lambda t, c: c.copy_(t.arange(4)),
    "copy_ with a gradient": lambda t, c: c.copy_(c.flip(0) * 3),
    "everything assigned": lambda t, c: c.__setitem__(slice(None), 3) or c,
    "everything assigned a tensor": lambda t, c: c.__setitem__(Ellipsis, t.ones(4)) or c,
    "a part zeroed": lambda t, c: (c[1:3].zero_(), c)[1],
    "a view of it all": lambda t, c: (c.view(2, 2).fill_(1), c)[1],
    "unsqueeze_": lambda t, c: c.unsqueeze_(0),
    "unsqueeze_ and write": lambda t, c: c.unsqueeze_(1).mul_(c.detach() + 1),
    "unsqueeze_, squeeze_": lambda t, c: c.unsqueeze_(1).squeeze_(),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_as_pytorch(name):
    found = []
    for t in (torch, td):
        w = t.tensor([1.0, -2.0, 3.0, 0.5], requires_grad=True)
        y = CASES[name](t, w * 2)
        assert y.requires_grad
        (y * t.arange(float(y.numel())).reshape(y.shape)).sum().backward()
        found.append((y.tolist(), w.grad.tolist(), y._version > 0))
    assert found[0][:2] == found[1][:2]


@pytest.mark.parametrize("name", ["zero_", "fill_", "fill_ with a tensor", "copy_", "everything assigned"])
def test_nodes_have_pytorchs_names(name):
    names = [CASES[name](t, t.ones(4, requires_grad=True) * 2).grad_fn.name() for t in (torch, td)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    "name", ["uniform_", "normal_", "bernoulli_", "random_", "exponential_", "log_normal_", "cauchy_", "geometric_"]
)
def test_distributions_overwrite(name):
    arguments = (0.5,) if name == "geometric_" else ()
    names = []
    for t in (torch, td):
        w = t.ones(4, requires_grad=True)
        y = w * 2
        assert getattr(y, name)(*arguments) is y
        names.append(y.grad_fn.name())
        y.sum().backward()
        assert w.grad.tolist() == [0.0] * 4
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
            getattr(w, name)(*arguments)
    assert names[0] == names[1]


def test_a_tensor_that_took_a_new_shape_still_shares_memory():
    for t in (torch, td):
        a = t.arange(4.0)
        part = a[1:]
        a.unsqueeze_(1)
        a[1] = 9
        part[1] = 7
        assert a.tolist() == [[0.0], [9.0], [7.0], [3.0]]
        assert a.shape == (4, 1)
        assert part.tolist() == [9.0, 7.0, 3.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.T,
        lambda x: x.T[1:],
        lambda x: x[:, 1:],
        lambda x: x[::2].T,
        lambda x: x[1],
        lambda x: x.unsqueeze(1).transpose(0, 2),
        lambda x: x.expand(2, 3, 4),
        lambda x: x.permute(1, 0)[2:, 1:],
        lambda x: x.view(2, 6)[:, 1::2].T,
        lambda x: x.diagonal(),
        lambda x: x.reshape(12)[3:],
        lambda x: x.unfold(1, 2, 1),
    ],
)
@pytest.mark.parametrize("is_recorded", [True, False])
def test_views_have_pytorchs_strides(call, is_recorded):
    found = []
    for t in (torch, td):
        x = t.arange(12.0).reshape(3, 4)
        x = call(x.requires_grad_() * 1 if is_recorded else x)
        found.append((x.stride(), x.storage_offset(), x.is_contiguous(), x._is_view()))
    assert found[0] == found[1]


def test_a_recorded_transposed_tensor_cannot_be_viewed_flat():
    x = td.ones(2, 3, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        x.T.view(6)
    assert x.T.reshape(6).grad_fn.name() == "UnsafeViewBackward0"
