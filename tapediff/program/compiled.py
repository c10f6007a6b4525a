"""compile: a function of tensors that runs as a recorded program wherever one fits, and is recorded anew where none does."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from tapediff import recording
from tapediff.grad_modes import is_grad_enabled
from tapediff.nested import LEAF, Structure, flatten
from tapediff.program.calls import Call, Route
from tapediff.program.program import Program
from tapediff.program.recorder import Recorder
from tapediff.tape.source import Source
from tapediff.tensor import Tensor, of_array, of_source

__all__ = ["Compiled", "compile_function"]

MOST_PROGRAMS = 64  # of one function: `compile`, `vmap` and batch jobs record so many paths, unless they are told otherwise


class _Entry:
    """A program, the tensors from outside that it reads at each call, and the nest of its result."""

    __slots__ = ("program", "sources", "structure")

    def __init__(self, program: Program, sources: list[Source], structure: Structure) -> None:
        self.program = program
        self.sources = sources
        self.structure = structure


class Compiled:
    """A compiled function; see `compile`.

    programs  how many there are
    """

    def __init__(self, func: Callable[..., Any], limit: int) -> None:
        self.__name__ = "function"
        functools.update_wrapper(self, func)
        self.func = func
        self.limit = limit
        self._entries: dict[Any, list[_Entry]] = {}
        self._lock = threading.RLock()

    @property
    def programs(self) -> int:
        """How many programs were recorded."""
        return sum(len(entries) for entries in self._entries.values())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if recording.is_traced():  # inside another recording the function becomes part of that
            return self.func(*arguments, **options)
        leaves, structure = flatten((arguments, options))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        key = (structure, is_grad_enabled(), *[leaf.spec if isinstance(leaf, Tensor) else _constant(leaf) for leaf in leaves])
        entries = self._entries.get(key)
        if entries is None:
            with self._lock:
                entries = self._entries.setdefault(key, [])
        arrays = [tensor._array() for tensor in tensors]
        for number, entry in enumerate(entries):
            given = [*arrays, *(source.values() for source in entry.sources)]
            outputs, _, failed = entry.program.single(entry.program.request())(given)
            if not failed:
                if number > 4:  # the path taken last is likely to be taken again
                    with self._lock:
                        if entry in entries:
                            entries.remove(entry)
                            entries.insert(0, entry)
                return self._result(entry, tensors, [y.copy() for y in outputs])
        if len(entries) >= self.limit:
            raise RuntimeError(f"compile: {self.__name__} takes more than {self.limit} paths; the last guard that failed: "
                               f"{entry.program.change_of(failed, given)}. "
                               "Choose by value with torch.where there, or raise the limit: tapediff.compile(f, limit=...).")
        entry = self._record(leaves, structure)
        with self._lock:
            entries.insert(0, entry)
        given = [*arrays, *(source.values() for source in entry.sources)]
        outputs, _, failed = entry.program.single(entry.program.request())(given)
        entry.program.check(failed, given)
        return self._result(entry, tensors, [y.copy() for y in outputs])

    def _result(self, entry: _Entry, tensors: list[Tensor], outputs: list[Any]) -> Any:
        everything = [*tensors, *map(of_source, entry.sources)]
        if is_grad_enabled() and any(tensor.spec.requires_grad for tensor in everything):
            call = Call([Route(entry.program, None, tuple(range(len(everything))))], [False] * len(everything), None, outputs)
            return entry.structure.unflatten(call(everything))
        return entry.structure.unflatten([of_array(y) for y in outputs])

    def _record(self, leaves: list[Any], structure: Structure) -> _Entry:
        recorder = Recorder()
        with recorder:
            inputs = [recorder.input(leaf._array().copy()) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
            arguments, options = structure.unflatten(inputs)
            results, out_structure = flatten(self.func(*arguments, **options))
            for result in results:
                if not isinstance(result, Tensor):
                    raise TypeError(f"compile: {self.__name__} must return tensors, also in tuples, lists and dicts: got "
                                    f"{type(result).__name__}")
        tape, sources = recorder.finish(results).with_captured_inputs()
        examples = [source.values().copy() for source in (*recorder.inputs, *sources)]
        program = Program(tape, examples, Structure(tuple, (), (LEAF,) * len(examples)),
                          Structure(tuple, (), (LEAF,) * len(tape.outputs)), self.__name__)
        return _Entry(program, sources, out_structure)


def _constant(leaf: Any) -> Any:
    """What a program is recorded for, of an argument that is no tensor: its value, where that can be compared."""
    try:
        hash(leaf)
    except TypeError:
        return id(leaf)
    return type(leaf), leaf


def compile_function(func: Callable[..., Any] | None = None, *, limit: int = MOST_PROGRAMS, fullgraph: bool = False,
                     dynamic: bool | None = None, backend: Any = None, mode: str | None = None, options: Any = None,
                     disable: bool = False) -> Any:
    """A function that does what `func` does, faster: it is recorded once for every combination of shapes, dtypes, Python
    arguments and branches, and replayed from then on. The result takes part in autograd, to any order. Also a decorator.

    Tensors from outside (parameters) are read at each call. Numbers from outside are frozen: pass them as arguments.

    limit     the most programs for one combination of shapes
    fullgraph, dynamic, backend, mode, options   accepted as PyTorch has them; they change nothing
    disable   return `func` as it is

    >>> import tapediff as td
    >>> @td.compile
    ... def f(x):
    ...     return x.sin() if x > 0 else -x
    >>> f(td.tensor(-2.)), f(td.tensor(0.))
    (tensor(2.), tensor(-0.))
    >>> f.programs
    1

    Raises
        RuntimeError: `func` writes to a tensor from outside, draws random numbers or calls backward; or takes more paths than
            `limit`.
    """
    if func is None:
        return lambda f: compile_function(f, limit=limit, disable=disable)
    return func if disable else Compiled(func, limit)
