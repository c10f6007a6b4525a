"""A folder with inputs and functions for jobs, and a place for the user's key that is not the user's."""

import numpy as np
import pytest

MODEL = '''
import tapediff as td

def quadratic(x, w):
    return (w * x * x).sum()

def scaled(x, scale=3.0):
    return (scale * x).sum()

def labelled(x, label):
    return x[label]

def vector(x):
    return x * 2

def number(x):
    return 1.0

def fails(x):
    if x[0] > 2:
        raise ArithmeticError("too\\nlarge")
    return x.sum()

def constant(x):
    return x.detach().sum()

def wrong(x):
    return (x.detach() * x).sum()

def interrupted(x):
    raise KeyboardInterrupt

def branches(x):
    y = (x * x).sum()
    if y > 1:
        y = y.sqrt()
    for k in range(3):
        if x[0] > k:
            y = y * 1.5 + x[1].sin()
    return y

not_a_function = 3
'''

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
W = np.array([0.5, 2.0])


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory, monkeypatch):
    """The key that signs jobs lies in a folder of the test."""
    monkeypatch.setenv("TAPEDIFF_STATE_DIR", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder, the current one, with model.py, x.npy, label.npy and weights.npz."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    np.save("x.npy", X)
    np.save("label.npy", np.array([0, 1, 1]))
    np.savez("weights.npz", w=W, short=np.zeros(1))
    return tmp_path
