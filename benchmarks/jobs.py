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
QUOTE = {"spot": 100.0, "variance": 0.04, "reversion": 1.5, "level": 0.05, "volatility": 0.4, "correlation": -0.6, "rate": 0.03,
         "strike": 105.0, "maturity": 1.0}


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




class FromFileToFile:
    """Heston's model, value and gradients of every row: the job's time as a multiple of the batch in memory.

    "quotes"  the example's: four columns, an integral over the characteristic function, gradients by nine numbers
    "paths"   a hundred normals a row, one path of 50 steps: so little arithmetic for a byte that moving bytes takes as long
    """

    params = ("quotes", "paths")
    param_names = ("rows of",)
    timeout = 600

    def setup(self, kind):
        import tapediff as td

        self.folder = Path(tempfile.mkdtemp())
        if kind == "quotes":
            sys.path.append(str(Path(__file__).parent.parent))  # asv imports the benchmarks alone
            from examples.heston.model import call_price
            from examples.heston.prepare import PARAMETERS, quadrature, quotes

            self.f, self.rows = call_price, quotes(ROWS)
            self.shared = dict(zip(("parameters", "nodes", "weights"), (PARAMETERS, *quadrature()), strict=True))
            self.wrt = (*self.rows, "parameters")
        else:
            shocks = np.random.default_rng(1).standard_normal((ROWS, 2, STEPS))
            self.f, self.rows, self.wrt = payoff, {"shocks": shocks}, tuple(QUOTE)
            self.shared = {name: np.array(value) for name, value in QUOTE.items()}
        for name, array in self.rows.items():
            np.save(self.folder / f"{name}.npy", array)
        inputs = self.rows | self.shared
        examples = [array[0] if name in self.rows else array for name, array in inputs.items()]
        program = td.record(self.by_position(inputs), *examples)
        batch = program.batch(in_dims=tuple(0 if name in self.rows else None for name in inputs))
        argnums = tuple(list(inputs).index(name) for name in self.wrt)
        self.in_memory = lambda: batch.value_and_grad(*inputs.values(), argnums=argnums)
        for _ in range(2):
            self.in_memory()
            self.job()

    def by_position(self, names):
        """The function with the inputs in the order of their names."""
        return lambda *arguments: self.f(**dict(zip(names, arguments, strict=True)))

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
