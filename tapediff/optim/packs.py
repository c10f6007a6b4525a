"""Packs: parameters whose update, element by element the same, is computed as one flat array.

A step over many small parameters costs little more than one over a single parameter of their total size. Large parameters are a
pack of their own, and are updated where they lie, in blocks that fit the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tapediff import inplace
from tapediff.tape.layout import IN_CELL, S_GRADIENT, S_STATE
from tapediff.tape.source import SOURCE
from tapediff.tensor import Tensor, of_array

__all__ = ["Pack", "gradient_array", "packed"]

Array = np.ndarray[Any, Any]
LARGE = 1 << 14  # elements: larger parameters are not packed with others
BLOCK = 1 << 14  # elements that are updated at a time


def gradient_array(parameter: Tensor) -> Any:
    """The gradient of a leaf as an array, flat or in its shape, that must not be written; None if there is none."""
    if parameter.segment is not SOURCE or parameter.source.origin is not None:
        grad = parameter.grad
        return None if grad is None else grad._array()
    source = parameter.source
    known = source.grad
    if known is None:
        if parameter.spec.size == 1 and source.read(S_STATE) == IN_CELL:  # the sweeps left it in the table
            return np.array((source._cell(S_GRADIENT),), parameter.spec.dtype.numpy)
        return None
    return known if type(known) is np.ndarray else known._array()


class Pack:
    """Parameters that are updated together, and their state, which lies in flat arrays.

    numbers  where the parameters stand among those of their group that have a gradient
    scalars  the numbers of the state that all have in common, by name: the count of steps
    values   the parameters, flat; `slots`: what the state keeps for every element, flat, by name
    """

    def __init__(self, parameters: Sequence[Tensor], numbers: Sequence[int], all_states: Any, scalars: dict[str, float],
                 slots: dict[str, float], is_fresh: bool) -> None:
        self.parameters = parameters
        self.numbers = numbers
        self.states: list[dict[str, Any]] = [all_states[parameter] for parameter in parameters] if scalars or slots else []
        self.is_fresh = is_fresh
        self.arrays = [inplace.memory(parameter) for parameter in parameters]
        self.sources = [parameter.source for parameter in parameters]
        dtype = parameters[0].spec.dtype.numpy
        sizes = [array.size for array in self.arrays]
        ends = np.cumsum(sizes).tolist()
        self.places = [slice(end - size, end) for end, size in zip(ends, sizes)]
        self.is_in_place = len(parameters) == 1 and self.arrays[0].flags.c_contiguous
        self.values: Array = self.arrays[0].reshape(-1) if self.is_in_place else np.empty(ends[-1], dtype)
        self.grads: Array = np.empty(0 if self.is_in_place else ends[-1], dtype)
        self.flat = [array.reshape(-1) for array in self.arrays]
        self.shown = [self.values[place].reshape(array.shape) for place, array in zip(self.places, self.arrays)]
        self.counts = {name: self._scalar(name, value) for name, value in scalars.items()}
        self.slots = {name: self._slot(name, value, dtype) for name, value in slots.items()}
        self.scalars = scalars
        self.kept = [tuple(state[name] for name in (*scalars, *slots)) for state in self.states]

    def _slot(self, name: str, value: float, dtype: Any) -> Array:
        """The flat array of one part of the state; the states' tensors become views of it."""
        flat = np.full(self.places[-1].stop, value, dtype)
        for place, array, state in zip(self.places, self.arrays, self.states):
            own = flat[place].reshape(array.shape)
            if isinstance(known := state.get(name), Tensor):
                own[...] = known._array()
            state[name] = of_array(own)
        return flat

    def _scalar(self, name: str, value: float) -> Array:
        """The numbers of one name, one for each parameter, which the states' tensors are views of."""
        flat = np.full(len(self.states), value, np.float32)
        for number, state in enumerate(self.states):
            state[name] = of_array(flat[number:number + 1].reshape(()))
        return flat

    def is_valid(self, all_states: Any) -> bool:
        """Whether nobody has replaced a parameter's memory or a part of its state."""
        for parameter, source, array in zip(self.parameters, self.sources, self.arrays):
            if parameter.source is not source:
                return False
            if hasattr(parameter, "extra") and inplace.memory(parameter) is not array:  # there may be new views to look after
                return False
        names = (*self.scalars, *self.slots)
        for parameter, state, kept in zip(self.parameters, self.states, self.kept):
            if all_states.get(parameter) is not state:
                return False
            for name, tensor in zip(names, kept):
                if state.get(name) is not tensor:
                    return False
        return all(flat.size == 0 or flat[0] == np.float32(self.scalars[name]) for name, flat in self.counts.items())

    def load(self, grads: Sequence[Array]) -> Array:
        """Read the parameters; returns their gradients, flat."""
        if self.is_in_place:
            return grads[0].reshape(-1)
        # an array that is not contiguous stands alone, and has no flat view
        np.concatenate(self.flat if len(self.flat) > 1 else [self.arrays[0].reshape(-1)], out=self.values)
        return np.concatenate([grad if grad.ndim == 1 else grad.reshape(-1) for grad in grads], out=self.grads)

    def store(self) -> None:
        """Write the parameters back, and let everybody know."""
        if not self.is_in_place:
            for array, shown in zip(self.arrays, self.shown):
                array[...] = shown
        for name, flat in self.counts.items():
            flat.fill(self.scalars[name])
        self.is_fresh = False
        inplace.mark_written(self.sources)

    def blocks(self, grads: Array) -> Iterator[tuple[Array, ...]]:
        """Values, gradients and slots, some elements at a time, so that what is computed of them stays in the cache."""
        arrays = (self.values, grads, *self.slots.values())
        if self.values.size <= BLOCK:
            yield arrays
            return
        for start in range(0, self.values.size, BLOCK):
            yield tuple(array[start:start + BLOCK] for array in arrays)


def packed(parameters: Sequence[Tensor], all_states: Any, scalars: dict[str, float], slots: dict[str, float]) -> list[Pack]:
    """Packs of parameters, each of one dtype and at one step."""
    members: dict[Any, list[int]] = {}
    for number, parameter in enumerate(parameters):
        state = all_states[parameter] if scalars or slots else {}
        found = tuple(float(state[name]) if name in state else value for name, value in scalars.items())
        is_fresh = not any(name in state for name in slots)
        alone = number if parameter.spec.size > LARGE or not inplace.memory(parameter).flags.c_contiguous else -1
        members.setdefault((parameter.spec.dtype, found, is_fresh, alone), []).append(number)
    return [Pack([parameters[number] for number in numbers], numbers, all_states, dict(zip(scalars, key[1])), slots, key[2])
            for key, numbers in members.items()]
