"""Lets these tests use the table of parity cases: every op in every form."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "parity"))
