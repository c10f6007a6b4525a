"""Settings that every test shares."""

import os

# Before NumPy and PyTorch are loaded: their threads are of no use on arrays this small, and wait for each other on a busy
# machine.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from hypothesis import settings  # noqa: E402

# The first run of an operation builds its kernel, so one example may take a thousand times as long as the next.
settings.register_profile("tapediff", deadline=None)
settings.load_profile("tapediff")
