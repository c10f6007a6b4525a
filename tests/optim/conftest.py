"""Lets these tests use the comparison with PyTorch that stands beside the tests of modules."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "nn"))
