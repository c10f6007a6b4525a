"""torch.random: the default generator, and blocks that leave it as it was."""

import pytest

import tapediff as td


def test_the_namespace_holds_the_functions_of_the_package():
    for name in ("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state"):
        assert getattr(td.random, name) is getattr(td, name)


def test_what_is_drawn_in_a_fork_does_not_count():
    td.random.manual_seed(7)
    wanted = td.rand(4).tolist()
    td.random.manual_seed(7)
    with td.random.fork_rng():
        td.manual_seed(1)
        td.rand(9)
    assert td.rand(4).tolist() == wanted
    assert td.random.initial_seed() == 7


def test_a_fork_ends_with_an_error_as_without():
    td.manual_seed(7)
    state = td.get_rng_state().tolist()

    def fail():
        with td.random.fork_rng():
            raise ZeroDivisionError(td.rand(9))

    with pytest.raises(ZeroDivisionError):
        fail()
    assert td.get_rng_state().tolist() == state


def test_a_disabled_fork_is_none():
    td.manual_seed(7)
    state = td.get_rng_state().tolist()
    with td.random.fork_rng(enabled=False):
        td.rand(9)
    assert td.get_rng_state().tolist() != state


def test_devices_that_are_not_there_are_refused():
    with pytest.raises(RuntimeError, match="CPU only"), td.random.fork_rng(devices=[0]):
        pass
