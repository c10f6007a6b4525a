"""Checks of one structural row: its rule against finite differences, and the rule's derivative against those of the rule.

A rule is written in terms of a namespace F. `TracedFunctions` is an F that keeps, for every value, how to pull an adjoint back to
its operands, so a rule evaluated with it can be differentiated: by the rows that it is made of, as a recorded reverse pass would.
"""

from dataclasses import dataclass, field

import numpy as np

from tapediff.ops import ELEMENTWISE, STRUCTURAL
from tapediff.ops.op import compiled
from tapediff.rules import ARRAYS

STEP = 1e-6


@dataclass(eq=False)
class Traced:
    """An array, and its operands with the functions that pull an adjoint back to them."""

    value: np.ndarray
    operands: list = field(default_factory=list)

    __array_ufunc__ = None

    @property
    def shape(self):
        return self.value.shape

    @property
    def dtype(self):
        return self.value.dtype

    def __add__(self, other):
        return TRACED.add(self, other)

    def __sub__(self, other):
        return TRACED.sub(self, other)

    def __mul__(self, other):
        return TRACED.mul(self, other)

    def __truediv__(self, other):
        return TRACED.div(self, other)

    def __neg__(self):
        return TRACED.neg(self)

    def __rsub__(self, other):
        return TRACED.sub(other, self)

    __radd__, __rmul__ = __add__, __mul__


class TracedFunctions:
    """F on traced arrays."""

    def __getattr__(self, name):
        if name in STRUCTURAL:
            return structural(STRUCTURAL[name])
        if name in ELEMENTWISE:
            return elementwise(ELEMENTWISE[name])
        raise AttributeError(f"no op is called {name!r}")

    def zeros_like(self, x):
        return Traced(np.zeros_like(x.value))

    def ones_like(self, x):
        return Traced(np.ones_like(x.value))

    def cast(self, x, dtype):
        return elementwise_result(x.value.astype(dtype.numpy), [(x, lambda y_bar: y_bar.astype(x.value.dtype))])


TRACED = TracedFunctions()


def structural(row):
    def call(*arguments):
        *operands, attributes = arguments
        values = [operand.value for operand in operands]
        y = np.asarray(row.forward(attributes, *values))
        assert y.shape == infer(row, attributes, *values), f"{row.name} made shape {y.shape}"
        return Traced(y, [
            (operand, lambda y_bar, k=k: row.pullback(ARRAYS, attributes, k, y_bar, y, *values))
            for k, operand in enumerate(operands) if row.is_differentiable(k) and values[k].dtype.kind == "f"
        ])
    return call


def infer(row, attributes, *values):
    from tapediff.dtypes import from_numpy_dtype
    from tapediff.tape.spec import spec_of
    return row.infer(attributes, *[spec_of(value.shape, from_numpy_dtype(value.dtype), False) for value in values])[0]


def elementwise(row):
    def call(*operands):
        values = [operand.value if isinstance(operand, Traced) else operand for operand in operands]
        y = np.asarray(getattr(ARRAYS, row.name)(*values))
        functions = {name: getattr(ARRAYS, name) for name in ELEMENTWISE}
        names = {**functions, **dict(zip("abc", values)), "y": y, "nan": np.nan, "inf": np.inf}

        def pulled(k):
            def pull(y_bar):
                with np.errstate(all="ignore"):
                    return eval(compiled(row.pullback(k)), {**names, "y_bar": y_bar})
            return pull

        return elementwise_result(y, [
            (operand, pulled(k)) for k, operand in enumerate(operands)
            if isinstance(operand, Traced) and row.partials[k] is not None and operand.value.dtype.kind == "f"
        ])
    return call


def elementwise_result(y, operands):
    return Traced(y, [
        (operand, lambda y_bar, pull=pull, shape=operand.shape: folded(np.broadcast_to(pull(y_bar), y.shape), shape))
        for operand, pull in operands
    ])


def folded(adjoint, shape):
    extra = adjoint.ndim - len(shape)
    repeated = tuple(dim for dim, size in enumerate(adjoint.shape) if dim < extra or size != shape[dim - extra])
    return adjoint.sum(axis=repeated, keepdims=True).reshape(shape)


def gradients(output, seed, inputs):
    """The adjoints of `inputs` for an adjoint `seed` of `output`."""
    order, seen = [], set()

    def visit(x):
        if id(x) not in seen:
            seen.add(id(x))
            for operand, _ in x.operands:
                visit(operand)
            order.append(x)

    visit(output)
    adjoints = {id(output): np.asarray(seed)}
    for x in reversed(order):
        if id(x) in adjoints:
            for operand, pull in x.operands:
                adjoints[id(operand)] = adjoints.get(id(operand), 0) + np.asarray(pull(adjoints[id(x)])).reshape(operand.shape)
    return [adjoints.get(id(x), np.zeros(x.shape)) for x in inputs]


def slopes(function, values, k):
    """Central differences of a scalar function of arrays with respect to the elements of operand k."""
    out = np.zeros(values[k].shape)
    for place in np.ndindex(out.shape):
        ends = []
        for sign in (1, -1):
            moved = [value.copy() for value in values]
            moved[k][place] += sign * STEP
            ends.append(function(*moved))
        out[place] = (ends[0] - ends[1]) / (2 * STEP)
    return out


def check_first_order(row, attributes, *values, rtol=1e-6):
    """The rule against finite differences of the values, for every differentiable operand."""
    generator = np.random.default_rng(0)
    y = np.asarray(row.forward(attributes, *values))
    y_bar = generator.uniform(0.5, 1.5, y.shape)
    for k, value in enumerate(values):
        if row.is_differentiable(k) and value.dtype.kind == "f":
            found = row.pullback(ARRAYS, attributes, k, y_bar, y, *values)
            expected = slopes(lambda *moved: float((row.forward(attributes, *moved) * y_bar).sum()), values, k)
            assert np.shape(found) == value.shape
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol, err_msg=f"{row.name} {attributes} operand {k}")


def check_second_order(row, attributes, *values, rtol=1e-5):
    """The derivative of the rule, with respect to the operands and to y_bar, against finite differences of the rule."""
    generator = np.random.default_rng(1)
    y_bar = generator.uniform(0.5, 1.5, np.shape(row.forward(attributes, *values)))
    for k, value in enumerate(values):
        if not (row.is_differentiable(k) and value.dtype.kind == "f"):
            continue
        weights = generator.uniform(0.5, 1.5, value.shape)

        def rule(seed, *moved, k=k, weights=weights):
            made = row.pullback(ARRAYS, attributes, k, seed, np.asarray(row.forward(attributes, *moved)), *moved)
            return float((made * weights).sum())

        inputs = [Traced(y_bar), *map(Traced, values)]
        y = getattr(TRACED, row.name)(*inputs[1:], attributes)
        found = row.pullback(TRACED, attributes, k, inputs[0], y, *inputs[1:])
        assert found.shape == value.shape
        for position, gradient in enumerate(gradients(found, weights, inputs)):
            if inputs[position].value.dtype.kind == "f":
                expected = slopes(rule, [x.value for x in inputs], position)
                claim = f"{row.name} {attributes}, rule {k} by {position}"
                np.testing.assert_allclose(gradient, expected, rtol=rtol, atol=rtol, err_msg=claim)
