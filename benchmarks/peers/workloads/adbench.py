"""Two objectives of ADBench: fitting a mixture of Gaussians, and bundle adjustment.

Srajer, Kukelova and Fitzgibbon, "A benchmark of selected algorithmic differentiation tools on some problems in computer vision
and machine learning" (2018), sections 4.1 and 4.2; written from the definitions there. The prior has the sign of a log density,
and the error of the weights, whose derivative is -2w, is left out.
"""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.peers.workload import Peer, Workload
from benchmarks.workloads import Case

DIMENSION, COMPONENTS = 10, 25
WISHART_GAMMA, WISHART_M = 1.0, 0


def mixture(points: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Parameters (log weights, means, factors), points, and where the entries of a factor stand in its lower triangle.

    A factor of d + d(d-1)/2 numbers is the log of the diagonal of L, then what is below it, column by column; L' L is the inverse
    covariance. Entry (i, j) of L is at `places[i, j]` of those below the diagonal, followed by one zero.
    """
    draw = np.random.default_rng(0)
    below = DIMENSION * (DIMENSION - 1) // 2
    parameters = [
        draw.standard_normal(COMPONENTS),
        draw.uniform(0, 1, (COMPONENTS, DIMENSION)),
        0.3 * draw.standard_normal((COMPONENTS, DIMENSION + below)),
    ]
    places = np.full((DIMENSION, DIMENSION), below)
    columns, rows = np.triu_indices(DIMENSION, 1)
    places[rows, columns] = np.arange(below)
    return parameters, draw.standard_normal((points, DIMENSION)), places


def log_posterior(ops: Any, weights: Any, means: Any, factors: Any, x: Any, places: Any, zeros: Any) -> Any:
    """The log posterior up to its constants; `ops` has exp, logsumexp and concatenate; x is (n, d), zeros is (components, 1)."""
    diagonal = ops.exp(factors[:, :DIMENSION])
    below = ops.concatenate((factors[:, DIMENSION:], zeros), 1)[:, places]
    centred = x.T - means[:, :, None]
    projected = below @ centred + diagonal[:, :, None] * centred
    log_diagonal = factors[:, :DIMENSION].sum(1)
    inner = (weights + log_diagonal)[:, None] - 0.5 * (projected * projected).sum(1)
    likelihood = ops.logsumexp(inner, 0).sum() - len(x) * ops.logsumexp(weights, 0)
    squares = (diagonal * diagonal).sum() + (factors[:, DIMENSION:] * factors[:, DIMENSION:]).sum()
    return likelihood + WISHART_M * log_diagonal.sum() - 0.5 * WISHART_GAMMA**2 * squares


def value_then_gradients(result: Any) -> list[Any]:
    value, gradients = result
    return [value, *gradients]


def pytorch_names(library: Any) -> SimpleNamespace:
    return SimpleNamespace(exp=library.exp, logsumexp=library.logsumexp, concatenate=library.cat)


def tapediff_mixture(inputs: Any) -> Case:
    import tapediff as td

    parameters, x, places = inputs
    constants = td.tensor(x), td.tensor(places), td.zeros(COMPONENTS, 1, dtype=td.float64)
    program = td.record(lambda *p: log_posterior(pytorch_names(td), *p, *constants), *parameters)
    return Case(lambda: program.value_and_grad(*parameters, argnums=(0, 1, 2)), value_then_gradients)


def eager_mixture(library: Any, inputs: Any) -> Case:
    parameters, x, places = inputs
    constants = library.tensor(x), library.tensor(places), library.zeros(COMPONENTS, 1, dtype=library.float64)
    leaves = [library.tensor(array, requires_grad=True) for array in parameters]

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        value = log_posterior(pytorch_names(library), *leaves, *constants)
        value.backward()
        return value.item(), [leaf.grad.numpy() for leaf in leaves]

    return Case(step, value_then_gradients)


def tapediff_eager_mixture(inputs: Any) -> Case:
    import tapediff as td

    return eager_mixture(td, inputs)


def torch_eager_mixture(inputs: Any) -> Case:
    import torch

    return eager_mixture(torch, inputs)


def jax_mixture(inputs: Any) -> Case:
    import jax
    import jax.numpy as jnp

    parameters, x, places = inputs
    ops = SimpleNamespace(exp=jnp.exp, logsumexp=jax.nn.logsumexp, concatenate=jnp.concatenate)
    constants = jnp.asarray(x), jnp.asarray(places), jnp.zeros((COMPONENTS, 1))
    arrays = [jnp.asarray(array) for array in parameters]
    value_and_grad = jax.jit(jax.value_and_grad(lambda *p: log_posterior(ops, *p, *constants), argnums=(0, 1, 2)))
    return Case(lambda: jax.block_until_ready(value_and_grad(*arrays)), value_then_gradients)


def autograd_mixture(inputs: Any) -> Case:
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    parameters, x, places = inputs
    ops = SimpleNamespace(exp=anp.exp, logsumexp=logsumexp, concatenate=anp.concatenate)
    zeros = np.zeros((COMPONENTS, 1))
    value_and_grad = autograd.value_and_grad(lambda p: log_posterior(ops, *p, x, places, zeros))
    return Case(lambda: value_and_grad(parameters), value_then_gradients)


CAMERAS, POINTS = 49, 7_776


def observations(count: int) -> list[np.ndarray]:
    """For each observation the camera (11), the point (3), the weight and the feature (2), drawn at random.

    A camera is rotation (an axis times an angle), centre, focal length, principal point and two radial distortions.
    """
    draw = np.random.default_rng(0)
    cameras = np.concatenate(
        [
            0.2 * draw.standard_normal((CAMERAS, 3)),
            draw.uniform(-1, 1, (CAMERAS, 3)),
            draw.uniform(300, 500, (CAMERAS, 1)),
            draw.uniform(-10, 10, (CAMERAS, 2)),
            0.01 * draw.standard_normal((CAMERAS, 2)),
        ],
        axis=1,
    )
    points = draw.uniform(-2, 2, (POINTS, 3)) + np.array([0.0, 0.0, 8.0])
    camera, point = draw.integers(0, CAMERAS, count), draw.integers(0, POINTS, count)
    return [cameras[camera], points[point], draw.uniform(0.5, 1.5, count), 100 * draw.standard_normal((count, 2))]


def reprojection(ops: Any, camera: Any, point: Any, weight: Any, feature: Any) -> tuple[Any, Any]:
    """The two weighted residuals of one observation, from numbers; `ops` has sqrt, sin and cos."""
    r1, r2, r3, c1, c2, c3, focal, u0, v0, k1, k2 = camera
    x, y, z = point[0] - c1, point[1] - c2, point[2] - c3
    angle = ops.sqrt(r1 * r1 + r2 * r2 + r3 * r3)
    a1, a2, a3 = r1 / angle, r2 / angle, r3 / angle
    cosine, sine = ops.cos(angle), ops.sin(angle)
    along = (a1 * x + a2 * y + a3 * z) * (1.0 - cosine)
    turned_x = x * cosine + (a2 * z - a3 * y) * sine + a1 * along
    turned_y = y * cosine + (a3 * x - a1 * z) * sine + a2 * along
    turned_z = z * cosine + (a1 * y - a2 * x) * sine + a3 * along
    u, v = turned_x / turned_z, turned_y / turned_z
    radius = u * u + v * v
    stretch = focal * (1.0 + k1 * radius + k2 * radius * radius)
    return weight * (stretch * u + u0 - feature[0]), weight * (stretch * v + v0 - feature[1])


def residuals_then_jacobian(result: Any) -> list[Any]:
    """Residuals (n, 2) and the Jacobian (n, 2, 15) by camera, point and weight."""
    residuals, jacobian = result
    return [residuals, jacobian]


def joined(by_camera: Any, by_point: Any, by_weight: Any) -> np.ndarray:
    return np.concatenate([np.asarray(by_camera), np.asarray(by_point), np.asarray(by_weight)[..., None]], axis=-1)


def tapediff_bundle(inputs: Any, executor: str) -> Case:
    import tapediff as td

    programs = [td.record(lambda *row, k=k: reprojection(td, *row)[k], *(array[0] for array in inputs)) for k in range(2)]
    rows = [program.batch(executor=executor) for program in programs]

    def step() -> Any:
        return [residual.value_and_grad(*inputs, argnums=(0, 1, 2)) for residual in rows]

    def numbers(result: Any) -> list[Any]:
        (first, of_first), (second, of_second) = result
        return [np.stack([first, second], axis=1), np.stack([joined(*of_first), joined(*of_second)], axis=1)]

    return Case(step, numbers)


def bundle_in_pytorch_functions(library: Any, inputs: Any) -> Case:
    tensors = [library.tensor(array) for array in inputs]

    def residuals(*row: Any) -> tuple[Any, Any]:
        values = library.stack(reprojection(library, *row))
        return values, values

    rows = library.func.vmap(library.func.jacrev(residuals, argnums=(0, 1, 2), has_aux=True))

    def step() -> Any:
        gradients, values = rows(*tensors)
        return values, gradients

    return Case(step, lambda result: [result[0], joined(*result[1])])


def tapediff_vmap_bundle(inputs: Any) -> Case:
    import tapediff as td

    return bundle_in_pytorch_functions(td, inputs)


def torch_bundle(inputs: Any) -> Case:
    import torch

    return bundle_in_pytorch_functions(torch, inputs)


def jax_bundle(inputs: Any) -> Case:
    import jax
    import jax.numpy as jnp

    arrays = [jnp.asarray(array) for array in inputs]

    def residuals(*row: Any) -> tuple[Any, Any]:
        values = jnp.stack(reprojection(jnp, *row))
        return values, values

    rows = jax.jit(jax.vmap(jax.jacrev(residuals, argnums=(0, 1, 2), has_aux=True)))

    def step() -> Any:
        gradients, values = jax.block_until_ready(rows(*arrays))
        return values, gradients

    return Case(step, lambda result: [result[0], joined(*result[1])])


def casadi_bundle(inputs: Any) -> Case:
    """CasADi's `map` over an SX function; columns are observations."""
    import casadi

    from benchmarks.peers import casadi_calls

    symbols = [casadi.SX.sym(name, length) for name, length in (("camera", 11), ("point", 3), ("weight", 1), ("feature", 2))]
    camera, point, weight, feature = symbols
    parts = (casadi.vertsplit(camera), casadi.vertsplit(point), weight, casadi.vertsplit(feature))
    residuals = casadi.vertcat(*reprojection(casadi, *parts))
    jacobian = casadi.jacobian(residuals, casadi.vertcat(camera, point, weight))
    rows = casadi.Function("bundle", symbols, [residuals, casadi.densify(jacobian)]).map(len(inputs[0]))
    call, (values, matrices) = casadi_calls.bind(rows, *(np.ascontiguousarray(array) for array in inputs))

    def step() -> Any:
        call()
        return values, matrices

    return Case(step, lambda result: [result[0].reshape(-1, 2), result[1].reshape(-1, 15, 2).swapaxes(1, 2)])


def ddx_bundle_equation() -> Any:
    import ddx

    def residuals() -> Any:
        camera, point = [ddx.var(f"c{k}") for k in range(11)], [ddx.var(f"x{k}") for k in range(3)]
        weight, feature = ddx.var("w"), [ddx.param("f0"), ddx.param("f1")]
        return reprojection(ddx, camera, point, weight, feature)

    return ddx.equation(residuals)


def ddx_bundle(equation: Any, inputs: Any) -> Case:
    camera, point, weight, feature = inputs
    call = equation.buffer(np.concatenate([camera.T, point.T, weight[None], feature.T]))

    def step() -> Any:
        call()
        return call.value, call.jacobian

    return Case(step, lambda result: [result[0].T, np.moveaxis(result[1], 2, 0)])


def ddx_interpreted_bundle(inputs: Any) -> Case:
    return ddx_bundle(ddx_bundle_equation(), inputs)


def ddx_compiled_bundle(inputs: Any) -> Case:
    return ddx_bundle(ddx_bundle_equation().compile(points=len(inputs[0]), cache_dir=""), inputs)


def reprojection_in_numpy(camera: np.ndarray, point: np.ndarray, weight: float, feature: np.ndarray) -> np.ndarray:
    """The residuals of one observation, for finite differences."""
    return np.array(reprojection(math, camera, point, weight, feature))


WORKLOADS = (
    Workload(
        "gmm",
        f"ADBench, mixture of Gaussians, d = {DIMENSION}, {COMPONENTS} components",
        mixture,
        (
            Peer("tapediff", tapediff_mixture, (log_posterior, pytorch_names, tapediff_mixture)),
            Peer("tapediff, eager", tapediff_eager_mixture, (log_posterior, pytorch_names, eager_mixture)),
            Peer("torch, eager", torch_eager_mixture, (log_posterior, pytorch_names, eager_mixture)),
            Peer("jax", jax_mixture, (log_posterior, jax_mixture)),
            Peer("autograd", autograd_mixture, (log_posterior, autograd_mixture)),
        ),
        sizes=(100, 1_000, 10_000),
        size_name="points",
        uses_threads=True,
    ),
    Workload(
        "bundle",
        "ADBench, bundle adjustment: 2 x 15 Jacobian of every observation",
        observations,
        (
            Peer("tapediff", lambda inputs: tapediff_bundle(inputs, "compiled"), (reprojection, tapediff_bundle)),
            Peer("tapediff, interpreter", lambda inputs: tapediff_bundle(inputs, "interpreter"), (reprojection, tapediff_bundle)),
            Peer("tapediff, vmap(jacrev)", tapediff_vmap_bundle, (reprojection, bundle_in_pytorch_functions)),
            Peer("torch, vmap(jacrev)", torch_bundle, (reprojection, bundle_in_pytorch_functions)),
            Peer("jax, vmap(jacrev)", jax_bundle, (reprojection, jax_bundle)),
            Peer("casadi, SX map", casadi_bundle, (reprojection, casadi_bundle)),
            Peer("ddx, interpreted", ddx_interpreted_bundle, (reprojection, ddx_bundle_equation, ddx_bundle)),
            Peer("ddx, compiled", ddx_compiled_bundle, (reprojection, ddx_bundle_equation, ddx_bundle)),
        ),
        sizes=(1_000, 10_000, 31_843),
        size_name="observations",
        uses_threads=True,
    ),
)
