"""Measures the machine, not the project: where this moves, the other figures of the same run moved with it."""

import numpy as np


class Control:
    def setup(self):
        self.array = np.random.default_rng(0).standard_normal(10_000)

    def time_python_loop(self):
        total = 0
        for number in range(10_000):
            total += number
        return total

    def time_numpy_sine(self):
        return np.sin(self.array)
