"""Whole matrices of derivatives: a dense Jacobian of 200 by 200, and the Hessian of Rosenbrock's function."""

from typing import Any

import numpy as np

from benchmarks.peers import casadi_calls
from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case


def coupled_system(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The coupling W, (size, size), and the point, (size,), of `reaction`."""
    draw = np.random.default_rng(0)
    return draw.standard_normal((size, size)) / np.sqrt(size), 0.5 * draw.standard_normal(size)


def reaction(library: Any, coupling: Any, x: Any) -> Any:
    """A reaction-diffusion on a ring with a dense coupling: `f(x) = roll(x, 1) - 2x + roll(x, -1) + x - x^3 + tanh(W x)`."""
    return library.roll(x, 1) - 2 * x + library.roll(x, -1) + x - x * x * x + library.tanh(coupling @ x)


def one_matrix(result: Any) -> list[Any]:
    return [result]


def tapediff_program_jacobian(inputs: Any) -> Case:
    import tapediff as td

    coupling, x = inputs
    weights = td.tensor(coupling)
    program = td.record(lambda v: reaction(td, weights, v), x)
    return Case(lambda: program.jacobian(x), one_matrix)


def transformed(library: Any, transform: str, function: Any, x: np.ndarray) -> Case:
    """A function transformation of PyTorch's `func`, called on a tensor."""
    tensor = library.tensor(x)
    whole = getattr(library.func, transform)(function)
    return Case(lambda: whole(tensor).numpy(), one_matrix)


def jacobian_in_pytorch(library: Any, transform: str, inputs: Any) -> Case:
    coupling, x = inputs
    weights = library.tensor(coupling)
    return transformed(library, transform, lambda v: reaction(library, weights, v), x)


def tapediff_jacrev(inputs: Any) -> Case:
    import tapediff as td

    return jacobian_in_pytorch(td, "jacrev", inputs)


def tapediff_jacfwd(inputs: Any) -> Case:
    import tapediff as td

    return jacobian_in_pytorch(td, "jacfwd", inputs)


def torch_jacrev(inputs: Any) -> Case:
    import torch

    return jacobian_in_pytorch(torch, "jacrev", inputs)


def torch_jacfwd(inputs: Any) -> Case:
    import torch

    return jacobian_in_pytorch(torch, "jacfwd", inputs)


def jax_transformed(transform: str, function: Any, x: np.ndarray) -> Case:
    import jax
    import jax.numpy as jnp

    whole, array = jax.jit(getattr(jax, transform)(function)), jnp.asarray(x)
    return Case(lambda: jax.block_until_ready(whole(array)), one_matrix)


def jax_jacobian(transform: str, inputs: Any) -> Case:
    import jax.numpy as jnp

    coupling, x = inputs
    weights = jnp.asarray(coupling)
    return jax_transformed(transform, lambda v: reaction(jnp, weights, v), x)


def jax_jacrev(inputs: Any) -> Case:
    return jax_jacobian("jacrev", inputs)


def jax_jacfwd(inputs: Any) -> Case:
    return jax_jacobian("jacfwd", inputs)


def autograd_jacobian(inputs: Any) -> Case:
    import autograd
    import autograd.numpy as anp

    coupling, x = inputs
    whole = autograd.jacobian(lambda v: reaction(anp, coupling, v))
    return Case(lambda: whole(x), one_matrix)


def casadi_matrix(function: Any, x: np.ndarray) -> Case:
    """One dense matrix out of a CasADi function; CasADi stores columns first."""
    call, (matrix,) = casadi_calls.bind(function, x.copy())
    shape = function.size2_out(0), function.size1_out(0)

    def step() -> Any:
        call()
        return matrix.reshape(shape).T

    return Case(step, one_matrix)


def casadi_jacobian(inputs: Any) -> Case:
    import casadi

    coupling, x = inputs
    v = casadi.MX.sym("v", len(x))
    before, after = casadi.vertcat(v[-1], v[:-1]), casadi.vertcat(v[1:], v[0])
    y = before - 2 * v + after + v - v**3 + casadi.tanh(casadi.mtimes(casadi.DM(coupling), v))
    return casadi_matrix(casadi.Function("jacobian", [v], [casadi.densify(casadi.jacobian(y, v))]), x)


def ddx_jacobian(inputs: Any) -> Case:
    import ddx

    coupling, x = inputs
    size = len(x)

    @ddx.equation
    def system() -> Any:
        v = ddx.vec("x", size)
        mixed = ddx.tanh(ddx.mat_constant(size, size, coupling.T.ravel()) @ v)
        return tuple(v[(i - 1) % size] - 2 * v[i] + v[(i + 1) % size] + v[i] - v[i] * v[i] * v[i] + mixed[i] for i in range(size))

    return Case(lambda: system.jacobian(x)[1], one_matrix)


def jacobian_by_hand(inputs: Any) -> Case:
    """The yardstick: the Jacobian derived by hand, in NumPy."""
    coupling, x = inputs
    size = len(x)
    rows = np.arange(size)

    def step() -> Any:
        slope = np.tanh(coupling @ x)
        matrix = (1 - slope * slope)[:, None] * coupling
        matrix[rows, rows] += -1 - 3 * x * x
        matrix[rows, rows - 1] += 1
        matrix[rows, (rows + 1) % size] += 1
        return matrix

    return Case(step, one_matrix)


def rosenbrock_point(size: int) -> np.ndarray:
    return 1.0 + 0.3 * np.random.default_rng(0).standard_normal(size)


def rosenbrock(x: Any) -> Any:
    """`sum(100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2)`; Rosenbrock (1960)."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def tapediff_program_hessian(x: np.ndarray) -> Case:
    import tapediff as td

    program = td.record(rosenbrock, x)
    return Case(lambda: program.hessian(x), one_matrix)


def tapediff_hessian(x: np.ndarray) -> Case:
    import tapediff as td

    return transformed(td, "hessian", rosenbrock, x)


def tapediff_functional_hessian(x: np.ndarray) -> Case:
    import tapediff as td

    tensor = td.tensor(x)
    return Case(lambda: td.autograd.functional.hessian(rosenbrock, tensor).numpy(), one_matrix)


def torch_hessian(x: np.ndarray) -> Case:
    import torch

    return transformed(torch, "hessian", rosenbrock, x)


def torch_functional_hessian(x: np.ndarray) -> Case:
    import torch

    tensor = torch.tensor(x)
    return Case(lambda: torch.autograd.functional.hessian(rosenbrock, tensor).numpy(), one_matrix)


def jax_hessian(x: np.ndarray) -> Case:
    return jax_transformed("hessian", rosenbrock, x)


def autograd_hessian(x: np.ndarray) -> Case:
    import autograd
    import autograd.numpy as anp

    whole = autograd.hessian(lambda v: anp.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2))
    return Case(lambda: whole(x), one_matrix)


def scalar_rosenbrock(x: Any) -> Any:
    return sum(100 * (x[i + 1] - x[i] * x[i]) * (x[i + 1] - x[i] * x[i]) + (1 - x[i]) * (1 - x[i]) for i in range(len(x) - 1))


def casadi_hessian(x: np.ndarray) -> Case:
    import casadi

    v = casadi.SX.sym("v", len(x))
    matrix, _ = casadi.hessian(scalar_rosenbrock(casadi.vertsplit(v)), v)
    return casadi_matrix(casadi.Function("hessian", [v], [casadi.densify(matrix)]), x)


def ddx_hessian(x: np.ndarray) -> Any:
    import ddx

    return ddx.equation(lambda: scalar_rosenbrock([ddx.var(f"x{i}") for i in range(len(x))]))


def ddx_buffered(equation: Any, x: np.ndarray) -> Case:
    import ddx

    call = equation.buffer(x, want=ddx.Want.HESSIAN)

    def step() -> Any:
        call()
        return call.hessian

    return Case(step, one_matrix)


def ddx_interpreted_hessian(x: np.ndarray) -> Case:
    return ddx_buffered(ddx_hessian(x), x)


def ddx_compiled_hessian(x: np.ndarray) -> Case:
    import ddx

    equation = ddx_hessian(x).compile(cache_dir="")
    equation.wait_for_kernel(want=ddx.Want.HESSIAN)
    return ddx_buffered(equation, x)


WORKLOADS = (
    Workload(
        "jacobian",
        "dense Jacobian of a reaction-diffusion with dense coupling, float64",
        coupled_system,
        (
            Peer("tapediff", tapediff_program_jacobian, (reaction, tapediff_program_jacobian)),
            Peer("tapediff, jacrev", tapediff_jacrev, (reaction, jacobian_in_pytorch, transformed)),
            Peer("tapediff, jacfwd", tapediff_jacfwd, (reaction, jacobian_in_pytorch, transformed)),
            Peer("torch, jacrev", torch_jacrev, (reaction, jacobian_in_pytorch, transformed)),
            Peer("torch, jacfwd", torch_jacfwd, (reaction, jacobian_in_pytorch, transformed)),
            Peer("jax, jacrev", jax_jacrev, (reaction, jax_jacobian, jax_transformed)),
            Peer("jax, jacfwd", jax_jacfwd, (reaction, jax_jacobian, jax_transformed)),
            Peer("casadi, MX", casadi_jacobian, (casadi_jacobian, casadi_matrix)),
            Peer("ddx, interpreted", ddx_jacobian, (ddx_jacobian,)),
            Peer("autograd", autograd_jacobian, (reaction, autograd_jacobian)),
            Peer("numpy, by hand", jacobian_by_hand, (jacobian_by_hand,)),
        ),
        sizes=(50, 100, 200),
        size_name="n",
    ),
    Workload(
        "hessian",
        "Hessian of Rosenbrock's function, float64",
        rosenbrock_point,
        (
            Peer("tapediff", tapediff_program_hessian, (rosenbrock, tapediff_program_hessian)),
            Peer("tapediff, func.hessian", tapediff_hessian, (rosenbrock, transformed)),
            Peer("tapediff, functional", tapediff_functional_hessian, (rosenbrock, tapediff_functional_hessian)),
            Peer("torch, func.hessian", torch_hessian, (rosenbrock, transformed)),
            Peer("torch, functional", torch_functional_hessian, (rosenbrock, torch_functional_hessian)),
            Peer("jax", jax_hessian, (rosenbrock, jax_transformed)),
            Peer("casadi, SX machine", casadi_hessian, (scalar_rosenbrock, casadi_hessian, casadi_matrix)),
            Peer("ddx, interpreted", ddx_interpreted_hessian, (scalar_rosenbrock, ddx_hessian, ddx_buffered)),
            Peer("ddx, compiled", ddx_compiled_hessian, (scalar_rosenbrock, ddx_hessian, ddx_buffered, ddx_compiled_hessian)),
            Peer("autograd", autograd_hessian, (autograd_hessian,)),
        ),
        sizes=(10, 30, 100),
        size_name="n",
    ),
)
