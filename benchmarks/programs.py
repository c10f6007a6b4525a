"""Programs: what recording, scheduling, replays, batches and guards cost, on scalar chains and on a path of Heston's model."""

import numpy as np

from benchmarks.measure import best_seconds

CHAIN = 10_000  # instructions
STEPS = 50  # of a path
ROWS = 4096


def chain(x, w):
    for _ in range(CHAIN // 2):
        x = x * w + 0.1
    return x


def heston(spot, variance, reversion, level, volatility, correlation, shocks):
    """The payoff of a call on one path of Heston's model (full truncation, Euler)."""
    import tapediff as td

    step = 1.0 / STEPS
    logarithm = spot.log()
    across = (1 - correlation * correlation).sqrt()
    for k in range(STEPS):
        positive = td.clamp_min(variance, 0.0)
        root = (positive * step).sqrt()
        logarithm = logarithm + root * shocks[0, k] - positive * (0.5 * step)
        noise = correlation * shocks[0, k] + across * shocks[1, k]
        variance = variance + reversion * (level - positive) * step + volatility * root * noise
    return td.clamp_min(logarithm.exp() - 1.0, 0.0)


MODEL = (1.0, 0.04, 1.5, 0.05, 0.4, -0.6)
GREEKS = tuple(range(len(MODEL)))


def guarded(x, guards):
    """A chain of 200 instructions, `guards` of which Python looks at."""
    for k in range(100):
        x = x * 0.99 + 0.01
        if k < guards:
            assert x > 0
    return x


def record_heston():
    import tapediff as td

    return td.record(heston, *MODEL, np.zeros((2, STEPS)))


class Recording:
    """Nanoseconds an instruction, from Python's call to a closed tape; and to the steps of a replay."""

    def setup(self):
        import tapediff as td

        self.td = td
        td.record(chain, 1.0, 0.5).value_and_grad(1.0, 0.5, argnums=(0, 1))

    def track_record(self):
        return best_seconds(lambda: self.td.record(chain, 1.0, 0.5), repeats=10) / CHAIN * 1e9

    def track_schedule(self):
        program = self.td.record(chain, 1.0, 0.5)

        def schedule():
            from tapediff.program.schedule import build
            build(program.tape, program.request((0, 1)))

        return best_seconds(schedule, repeats=10) / CHAIN * 1e9

    track_record.unit = track_schedule.unit = "ns"


class Replay:
    """One replay at a time."""

    def setup(self):
        import tapediff as td

        self.chain = td.record(chain, 1.0, 0.5)
        self.heston = record_heston()
        self.small = td.record(lambda x, y: x * y + y.sin(), 1.0, 2.0)
        self.shocks = np.random.default_rng(0).standard_normal((2, STEPS))
        self.time_small_value()
        self.time_small_gradient()
        self.time_heston_gradient()
        self.track_chain_gradient()

    def time_small_value(self):
        self.small(1.0, 2.0)

    def time_small_gradient(self):
        self.small.value_and_grad(1.0, 2.0, argnums=(0, 1))

    def time_heston_gradient(self):
        self.heston.value_and_grad(*MODEL, self.shocks, argnums=GREEKS)

    def track_chain_gradient(self):
        return best_seconds(lambda: self.chain.value_and_grad(1.0, 0.5, argnums=(0, 1)), repeats=20) / CHAIN * 1e9

    track_chain_gradient.unit = "ns"


class HestonRows:
    """Nanoseconds a row and instruction: a value and the sum of six gradients."""

    params = ((8, 16, 64, 256, None), (1, 2))
    param_names = ("lanes", "threads")

    def setup(self, lanes, threads):
        self.program = record_heston()
        self.rows = self.program.batch(in_dims=(*[None] * len(MODEL), 0), lanes=lanes, threads=threads)
        self.shocks = np.random.default_rng(0).standard_normal((ROWS, 2, STEPS))
        self.track_sum_of_gradients(lanes, threads)
        self.track_values(lanes, threads)

    def track_sum_of_gradients(self, lanes, threads):
        seconds = best_seconds(lambda: self.rows.grad(*MODEL, self.shocks, argnums=GREEKS, reduce="sum"), repeats=5)
        return seconds / ROWS / len(self.program) * 1e9

    def track_values(self, lanes, threads):
        return best_seconds(lambda: self.rows(*MODEL, self.shocks), repeats=5) / ROWS / len(self.program) * 1e9

    def track_rows_a_second(self, lanes, threads):
        return ROWS / best_seconds(lambda: self.rows.grad(*MODEL, self.shocks, argnums=GREEKS, reduce="sum"), repeats=5)

    track_sum_of_gradients.unit = track_values.unit = "ns"
    track_rows_a_second.unit = "rows/s"


class Guards:
    """The cost of guards that hold, in a replay and over rows."""

    params = (0, 10, 100)
    param_names = ("guards",)

    def setup(self, guards):
        import tapediff as td

        self.program = td.record(lambda x: guarded(x, guards), 1.0)
        self.rows = self.program.batch(threads=1)
        self.x = np.linspace(0.5, 2, ROWS)
        self.time_replay(guards)
        self.time_rows(guards)

    def time_replay(self, guards):
        self.program(1.0)

    def time_rows(self, guards):
        self.rows(self.x)
