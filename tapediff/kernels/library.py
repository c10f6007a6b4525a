"""The library of kernels: builds what is asked for through llvmlite and gives the addresses."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence

import llvmlite.binding as llvm

from tapediff.kernels.formula import Module
from tapediff.kernels.functions import VectorFunctions
from tapediff.kernels.loop import KernelSpec, print_kernel

__all__ = ["KernelLibrary", "KernelSpec", "get_library"]


class KernelLibrary:
    """Machine code of kernels, built when first asked for."""

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self._machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2, reloc="pic", codemodel="default"
        )
        self._has_fma = features.get("fma", True)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._machine)
        self._lock = threading.Lock()
        self._addresses: dict[KernelSpec, int] = {}

    def addresses(self, specs: Sequence[KernelSpec]) -> list[int]:
        """The address of each kernel; the missing ones are built together."""
        missing = [spec for spec in dict.fromkeys(specs) if spec not in self._addresses]
        if missing:
            with self._lock:
                self._build([spec for spec in missing if spec not in self._addresses])
        return [self._addresses[spec] for spec in specs]

    def _build(self, specs: Sequence[KernelSpec]) -> None:
        symbols = {spec: f"kernel_{len(self._addresses) + number}" for number, spec in enumerate(specs)}
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(self.compile(symbols)))
        self._engine.finalize_object()
        for spec, symbol in symbols.items():
            self._addresses[spec] = self._engine.get_function_address(symbol)

    def ir(self, symbols: dict[KernelSpec, str]) -> str:
        """The LLVM IR of kernels, not optimised."""
        module = Module(VectorFunctions(), self._has_fma)
        for spec, symbol in symbols.items():
            print_kernel(module, spec, symbol)
        return module.text()

    def compile(self, symbols: dict[KernelSpec, str]) -> bytes:
        """The object file of kernels."""
        reference = llvm.parse_assembly(self.ir(symbols))
        reference.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = False
        options.slp_vectorization = False
        options.loop_unrolling = False
        passes = llvm.create_pass_builder(self._machine, options)
        passes.getModulePassManager().run(reference, passes)
        return self._machine.emit_object(reference)

    def assembly(self, specs: Sequence[KernelSpec]) -> str:
        """The optimised assembly of kernels, to look at."""
        reference = llvm.parse_assembly(self.ir({spec: f"kernel_{number}" for number, spec in enumerate(specs)}))
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = False
        passes = llvm.create_pass_builder(self._machine, options)
        passes.getModulePassManager().run(reference, passes)
        return self._machine.emit_assembly(reference)


@functools.cache
def get_library() -> KernelLibrary:
    """The library of this process."""
    return KernelLibrary()
