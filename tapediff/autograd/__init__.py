"""PyTorch's autograd API: backward, grad, Function, gradcheck, functional, grad modes, anomaly detection."""

from tapediff.autograd import function, functional, graph
from tapediff.autograd.anomaly import detect_anomaly, set_detect_anomaly
from tapediff.autograd.engine import backward, grad
from tapediff.autograd.function import Function
from tapediff.autograd.gradcheck import gradcheck, gradgradcheck
from tapediff.autograd.variable import Variable
from tapediff.grad_modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "Function", "Variable", "backward", "detect_anomaly", "enable_grad", "function", "functional", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]
