"""Composable transforms of functions, under the names and with the signatures of torch.func."""

from tapediff.func.jacobians import hessian, jacfwd, jacrev, linearize
from tapediff.func.modules import stack_module_state
from tapediff.func.transforms import grad, grad_and_value, jvp, vjp
from tapediff.func.vectorized import vmap
from tapediff.nn.functional_call import functional_call

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "stack_module_state",
           "vjp", "vmap"]
