"""The compiled tape beside the interpreter: what building takes, what a call and a row take, and after how many rows it pays."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import best_seconds
from benchmarks.programs import GREEKS, MODEL, ROWS, STEPS, record_heston

BUILD = """
from time import perf_counter as now
import numpy as np
import tapediff as td
program = td.record(lambda x, w: links(x, w), 0.9, 0.8)
program.using("interpreter").value_and_grad(0.9, 0.8, argnums=(0, 1))
compiled = program.using("compiled")
start = now()
compiled.value_and_grad(0.9, 0.8, argnums=(0, 1))
print(now() - start)
"""
HESTON = """
from time import perf_counter as now
import numpy as np
from benchmarks.programs import GREEKS, MODEL, STEPS, record_heston
from tapediff.program import executors

compile_schedule = executors.compile_schedule

def timed(*arguments, **options):
    start = now()
    found = compile_schedule(*arguments, **options)
    print(now() - start)
    return found

executors.compile_schedule = timed
rows = record_heston().batch(in_dims=(*[None] * len(MODEL), 0), threads=1, executor="compiled")
rows.value_and_grad(*MODEL, np.zeros((8, 2, STEPS)), argnums=GREEKS)
"""
LINKS = """
def links(x, w):
    for k in range({links}):
        x = (x * w + {number}).sin() * 0.9
    return x
"""


def seconds_printed(code, cache):
    """What a process of its own prints, whose kernels and compiled tapes are kept in the folder `cache`."""
    settings = os.environ | {"TAPEDIFF_CACHE_DIR": cache}
    # the suites alone are found where they lie: tapediff is the installed one
    start = f"import sys; sys.path.append({str(Path(__file__).parent.parent)!r})\n"
    done = subprocess.run([sys.executable, "-P", "-c", start + code], env=settings, capture_output=True, text=True, check=True)
    return float(done.stdout)


def build_seconds(instructions, cache):
    """Seconds until the first gradient of a program that is recorded and has been interpreted."""
    return seconds_printed(LINKS.format(links=instructions // 4, number=0.5) + BUILD, cache)


class Build:
    """Milliseconds an instruction to print, compile and load; and to load what an earlier process has compiled."""

    params = (1_000,)
    param_names = ("instructions",)
    timeout = 300

    def setup(self, instructions):
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self, instructions):
        self.folder.cleanup()

    def track_build(self, instructions):
        return build_seconds(instructions, self.folder.name) / instructions * 1e3

    def track_load(self, instructions):
        build_seconds(instructions, self.folder.name)
        return min(build_seconds(instructions, self.folder.name) for _ in range(3)) / instructions * 1e3

    track_build.unit = track_load.unit = "ms"


class HestonBuild:
    """Seconds to print, compile and load Heston's program; and to load what an earlier process has compiled."""

    timeout = 300

    def setup(self):
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self):
        self.folder.cleanup()

    def track_build(self):
        return seconds_printed(HESTON, self.folder.name)

    def track_load(self):
        seconds_printed(HESTON, self.folder.name)
        return min(seconds_printed(HESTON, self.folder.name) for _ in range(3))

    track_build.unit = track_load.unit = "s"


class Calls:
    """One call with floats, of a chain of 300 instructions with sin."""

    params = ("interpreter", "compiled")
    param_names = ("executor",)

    def setup(self, executor):
        import tapediff as td

        def links(x):
            y = x
            for _ in range(100):
                y = (y * x + 0.5).sin()
            return y

        self.program = td.record(links, 0.9).using(executor)
        self.time_value(executor)
        self.time_value_and_grad(executor)

    def time_value(self, executor):
        self.program(0.9)

    def time_value_and_grad(self, executor):
        self.program.value_and_grad(0.9)


class HestonRows:
    """Nanoseconds a row and instruction on one thread: values; values and six gradients of each row."""

    params = ("interpreter", "compiled")
    param_names = ("executor",)
    timeout = 300

    def setup(self, executor):
        self.program = record_heston()
        self.rows = self.program.batch(in_dims=(*[None] * len(MODEL), 0), threads=1, executor=executor)
        self.shocks = np.random.default_rng(0).standard_normal((ROWS, 2, STEPS))
        self.track_values(executor)
        self.track_gradients(executor)

    def track_values(self, executor):
        return best_seconds(lambda: self.rows(*MODEL, self.shocks), repeats=5) / ROWS / len(self.program) * 1e9

    def track_gradients(self, executor):
        seconds = best_seconds(lambda: self.rows.value_and_grad(*MODEL, self.shocks, argnums=GREEKS), repeats=5)
        return seconds / ROWS / len(self.program) * 1e9

    track_values.unit = track_gradients.unit = "ns"
