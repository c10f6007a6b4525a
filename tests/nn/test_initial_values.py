"""The old names of nn.init warn and do what the new ones do."""

import pytest

import tapediff as td
from tapediff import nn


@pytest.mark.parametrize("name", ["uniform", "normal", "eye", "xavier_uniform", "xavier_normal", "kaiming_uniform",
                                  "kaiming_normal", "orthogonal"])
def test_an_old_name_is_the_new_one_with_a_warning(name):
    td.manual_seed(3)
    wanted = getattr(nn.init, f"{name}_")(td.empty(3, 4)).tolist()
    td.manual_seed(3)
    with pytest.warns(FutureWarning, match=rf"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`."):
        found = getattr(nn.init, name)(td.empty(3, 4))
    assert found.tolist() == wanted
