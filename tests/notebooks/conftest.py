"""The notebooks are run by tests/test_notebooks.py; pytest must not import them as modules with doctests."""

collect_ignore_glob = ["*.py"]
