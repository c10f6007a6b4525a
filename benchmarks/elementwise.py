"""Every row of the table of element-wise ops: its forward, reverse and tangent kernels over 1024 elements."""

import ctypes
import random

import numpy as np

from tapediff.kernels.library import KernelSpec, get_library
from tapediff.kernels.loop import ARGUMENTS
from tapediff.ops import ELEMENTWISE

ELEMENTS = 1024
CALLS = 10  # in one timing: a call through ctypes costs about as much as the cheapest kernels


class ElementwiseRow:
    params = tuple(ELEMENTWISE)
    param_names = ("row",)

    def setup(self, name):
        row = ELEMENTWISE[name]
        operands = draw(row)
        result = "bool" if row.result == "bool" else "float32" if name == "cast" else promoted(operands)
        self.arrays = {"y": np.zeros(ELEMENTS, result), "y_bar": np.ones(ELEMENTS, result), **dict(zip("abc", operands))}
        self.arrays |= {f"{letter}_bar": np.zeros_like(operand) for letter, operand in zip("abc", operands)}
        self.arrays |= {f"{letter}_dot": np.ones_like(operand) for letter, operand in zip("abc", operands)}
        self.arrays["y_dot"] = np.zeros(ELEMENTS, result)
        dtypes = tuple(operand.dtype.name for operand in operands)
        self.forward = self.kernel(KernelSpec(name, "forward", dtypes, result))
        self.reverse = self.kernel(KernelSpec(name, "reverse", dtypes, result)) if row.is_differentiable else None
        self.tangent = self.kernel(KernelSpec(name, "tangent", dtypes, result)) if row.is_differentiable else None
        self.time_forward(name)

    def kernel(self, spec):
        """The kernel bound to the arrays: a function of nothing."""
        (address,) = get_library().addresses([spec])
        names = ARGUMENTS[spec.which]
        function = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * len(names))(address)
        addresses = [self.arrays[name].ctypes.data if name in self.arrays else 0 for name in names]
        return lambda: function(ELEMENTS, *addresses)

    def time_forward(self, name):
        for _ in range(CALLS):
            self.forward()

    def time_reverse(self, name):
        for _ in range(CALLS if self.reverse else 0):
            self.reverse()

    def time_tangent(self, name):
        for _ in range(CALLS if self.tangent else 0):
            self.tangent()


def draw(row):
    """Operands from the row's own domain, of the dtypes that it takes."""
    generator = random.Random(0)
    dtype = "float64" if "float" in row.kinds else "int64"
    operands = [np.array(domain.sample(ELEMENTS, generator)).astype(dtype) for domain in row.domain]
    if row.name == "where":
        operands[0] = operands[0] > 0.5
    if row.name == "polygamma":
        operands[0] = np.floor(operands[0])
    return operands


def promoted(operands):
    """The dtype of the result, where it is not the row's own: that of the last operand, which is never a condition."""
    return operands[-1].dtype.name
