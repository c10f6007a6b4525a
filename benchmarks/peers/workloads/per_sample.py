"""A gradient for every sample: the parameters' gradients of a small classifier, one set for each of 1,797 rows."""

from typing import Any

import numpy as np

from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case

SIZES = (64, 32, 10)


def samples(rows: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Parameters (w1, b1, w2, b2), inputs (rows, 64) and labels (rows,); float32 and int64."""
    draw = np.random.default_rng(0)
    n_in, hidden, n_out = SIZES
    shapes = ((hidden, n_in), (hidden,), (n_out, hidden), (n_out,))
    parameters = [(0.2 * draw.standard_normal(shape)).astype(np.float32) for shape in shapes]
    return parameters, draw.standard_normal((rows, n_in)).astype(np.float32), draw.integers(0, n_out, rows)


def loss(library: Any, w1: Any, b1: Any, w2: Any, b2: Any, x: Any, label: Any) -> Any:
    """Cross-entropy of one sample, in PyTorch's functions."""
    hidden = library.tanh(w1 @ x + b1)
    return library.nn.functional.cross_entropy(w2 @ hidden + b2, label)


def in_pytorch_functions(library: Any, inputs: Any) -> Case:
    parameters, x, labels = inputs
    one = library.func.grad(lambda *args: loss(library, *args), argnums=(0, 1, 2, 3))
    rows = library.func.vmap(one, in_dims=(None, None, None, None, 0, 0))
    tensors = [library.tensor(array) for array in (*parameters, x, labels)]
    return Case(lambda: [gradient.numpy() for gradient in rows(*tensors)], list)


def tapediff_vmap(inputs: Any) -> Case:
    import tapediff as td

    return in_pytorch_functions(td, inputs)


def torch_vmap(inputs: Any) -> Case:
    import torch

    return in_pytorch_functions(torch, inputs)


def torch_vmap_compiled(inputs: Any) -> Case:
    """torch.func under torch.compile, which prints and compiles C++."""
    import torch

    parameters, x, labels = inputs
    one = torch.func.grad(lambda *args: loss(torch, *args), argnums=(0, 1, 2, 3))
    rows = torch.compile(torch.func.vmap(one, in_dims=(None, None, None, None, 0, 0)))
    tensors = [torch.tensor(array) for array in (*parameters, x, labels)]
    return Case(lambda: [gradient.numpy() for gradient in rows(*tensors)], list)


def tapediff_program(inputs: Any) -> Case:
    import tapediff as td

    parameters, x, labels = inputs
    program = td.record(lambda *args: loss(td, *args), *parameters, x[0], labels[0])
    rows = program.batch(in_dims=(None, None, None, None, 0, 0))
    return Case(lambda: rows.grad(*parameters, x, labels, argnums=(0, 1, 2, 3)), list)


def jax_vmap(inputs: Any) -> Case:
    import jax
    import jax.numpy as jnp

    def one_loss(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, label: Any) -> Any:
        logits = w2 @ jnp.tanh(w1 @ x + b1) + b2
        return jax.nn.logsumexp(logits) - logits[label]

    parameters, x, labels = inputs
    rows = jax.jit(jax.vmap(jax.grad(one_loss, argnums=(0, 1, 2, 3)), in_axes=(None, None, None, None, 0, 0)))
    arrays = [jnp.asarray(array) for array in (*parameters, x, labels)]
    return Case(lambda: jax.block_until_ready(rows(*arrays)), list)


def numpy_by_hand(inputs: Any) -> Case:
    """The yardstick: the gradient derived by hand, whole arrays at a time."""
    (w1, b1, w2, b2), x, labels = inputs

    def step() -> Any:
        hidden = np.tanh(x @ w1.T + b1)
        logits = hidden @ w2.T + b2
        logits -= logits.max(1, keepdims=True)
        logits_bar = np.exp(logits)
        logits_bar /= logits_bar.sum(1, keepdims=True)
        logits_bar[np.arange(len(x)), labels] -= 1
        hidden_bar = (logits_bar @ w2) * (1 - hidden * hidden)
        return hidden_bar[:, :, None] * x[:, None, :], hidden_bar, logits_bar[:, :, None] * hidden[:, None, :], logits_bar

    return Case(step, list)


WORKLOADS = (
    Workload(
        "per-sample",
        "per-sample gradients of an MLP 64-32-10, float32",
        samples,
        (
            Peer("tapediff", tapediff_program, (loss, tapediff_program)),
            Peer("tapediff, vmap(grad)", tapediff_vmap, (loss, in_pytorch_functions)),
            Peer("torch, vmap(grad)", torch_vmap, (loss, in_pytorch_functions)),
            Peer("torch, vmap(grad), compile", torch_vmap_compiled, (loss, torch_vmap_compiled)),
            Peer("jax, vmap(grad)", jax_vmap, (jax_vmap,)),
            Peer("numpy, by hand", numpy_by_hand, (numpy_by_hand,)),
        ),
        sizes=(100, 500, 1_797),
        size_name="rows",
        uses_threads=True,
        tolerance=1e-4,
    ),
)
