"""Calling a module with other tensors in the places of its parameters and buffers: the module as a pure function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tapediff.nn.modules.module import Module
from tapediff.tensor import Tensor

__all__ = ["functional_call"]

Tensors = dict[str, Tensor]
_ABSENT: Any = object()


def functional_call(module: Module, parameter_and_buffer_dicts: Tensors | Sequence[Tensors], args: Any = None,
                    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False) -> Any:
    """Call a module with the given tensors, by path, in the places of its parameters and buffers; afterwards all is as before.

    parameter_and_buffer_dicts  a dictionary, or several without a path in common
    args, kwargs                what the module is called with; `args` may be a single argument
    tie_weights                 a tensor that the module has under several paths is replaced under all of them
    strict                      every parameter and buffer must be given, and nothing else

    Raises
        ValueError: a path is given twice, or tied paths get different tensors.
        RuntimeError: `strict`, and paths are missing or left over.
        AttributeError: there is no module at a path.
        TypeError: what was given, or what stands at a path, is no tensor.

    >>> import tapediff as td
    >>> from tapediff import nn
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> functional_call(layer, {"weight": td.tensor([[2., 3.]])}, td.ones(2))
    tensor([5.])
    """
    given = merged(parameter_and_buffer_dicts)
    known = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    if tie_weights:
        given = tied(given, known)
    if strict:
        check_paths(module, given, known)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with replaced(module, given):
        return module(*arguments, **(kwargs or {}))


def merged(dicts: Any) -> Tensors:
    """One dictionary of several."""
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence):
        raise ValueError(f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}")
    if not all(isinstance(one, dict) for one in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    paths = [path for one in dicts for path in one]
    repeated = [path for path in dict.fromkeys(paths) if paths.count(path) > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {path: tensor for one in dicts for path, tensor in one.items()}


def tied(given: Tensors, known: Tensors) -> Tensors:
    """The given tensors under all paths at which the module has the tensor that they replace."""
    paths: dict[int, list[str]] = {}
    for path, tensor in known.items():
        paths.setdefault(id(tensor), []).append(path)
    found = dict(given)
    for together in paths.values():
        values = {id(given[path]): given[path] for path in together if path in given}
        if len(values) > 1:
            raise ValueError("functional_call got multiple values for keys "
                             f"{sorted(path for path in together if path in given)}, which are tied. Consider using "
                             "tie_weights=False")
        for value in values.values():
            found.update(dict.fromkeys(together, value))
    return found


def check_paths(module: Module, given: Tensors, known: Tensors) -> None:
    """Refuse paths that are missing or left over."""
    lines = []
    for noun, paths in (("Unexpected", [path for path in given if path not in known]),
                        ("Missing", [path for path in known if path not in given])):
        if paths:
            lines.append(f"\n\t{noun} key(s): " + ", ".join(f"'{path}'" for path in sorted(paths)) + ".")
    if lines:
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:" + "".join(lines))


@contextmanager
def replaced(module: Module, given: Tensors) -> Iterator[None]:
    """Other tensors in a module's tables, as long as the block runs."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, tensor in given.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{tensor} is not an instance of torch.Tensor")
            table, name = place(module, path)
            before.append((table, name, table.get(name, _ABSENT)))
            table[name] = tensor
        yield
    finally:
        for table, name, old in reversed(before):
            if old is _ABSENT:
                del table[name]
            else:
                table[name] = old


def place(module: Module, path: str) -> tuple[dict[str, Any], str]:
    """The table that holds the tensor at a path, and its name there; a new name counts as a buffer."""
    parent, _, name = path.rpartition(".")
    owner = module.get_submodule(parent)
    for table in (owner._parameters, owner._buffers):
        if name in table:
            return table, name
    if hasattr(owner, name):
        raise TypeError(f"attribute `{name}`: {getattr(owner, name)} is not an instance of torch.Tensor")
    return owner._buffers, name
