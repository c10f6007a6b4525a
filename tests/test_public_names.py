"""The names of the package: all that it promises to load later can be loaded."""

import pytest

import tapediff as td

LATER = (*td._LAZY, *td._FROM)


@pytest.mark.parametrize("name", LATER)
def test_a_name_that_is_loaded_when_first_used_is_there(name):
    assert td.__getattr__(name) is getattr(td, name)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(td, "no_such_name")
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        td.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", ["complex64", "half", "bfloat16", "sparse_coo_tensor", "view_as_complex"])
def test_what_cannot_work_is_not_there(name):
    assert not hasattr(td, name)
