"""Building the kernels that kinds lack, when a sweep is about to need them."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from tapediff.kernels.library import KernelSpec, get_library
from tapediff.tape import layout
from tapediff.tape.kinds import KINDS, Kind

__all__ = ["build_forward", "build_reverse"]


def build_forward() -> None:
    """Build the forward kernels of all kinds that have none yet."""
    with KINDS.lock:
        waiting = list(KINDS.unbuilt)
        if waiting:
            specs, kinds = [], []
            for kind in waiting:
                if kind.kind_class == layout.STRUCTURAL:
                    kernel = structural_kernel(kind)
                    KINDS.set_parameters(kind, kernel.parameters(kind))
                    KINDS.set_forward(kind, kernel.forward(kind))
                else:
                    specs.append(kernel_spec(kind, "forward"))
                    kinds.append(kind)
            for kind, address in zip(kinds, get_library().addresses(specs), strict=True):
                KINDS.set_forward(kind, address)
            del KINDS.unbuilt[:len(waiting)]  # only now: until then other threads must wait for the lock


def build_reverse(code: array[int]) -> None:
    """Build the reverse kernels that instructions of `code` lack."""
    with KINDS.lock:
        specs, kinds = [], []
        for number in KINDS.lacks_reverse(np.unique(np.frombuffer(code, np.int32)[::3])):
            kind = KINDS.kinds[number]
            if kind.kind_class in (layout.ELEMENTWISE, layout.ALIAS, layout.REDUCTION):
                spec = kernel_spec(kind, "reverse")
                specs += [spec, spec._replace(same=(0, 0)) if KINDS.has_same(kind) else spec]
                kinds.append(kind)
            else:
                address = structural_kernel(kind).reverse(kind)
                KINDS.set_reverse(kind, address, address)
        addresses = get_library().addresses(specs)
        for kind, plain, same in zip(kinds, addresses[::2], addresses[1::2], strict=True):
            KINDS.set_reverse(kind, plain, same if KINDS.has_same(kind) else 0)


def structural_kernel(kind: Kind) -> Any:
    """The compiled kernels of a structural kind; the module is loaded when the first one is needed."""
    from tapediff.kernels.structural import KERNELS
    return KERNELS[kind.row.kernel]


def kernel_spec(kind: Kind, which: str) -> KernelSpec:
    """What the kernel library needs to know of an element-wise kind, of an alias, or of a sum over all elements."""
    if kind.kind_class == layout.REDUCTION:  # the adjoint of b in a + b, where b is one element, is a sum
        dtype = kind.spec.dtype.name
        if which == "forward":
            return KernelSpec("add", "reverse", (dtype, dtype), dtype, scalars=2, wanted=2)
        return KernelSpec("add", "forward", (dtype, dtype), dtype, scalars=2, wanted=0)
    name = "positive" if kind.kind_class == layout.ALIAS else kind.row.name  # an alias passes its adjoint on unchanged
    return KernelSpec(name, which, tuple(spec.dtype.name for spec in kind.operands), kind.spec.dtype.name, kind.scalars,
                      kind.wanted if which == "reverse" else 0)
