"""Random functions that decide by values: nested ifs, loops of unknown length, piecewise payoffs, sorting, look-ups, masks.

A function is drawn as a list of steps (what, i, j, k), small numbers that are read modulo what there is to choose from. It keeps
a list of scalars, computed from a row of four numbers, to which each step appends one.
"""

from typing import Any

from hypothesis import strategies as st

import tapediff as td

ROW = 4
number = st.integers(0, 11)
STEPS = ("arithmetic", "if", "nested if", "while", "newton", "payoff", "minimum", "sorted", "table", "index tensor", "item",
         "float", "tolist", "numpy", "assert", "and or", "mask", "round", "comparison chain", "in place", "where", "any", "break",
         "gradient")
POINTS = (-2.5, -1.5, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
steps = st.lists(st.tuples(st.sampled_from(STEPS), number, number, number), min_size=1, max_size=8)
rows = st.lists(st.lists(st.sampled_from(POINTS), min_size=ROW, max_size=ROW), min_size=1, max_size=12)
TABLE = [0.5, 2.0, -1.0, 3.0, 0.25, 1.5]


def gentle(x: Any) -> Any:
    """The same slope at 0, but never large."""
    return x / (1 + abs(x) * 0.25)


def run(steps: list[tuple[str, int, int, int]], row: Any) -> Any:
    """The function of these steps, of a tensor of four numbers."""
    live = [row[0], row[1], row[2], row[3]]
    for what, i, j, k in steps:
        a, b, c = live[i % len(live)], live[j % len(live)], live[k % len(live)]
        live.append(gentle(step(what, a, b, c, k, live)))
    total = live[ROW]
    for x in live[ROW + 1:]:
        total = total * 0.5 + x
    return total


def step(what: str, a: Any, b: Any, c: Any, k: int, live: list[Any]) -> Any:
    if what == "arithmetic":
        return (a * b + c, a - b * c, a.sin() + b, a.exp() - c)[k % 4]
    if what == "if":
        return a * 2 if b > 0.5 else b - c
    if what == "nested if":
        if a > b:
            return a * c if c >= 1 else a - c
        return (b if a != b else c) * 1.5
    if what == "while":
        count = 0
        while a * a > 0.3 and count < 6:
            a, count = a * 0.5, count + 1
        return a + count
    if what == "newton":
        target, x = b * b + 1, a * a + 0.5
        for _ in range(8):
            if abs(x * x - target) < 1e-3:
                break
            x = (x + target / x) * 0.5
        return x
    if what == "payoff":
        return max(a - 0.5, 0.0) - max(b - 1, 0.0) + min(c, 1.0) + a * 0  # all three may be numbers
    if what == "minimum":
        return min(a, b, c) + max(a, b)
    if what == "sorted":
        low, middle, high = sorted((a, b, c), reverse=k % 2 == 0)
        return low + 2 * middle - high
    if what == "table":
        place = int(a * 2) % len(TABLE)
        return TABLE[place] * b + a * (TABLE[place - 1] - TABLE[place])
    if what == "index tensor":
        values = td.stack([a, b, c])
        return values[(a > b).long() + (b > c).long()] * 2
    if what == "item":
        return a * 3 if a.item() > b.item() else b
    if what == "float":
        return a + (float(b) if k % 2 else 1.0) * (2 if float(b) > 0 else 1)
    if what == "tolist":
        return a * sum(td.stack([b, c]).tolist()[:k % 3])
    if what == "numpy":
        return a * (1 + (td.stack([b, c]).detach().numpy() > 0).sum())
    if what == "assert":
        try:
            assert a > b
        except AssertionError:
            return c * 2
        return a * b
    if what == "and or":
        return a if (a > 0 and b > 0) or not c > 0 else (b or c)
    if what == "mask":
        values = td.stack([a, b, c])
        chosen = values[values > 0]
        return chosen.sum() * len(chosen) + chosen.numel()
    if what == "round":
        return a * round(float(b)) + int(c)
    if what == "comparison chain":
        return a + 1 if a < b < c else a - 1 if a == b or c in (a, b) else b
    if what == "in place":
        x = td.stack([a, b])
        if c > 0:
            x[0] = c * 2
        else:
            x += c
        return x.sum()
    if what == "where":
        return td.where(a > b, a * 2, c) + a.clamp(-1, 1)
    if what == "any":
        values = td.stack([a, b, c])
        return values.sum() if (values > 1).any() and not (values < -1).all() else values.prod()
    if what == "break":
        for count, x in enumerate(live):
            if x > a:
                return x + count
        return a
    (g,) = td.autograd.grad((a * b).sin() * a, a, create_graph=True, allow_unused=True)
    return g if g > 0 else g * c
