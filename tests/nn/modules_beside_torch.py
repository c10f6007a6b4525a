"""The same code over modules, run with PyTorch and with tapediff: what it returns beside each other."""

import math

import numpy as np
import pytest

import tapediff as td

LIBRARIES = {"tapediff": td}


def filled(library, module):
    """The module with its parameters and floating buffers set to numbers that both libraries agree on."""
    with library.no_grad():
        for position, (name, value) in enumerate([*module.named_parameters(), *module.named_buffers()]):
            if value.is_floating_point():
                ramp = np.sin(np.arange(value.numel(), dtype=np.float64) * 0.7 + position).reshape(tuple(value.shape))
                value.copy_(library.tensor(np.abs(ramp) + 0.5 if name.endswith("running_var") else ramp))
    return module


def numbers(library, *shape, seed=0, requires_grad=False):
    """A float32 tensor of distinct numbers between -1 and 1."""
    count = math.prod(shape)
    values = np.random.default_rng(seed).permutation(count) / max(count, 1) * 2 - 0.93
    return library.tensor(values.reshape(shape).astype(np.float32), requires_grad=requires_grad)


def plain(value):
    """Tensors as arrays, in whatever holds them."""
    if hasattr(value, "detach"):
        return value.detach().numpy()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


def same(wanted, given, tolerance, where="result"):
    assert type(wanted) is type(given) or np.isscalar(wanted), f"{where}: wanted {wanted!r}, got {given!r}"
    if isinstance(wanted, dict):
        assert list(wanted) == list(given), where
        for key in wanted:
            same(wanted[key], given[key], tolerance, f"{where}[{key!r}]")
    elif isinstance(wanted, list):
        assert len(wanted) == len(given), where
        for position, (a, b) in enumerate(zip(wanted, given)):
            same(a, b, tolerance, f"{where}[{position}]")
    elif isinstance(wanted, np.ndarray):
        assert wanted.dtype == given.dtype, f"{where}: wanted {wanted.dtype}, got {given.dtype}"
        np.testing.assert_allclose(given, wanted, rtol=tolerance, atol=tolerance, err_msg=where)
    elif isinstance(wanted, float):
        assert given == pytest.approx(wanted, rel=tolerance, abs=tolerance, nan_ok=True), where
    else:
        assert given == wanted, where


def check_same(call, tolerance=2e-6):
    """`call(library)` returns the same texts, numbers and tensors with both libraries."""
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    same(plain(call(torch)), plain(call(td)), tolerance)


def message(library, call):
    """Type and text of the error that a call raises."""
    try:
        call(library)
    except Exception as error:
        return type(error).__name__, str(error).replace("tapediff.", "torch.")
    return "no error", ""
