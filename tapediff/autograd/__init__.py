"""PyTorch's autograd API: backward, grad, Function, gradcheck, grad modes."""

from tapediff.autograd.engine import backward, grad
from tapediff.autograd.function import Function
from tapediff.autograd.gradcheck import gradcheck, gradgradcheck
from tapediff.grad_modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from tapediff.tensor import Tensor as Variable

__all__ = ["Function", "Variable", "backward", "enable_grad", "grad", "gradcheck", "gradgradcheck", "inference_mode", "no_grad", "set_grad_enabled"]
