"""Composable transforms of functions, under the names and with the signatures of torch.func."""

from tapediff.func.jacobians import hessian, jacfwd, jacrev, linearize
from tapediff.func.transforms import grad, grad_and_value, jvp, vjp
from tapediff.func.vectorized import vmap

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp", "vmap"]
