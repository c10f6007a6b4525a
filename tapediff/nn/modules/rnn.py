"""Recurrent layers: Elman networks, LSTM and GRU, over whole sequences and step by step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tapediff.functions.registry import FUNCTIONS
from tapediff.nn import functional as F
from tapediff.nn import init
from tapediff.nn.modules.linear import empty_parameter
from tapediff.nn.modules.module import Module
from tapediff.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]

State = tuple[Tensor, ...]
# (projected input, projected output of the last step, state) -> the next state, whose first part is the output
Step = Callable[[Tensor, Tensor, State], State]


def lstm_step(x: Tensor, h: Tensor, state: State) -> State:
    """Gates: input, forget, cell, output (Hochreiter and Schmidhuber 1997)."""
    take, keep, new, show = (x + h).chunk(4, -1)
    cell = keep.sigmoid() * state[1] + take.sigmoid() * new.tanh()
    return show.sigmoid() * cell.tanh(), cell


def gru_step(x: Tensor, h: Tensor, state: State) -> State:
    """Gates: reset, update, new (Cho et al. 2014)."""
    (x_reset, x_update, x_new), (h_reset, h_update, h_new) = x.chunk(3, -1), h.chunk(3, -1)
    new = (x_new + (x_reset + h_reset).sigmoid() * h_new).tanh()
    update = (x_update + h_update).sigmoid()
    return ((state[0] - new) * update + new,)


def plain_step(nonlinearity: str) -> Step:
    """One nonlinearity of the sum.

    Raises
        ValueError: it is neither tanh nor relu.
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
    return lambda x, h, state: (getattr(x + h, nonlinearity)(),)


class Recurrent(Module):
    """What all have in common: weights for the input and for the last output, drawn between ``-1/sqrt(hidden_size)`` and
    ``1/sqrt(hidden_size)``."""

    gates = 1
    parts = 1  # of the state
    hidden_size: int
    bias: bool

    def _add_weights(self, suffix: str, width: int, out: int, device: Any, dtype: Any) -> None:
        rows = self.gates * out
        shapes = {"weight_ih": (rows, width), "weight_hh": (rows, out), "bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            is_there = self.bias or name.startswith("weight")
            self.register_parameter(name + suffix, empty_parameter(*shape, device=device, dtype=dtype) if is_there else None)

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(self) -> Step:
        raise NotImplementedError

    def _weights(self, suffix: str) -> list[Any]:
        return [self._parameters.get(name + suffix) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]

    def _zeros(self, like: Tensor, *shape: int) -> State:
        return tuple(FUNCTIONS["zeros"](shape, dtype=like.dtype) for _ in range(self.parts))


class Layers(Recurrent):
    """Layers over a sequence (L, N, input_size), (N, L, input_size) with `batch_first`, or (L, input_size).

    Returns the outputs of the last layer and the last states of all layers (num_layers * directions, N, hidden_size).
    """

    mode = ""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        if not 0 <= dropout <= 1:
            raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element being zeroed")
        if hidden_size <= 0:
            raise ValueError("hidden_size must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        self.suffixes = [[f"_l{layer}{way}" for way in ("", "_reverse")[:1 + bidirectional]] for layer in range(num_layers)]
        for layer, together in enumerate(self.suffixes):
            for suffix in together:
                self._add_weights(suffix, input_size if layer == 0 else hidden_size * len(together), hidden_size, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        if input.dim() not in (2, 3):
            raise ValueError(f"{self.mode}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}")
        is_single = input.dim() == 2
        x = input.unsqueeze(1) if is_single else input.transpose(0, 1) if self.batch_first else input
        count = self.num_layers * len(self.suffixes[0])
        if hx is None:
            states = self._zeros(x, count, x.shape[1], self.hidden_size)
        else:
            states = tuple(one.unsqueeze(1) if is_single else one for one in (hx if isinstance(hx, tuple) else (hx,)))
            wanted = (count, x.shape[1], self.hidden_size)
            for one in states:
                if tuple(one.shape) != wanted:
                    raise RuntimeError(f"Expected hidden size {wanted}, got {list(one.shape)}")
        finals: list[State] = []
        for layer, together in enumerate(self.suffixes):
            outputs = []
            for suffix in together:
                place = len(finals)
                output, final = self._run(x, tuple(one[place] for one in states), suffix)
                outputs.append(output)
                finals.append(final)
            x = outputs[0] if len(outputs) == 1 else FUNCTIONS["cat"](outputs, -1)
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        last = tuple(FUNCTIONS["stack"](list(part), 0) for part in zip(*finals))
        if is_single:
            x, last = x.squeeze(1), tuple(one.squeeze(1) for one in last)
        elif self.batch_first:
            x = x.transpose(0, 1)
        return x, last if self.parts > 1 else last[0]

    def _run(self, x: Tensor, state: State, suffix: str) -> tuple[Tensor, State]:
        """One layer in one direction: its outputs and its last state."""
        w_input, w_hidden, b_input, b_hidden = self._weights(suffix)
        projected = F.linear(x, w_input, b_input).unbind(0)  # of all steps at once
        is_backward = suffix.endswith("_reverse")
        step, outputs = self._step(), []
        for one in reversed(projected) if is_backward else projected:
            state = step(one, F.linear(state[0], w_hidden, b_hidden), state)
            outputs.append(state[0])
        return FUNCTIONS["stack"](outputs[::-1] if is_backward else outputs, 0), state

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        usually = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        for name, usual in usually.items():
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(Layers):
    """``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` (Elman 1990); relu with nonlinearity="relu"."""

    mode = "RNN"

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", *args: Any,
                 **kwargs: Any) -> None:
        plain_step(nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, *args, **kwargs)
        self.nonlinearity = nonlinearity

    def _step(self) -> Step:
        return plain_step(self.nonlinearity)


class LSTM(Layers):
    """Long short-term memory; its state is a pair (h, c).

    >>> import tapediff as td
    >>> output, (h, c) = LSTM(3, 4)(td.zeros(5, 2, 3))
    >>> output.shape, h.shape, c.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]), torch.Size([1, 2, 4]))
    """

    mode = "LSTM"
    gates = 4
    parts = 2

    def _step(self) -> Step:
        return lstm_step


class GRU(Layers):
    """Gated recurrent units."""

    mode = "GRU"
    gates = 3

    def _step(self) -> Step:
        return gru_step


class Cell(Recurrent):
    """One step on inputs (N, input_size) or (input_size,)."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self._add_weights("", input_size, hidden_size, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        if input.dim() not in (1, 2):
            raise ValueError(f"{self._get_name()}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        w_input, w_hidden, b_input, b_hidden = self._weights("")
        state = self._zeros(input, *input.shape[:-1], self.hidden_size) if hx is None else hx if isinstance(hx, tuple) else (hx,)
        found = self._step()(F.linear(input, w_input, b_input), F.linear(state[0], w_hidden, b_hidden), state)
        return found if self.parts > 1 else found[0]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"


class RNNCell(Cell):
    """One step of `RNN`."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def _step(self) -> Step:
        return plain_step(self.nonlinearity)


class LSTMCell(Cell):
    """One step of `LSTM`."""

    gates = 4
    parts = 2

    def _step(self) -> Step:
        return lstm_step


class GRUCell(Cell):
    """One step of `GRU`."""

    gates = 3

    def _step(self) -> Step:
        return gru_step
