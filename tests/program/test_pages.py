"""The pages about programs: what their examples print is what happens."""

import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("page", ["program_files.md"])
def test_examples_print_what_the_page_says(page):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(DOCS / page), module_relative=False, optionflags=flags)
    assert found.attempted
    assert not found.failed
