"""The library of kernels: builds what is asked for through llvmlite, or loads it from the cache, and gives the addresses.

The missing kernels of one request become one LLVM module: 18 kernels took 8 ms each together and 17 ms each in modules of their
own (2026-11-22, `KernelLibrary.compile`).  llvmlite is used without Numba, whose import takes longer than loading the kernels
of a program.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm

import tapediff.ops
from tapediff.kernels.borrowing import provide
from tapediff.kernels.cache import ObjectCache, default_directory
from tapediff.kernels.functions import VectorFunctions
from tapediff.kernels.instructions import Module
from tapediff.kernels.lanes_products import ProductSpec, print_product
from tapediff.kernels.loop import KernelSpec, print_kernel
from tapediff.ops.custom import content_of

__all__ = ["KernelLibrary", "KernelSpec", "get_library"]

SOURCES = (Path(__file__).parent, Path(tapediff.ops.__file__).parent)


class KernelLibrary:
    """Machine code of kernels, built when first asked for and kept in `directory` for the next process (None: not kept).

    >>> library = KernelLibrary(directory=None)
    >>> address, = library.addresses([KernelSpec("exp", "forward", ("float64",), "float64")])
    >>> address > 0
    True
    """

    def __init__(self, directory: Path | None) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self._host = f"{llvm.get_host_cpu_name()} {features.flatten()}"
        self._machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2, reloc="pic", codemodel="default"
        )
        # AArch64 does not list the feature, it always has it
        self._has_fma = features.get("fma", True)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._machine)
        self._cache = None if directory is None else ObjectCache(directory)
        self._loaded: dict[str, str] = {}
        self._addresses: dict[KernelSpec | ProductSpec, int] = {}
        self._functions: dict[str, int] = {}
        self._kept: list[object] = []
        self._lock = threading.Lock()

    def addresses(self, specs: Sequence[KernelSpec | ProductSpec]) -> list[int]:
        """The address of each kernel; those that are missing are loaded from the cache or built together."""
        known = self._addresses
        if any(spec not in known for spec in specs):
            with self._lock:
                self._provide([spec for spec in dict.fromkeys(specs) if spec not in known])
        return [known[spec] for spec in specs]

    def functions(self, ir: str, symbols: Sequence[str], values: Mapping[str, int]) -> list[int]:
        """The addresses of functions of a module given as LLVM IR, whose global words get values. A module is for one caller."""
        key = hashlib.sha256(f"{self._fingerprint} {ir}".encode()).hexdigest()[:32]
        with self._lock:
            found = {} if self._cache is None else self._cache.find([key])
            code = found[key][2] if found else self._machine.emit_object(self._optimised(ir))
            if self._cache is not None and not found:
                self._cache.store({key: symbols[0]}, code)
            self._load(key, code)
            for name, value in values.items():
                ctypes.c_int64.from_address(self._engine.get_global_value_address(name)).value = value
            return [self._engine.get_function_address(symbol) for symbol in symbols]

    def _provide(self, specs: Sequence[KernelSpec | ProductSpec]) -> None:
        keys = {spec: self._key(spec) for spec in specs}
        found = {} if self._cache is None else self._cache.find(keys.values())
        missing = [spec for spec in specs if keys[spec] not in found]
        for name, _, code in found.values():
            self._load(name, code)
        for spec in specs:
            if spec not in missing:
                self._addresses[spec] = self._engine.get_function_address(found[keys[spec]][1])
        if missing:
            self._build({spec: keys[spec] for spec in missing})

    def _build(self, keys: Mapping[KernelSpec | ProductSpec, str]) -> None:
        # a kernel may come to be in two objects; its symbol is then still one of one object
        batch = hashlib.sha256(" ".join(keys.values()).encode()).hexdigest()[:16]
        symbols = {spec: f"kernel_{batch}_{number}" for number, spec in enumerate(keys)}
        code = self.compile(symbols)
        self._load(batch, code)
        for spec, symbol in symbols.items():
            self._addresses[spec] = self._engine.get_function_address(symbol)
        if self._cache is not None:
            self._cache.store({key: symbols[spec] for spec, key in keys.items()}, code)

    def _load(self, name: str, code: bytes) -> None:
        if name not in self._loaded:
            provide(code)
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            self._loaded[name] = name

    def _key(self, spec: KernelSpec | ProductSpec) -> str:
        content = content_of(spec.name) if isinstance(spec, KernelSpec) else ""
        return hashlib.sha256(f"{self._fingerprint} {spec!r} {content}".encode()).hexdigest()[:32]

    @functools.cached_property
    def _fingerprint(self) -> str:
        """All that the code of a kernel depends on besides its spec: the sources that print it, the compiler and the host."""
        digest = hashlib.sha256(f"{llvmlite.__version__} {self._host}".encode())
        for folder in SOURCES:
            for file in sorted(folder.glob("*.py")):
                digest.update(file.read_bytes())
        return digest.hexdigest()

    def function(self, key: bytes, text: Callable[[str], str] | None, words: Sequence[int] = (),
                 kept: object = None) -> int | None:
        """The address of a function of its own: the IR that `text` prints under a given symbol, built unless it was before.

        key   all that the text depends on besides the sources of kernels and the host
        text  None: only what was built before is wanted
        words what the int64 array `symbol.words` of the module holds: addresses, which are others in each process
        kept  what these addresses need to stay alive; functions are never unloaded
        """
        name = hashlib.sha256(self._fingerprint.encode() + key).hexdigest()[:32]
        with self._lock:
            if name in self._functions:
                return self._functions[name]
            symbol = f"function_{name}"
            found = {} if self._cache is None else self._cache.find([name])
            if name in found:
                code = found[name][2]
            elif text is None:
                return None
            else:
                code = self._machine.emit_object(self._optimised(text(symbol)))
                if self._cache is not None:
                    self._cache.store({name: symbol}, code)
            self._load(name, code)
            if words:
                place = self._engine.get_global_value_address(symbol + ".words")
                (ctypes.c_int64 * len(words)).from_address(place)[:] = list(words)
                self._kept.append(kept)
            address = self._functions[name] = self._engine.get_function_address(symbol)
            return address

    def module(self) -> Module:
        """An empty module that knows the rows and the functions of vecmath."""
        return Module(_functions(), self._has_fma)

    def ir(self, symbols: Mapping[KernelSpec | ProductSpec, str]) -> str:
        """The LLVM IR of kernels, before optimisation."""
        module = self.module()
        for spec, symbol in symbols.items():
            if isinstance(spec, ProductSpec):
                print_product(module, spec, symbol)
            else:
                print_kernel(module, spec, symbol)
        return module.text()

    def compile(self, symbols: Mapping[KernelSpec | ProductSpec, str]) -> bytes:
        """The object code of kernels."""
        code: bytes = self._machine.emit_object(self._optimised(self.ir(symbols)))
        return code

    def assembly(self, specs: Sequence[KernelSpec | ProductSpec]) -> str:
        """The assembly of kernels, to look at."""
        return self.assembly_of(self.ir({spec: f"kernel_{i}" for i, spec in enumerate(specs)}))

    def assembly_of(self, ir: str) -> str:
        """The assembly of a module, to look at."""
        text: str = self._machine.emit_assembly(self._optimised(ir))
        return text

    def _optimised(self, ir: str) -> llvm.ModuleRef:
        module = llvm.parse_assembly(ir)
        module.verify()
        # the loops are printed as vectors: level 1 inlines and shares, and the vectorisers of level 2 would only take their time
        options = llvm.create_pipeline_tuning_options(speed_level=1)
        passes = llvm.create_pass_builder(self._machine, options)
        passes.getModulePassManager().run(module, passes)
        return module


@functools.cache
def _functions() -> VectorFunctions:
    return VectorFunctions()


@functools.cache
def get_library() -> KernelLibrary:
    """The library of this process."""
    return KernelLibrary(default_directory())
