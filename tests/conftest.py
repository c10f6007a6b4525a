"""Settings that every test shares."""

from hypothesis import settings

# The first run of an operation builds its kernel, so one example may take a thousand times as long as the next.
settings.register_profile("tapediff", deadline=None)
settings.load_profile("tapediff")
