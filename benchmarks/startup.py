"""Start-up of a new process: the import, and the first gradient with empty and with warm caches."""

import os
import subprocess
import sys
import tempfile

IMPORT = "from time import perf_counter as now; start = now(); import {module}; print(now() - start)"
FIRST_GRADIENT = """
from time import perf_counter as now
import tapediff as td
start = now()
v = td.tensor([0.1, 0.2, 0.3], dtype=td.float64, requires_grad=True)
((v**2 + 3 * v).sin() * v.exp()).mean().backward()
print(now() - start)
"""


def seconds_in_new_process(code: str, **environment: str) -> float:
    """What `code` prints, run by a new interpreter."""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


class Import:
    """Seconds inside `import`, the interpreter's own start not counted; numpy beside it as the measure."""

    params = ("tapediff", "numpy")
    param_names = ("module",)

    def setup(self, module):
        seconds_in_new_process(IMPORT.format(module=module))

    def track_seconds(self, module):
        return min(seconds_in_new_process(IMPORT.format(module=module)) for _ in range(7))

    track_seconds.unit = "s"


class FirstGradient:
    """Seconds from the end of the import to the end of the first `backward()`."""

    timeout = 300

    def setup(self):
        self.folder = tempfile.TemporaryDirectory()
        self.caches = {name: os.path.join(self.folder.name, name) for name in ("NUMBA_CACHE_DIR", "TAPEDIFF_CACHE_DIR")}

    def teardown(self):
        self.folder.cleanup()

    def track_seconds_with_empty_caches(self):
        return seconds_in_new_process(FIRST_GRADIENT, **self.caches)

    def track_seconds_with_warm_caches(self):
        seconds_in_new_process(FIRST_GRADIENT, **self.caches)
        return min(seconds_in_new_process(FIRST_GRADIENT, **self.caches) for _ in range(5))

    track_seconds_with_empty_caches.unit = "s"
    track_seconds_with_warm_caches.unit = "s"
