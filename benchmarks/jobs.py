"""Batch jobs: from files to files against the same rows in memory, memory for few and many rows, the command's start.

TAPEDIFF_JOB_ROWS sets the rows (100,000): with a million, the first is the ratio that docs/jobs.md tells.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

ROWS = int(os.environ.get("TAPEDIFF_JOB_ROWS", "100000"))
STEPS = 50
QUOTES = ("spot", "variance", "reversion", "level", "volatility", "correlation", "rate", "strike", "maturity")
LOW = (90.0, 0.02, 1.0, 0.02, 0.2, -0.8, 0.0, 80.0, 0.2)
HIGH = (110.0, 0.09, 3.0, 0.09, 0.6, -0.2, 0.05, 120.0, 2.0)
PATHS = 4  # that price a quote


def payoff(spot, variance, reversion, level, volatility, correlation, rate, strike, maturity, shocks):
    """The discounted payoff of a call on one path of Heston's model (full truncation, Euler)."""
    import tapediff as td

    step = maturity / STEPS
    root_step = step.sqrt()
    across = (1 - correlation * correlation).sqrt()
    logarithm = spot.log()
    for k in range(STEPS):
        positive = td.clamp_min(variance, 1e-12)
        root = positive.sqrt() * root_step
        logarithm = logarithm + (rate - 0.5 * positive) * step + root * shocks[0, k]
        noise = correlation * shocks[0, k] + across * shocks[1, k]
        variance = variance + reversion * (level - positive) * step + volatility * root * noise
    return td.exp(-rate * maturity) * td.clamp_min(logarithm.exp() - strike, 0.0)


def price(spot, variance, reversion, level, volatility, correlation, rate, strike, maturity, shocks):
    """The price of a quote: the mean payoff over a few paths that all quotes share."""
    quote = spot, variance, reversion, level, volatility, correlation, rate, strike, maturity
    return sum(payoff(*quote, shocks[path]) for path in range(PATHS)) / PATHS


def quotes(rows):
    """A table of quotes: a column for each parameter."""
    rng = np.random.default_rng(0)
    return {name: rng.uniform(low, high, rows) for name, low, high in zip(QUOTES, LOW, HIGH, strict=True)}


class FromFileToFile:
    """Heston's model, value and gradients of every row: the job's time as a multiple of the batch in memory.

    "quotes"  nine columns, priced over four shared paths of 50 steps
    "paths"   a hundred normals a row, one path; so little arithmetic for a byte that moving the bytes takes longer
    """

    params = ("quotes", "paths")
    param_names = ("rows of",)
    timeout = 600

    def setup(self, kind):
        import tapediff as td

        self.folder = Path(tempfile.mkdtemp())
        rng = np.random.default_rng(1)
        if kind == "quotes":
            self.rows, self.shared = quotes(ROWS), {"shocks": rng.standard_normal((PATHS, 2, STEPS))}
            self.f, self.wrt = price, QUOTES
        else:
            self.rows = {"shocks": rng.standard_normal((ROWS, 2, STEPS))}
            self.shared = {name: np.array(value[0]) for name, value in quotes(1).items()}
            self.f, self.wrt = payoff, QUOTES
        for name, array in self.rows.items():
            np.save(self.folder / f"{name}.npy", array)
        names = [*QUOTES, "shocks"]
        arrays = [(self.rows | self.shared)[name] for name in names]
        program = td.record(self.f, *[array[0] if name in self.rows else array for name, array in zip(names, arrays)])
        batch = program.batch(in_dims=tuple(0 if name in self.rows else None for name in names))
        self.in_memory = lambda: batch.value_and_grad(*arrays, argnums=tuple(range(len(QUOTES))))
        for _ in range(2):
            self.in_memory()
            self.job()

    def job(self):
        """The job, its start with the digests of the inputs among it."""
        import tapediff as td

        shutil.rmtree(self.folder / "out", ignore_errors=True)
        start = perf_counter()
        files = {name: str(self.folder / f"{name}.npy") for name in self.rows}
        td.jobs.run(self.f, rows=files, shared=self.shared, wrt=self.wrt, out=self.folder / "out")
        return perf_counter() - start

    def track_ratio(self, kind):
        memory, job = [], []
        for _ in range(5):
            start = perf_counter()
            self.in_memory()
            memory.append(perf_counter() - start)
            job.append(self.job())
        return min(job) / min(memory)

    def teardown(self, kind):
        shutil.rmtree(self.folder)

    track_ratio.unit = "x"


MEMORY = """
import sys
import tapediff as td

def f(x):
    return x[0] * x[1] + (x[2] * x[3]).sin() + x[4].exp() * x[5] + x[6] * x[7] + (x[8] * x[9]).tanh()

td.jobs.run(f, rows={"x": sys.argv[1]}, wrt="x", out=sys.argv[2])
with open("/proc/self/status") as file:  # not ru_maxrss, which counts what the parent had when it forked
    print(next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM")))
"""


def peak_of_job(rows):
    """The largest resident memory of a process that runs a job of ten columns."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(rows, 10))
        rng = np.random.default_rng(0)
        for first in range(0, rows, 100_000):
            array[first : first + 100_000] = rng.standard_normal((min(100_000, rows - first), 10))
        del array
        command = [sys.executable, "-c", MEMORY, str(path), str(Path(folder) / "out")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
        return float(done.stdout)


def environment():
    """Of a process that imports what this one does."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class Memory:
    """The largest resident memory of a job's process, about 150 MB of which are the interpreter and what it loads."""

    params = (100_000, 10 * ROWS)
    param_names = ("rows",)
    timeout = 600

    def track_peak(self, rows):
        return peak_of_job(rows)

    track_peak.unit = "B"


MODEL = """
def f(x):
    return (x * x).sum()
"""


class Start:
    """Seconds from the command to the first finished chunk in the journal, with warm caches."""

    def setup(self):
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "model.py").write_text(MODEL)
        np.save(self.folder / "x.npy", np.ones((1000, 10)))
        self.seconds()

    def seconds(self):
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        start = perf_counter()
        command = [sys.executable, "-m", "tapediff", "run", "model.py:f", "--rows", "x=x.npy", "--wrt", "x", "--out", "out",
                   "--quiet"]
        subprocess.run(command, cwd=self.folder, check=True, env=environment())
        return perf_counter() - start

    def track_first_chunk(self):
        return min(self.seconds() for _ in range(3))

    def teardown(self):
        shutil.rmtree(self.folder)

    track_first_chunk.unit = "s"
