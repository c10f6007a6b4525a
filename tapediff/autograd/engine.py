"""backward and grad."""
from __future__ import annotations
from typing import Any
import numpy as np
from tapediff import execute
from tapediff.tape.source import SOURCE, Source
from tapediff.tensor import Tensor, of_source


def deliver(source: Source, adjoint: np.ndarray[Any, Any]) -> None:
    grad = source.grad
    if grad is None:
        source.grad = adjoint
    else:
        grad += adjoint


def backward(tensor: Tensor, gradient: Any, retain_graph: Any, create_graph: bool, inputs: Any) -> None:
    if tensor.segment is SOURCE:
        origin, slot = tensor.source.origin, tensor.source.slot
    else:
        origin, slot = tensor.segment, tensor.slot // 3 - 1
    execute.backward_pass([(origin, slot, 1.0)], bool(retain_graph), deliver)
