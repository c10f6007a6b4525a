"""`python -m tapediff` is the command `tapediff`."""

import sys

from tapediff.jobs.cli import main

if __name__ == "__main__":
    sys.exit(main())
