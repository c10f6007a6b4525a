"""The version of tapediff."""

__version__ = "0.1.0"
