"""Random numbers: seeds and states repeat draws, distributions have their moments, and every error."""

import threading

import numpy as np
import pytest
from beside_torch import check_error

import tapediff as td
from tapediff.functions.random import FILLERS

DRAWS = {
    "rand": lambda g: td.rand(5, generator=g),
    "randn": lambda g: td.randn(2, 3, generator=g, dtype=td.float64),
    "randint": lambda g: td.randint(100, (7,), generator=g),
    "randperm": lambda g: td.randperm(9, generator=g),
    "normal": lambda g: td.normal(1.0, 2.0, (4,), generator=g),
    "normal of tensors": lambda g: td.normal(td.zeros(2, 1), td.ones(3), generator=g),
    "bernoulli": lambda g: td.bernoulli(td.full((20,), 0.5), generator=g),
    "multinomial": lambda g: td.multinomial(td.ones(2, 9), 4, generator=g),
    "multinomial with replacement": lambda g: td.multinomial(td.ones(9), 20, replacement=True, generator=g),
    "poisson": lambda g: td.poisson(td.full((9,), 3.0), generator=g),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_seed_gives_the_same_numbers(name):
    draw = DRAWS[name]
    td.manual_seed(7)
    first, second = draw(None).tolist(), draw(None).tolist()
    td.manual_seed(7)
    assert draw(None).tolist() == first
    assert draw(None).tolist() == second
    assert draw(td.Generator().manual_seed(7)).tolist() == first


def test_a_generator_is_apart_from_the_default_one():
    td.manual_seed(1)
    first = td.rand(3).tolist()
    td.manual_seed(1)
    td.rand(3, generator=td.Generator())
    assert td.rand(3).tolist() == first


def test_seeds():
    assert td.manual_seed(5).initial_seed() == td.initial_seed() == 5
    assert td.manual_seed(-1).initial_seed() == 2**64 - 1
    assert td.Generator().initial_seed() == 67280421310721
    assert td.seed() == td.initial_seed() != td.seed()


def test_a_state_brings_the_draws_back():
    td.manual_seed(3)
    td.randint(9, (3,), dtype=td.int32)
    state = td.get_rng_state()
    first = td.randn(5).tolist()
    td.set_rng_state(state)
    assert td.randn(5).tolist() == first
    other = td.Generator().set_state(state)
    assert td.randn(5, generator=other).tolist() == first


def test_threads_share_a_generator_without_losing_draws():
    def draw():
        found.extend(td.rand(1).item() for _ in range(200))

    found = []
    td.manual_seed(0)
    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    td.manual_seed(0)
    assert sorted(found) == sorted(td.rand(1).item() for _ in range(800))


@pytest.mark.parametrize("dtype", [td.float32, td.float64])
def test_moments(dtype):
    td.manual_seed(0)
    uniform, normal = td.rand(40000, dtype=dtype).numpy(), td.randn(40000, dtype=dtype).numpy()
    assert uniform.dtype == normal.dtype == dtype.numpy
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.01
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02


def test_integers_cover_their_range():
    td.manual_seed(0)
    found = td.randint(-2, 3, (1000,))
    assert found.dtype is td.int64
    assert found.unique().tolist() == [-2, -1, 0, 1, 2]
    assert td.randint(low=5, high=6, size=(2,), dtype=td.float32).tolist() == [5.0, 5.0]
    assert td.randint(high=1, size=(2,)).tolist() == [0, 0]
    assert td.randint(2, (4,), dtype=td.bool).dtype is td.bool


def test_permutations_hold_every_number():
    assert sorted(td.randperm(50).tolist()) == list(range(50))
    assert td.randperm(0).tolist() == []
    assert td.randperm(3, dtype=td.float32).dtype is td.float32


def test_weights_decide_what_is_picked():
    td.manual_seed(0)
    assert td.multinomial(td.tensor([0.0, 1.0, 0.0]), 1).tolist() == [1]
    assert sorted(td.multinomial(td.tensor([1.0, 2.0, 3.0]), 3).tolist()) == [0, 1, 2]
    picked = td.multinomial(td.tensor([[1.0, 3.0], [3.0, 1.0]]), 8000, replacement=True).numpy()
    assert np.all(abs(picked.mean(axis=1) - [0.75, 0.25]) < 0.02)
    one = np.array([td.multinomial(td.tensor([1.0, 3.0]), 1).item() for _ in range(2000)])
    assert abs(one.mean() - 0.75) < 0.04


def test_bernoulli_keeps_certainties():
    assert td.bernoulli(td.tensor([0.0, 1.0])).tolist() == [0.0, 1.0]
    assert td.bernoulli(td.arange(3), 1.0).tolist() == [1, 1, 1]


def test_normal_uses_each_mean_and_deviation():
    assert td.normal(td.tensor([1.0, 2.0]), td.zeros(2)).tolist() == [1.0, 2.0]
    assert td.normal(td.tensor([1.0, 2.0]), 0.0).tolist() == [1.0, 2.0]
    assert td.normal(3.0, td.zeros(2)).tolist() == [3.0, 3.0]
    assert td.normal(td.zeros(2)).shape == (2,)
    assert not td.normal(td.zeros(2, requires_grad=True), 1.0).requires_grad


def test_like_takes_shape_and_dtype():
    x = td.zeros(2, 3, dtype=td.float64)
    for made in (td.rand_like(x), td.randn_like(x), td.randint_like(x, 5), td.randint_like(x, 2, 5)):
        assert made.shape == (2, 3)
        assert made.dtype is td.float64
    assert td.randn_like(x, dtype=td.float32).dtype is td.float32


FILLED = {
    "uniform_": ((-2.0, 2.0), lambda a: a.min() >= -2 and a.max() < 2 and abs(a.mean()) < 0.1),
    "normal_": ((5.0, 0.1), lambda a: abs(a.mean() - 5) < 0.01 and abs(a.std() - 0.1) < 0.01),
    "bernoulli_": ((0.25,), lambda a: set(a.tolist()) == {0.0, 1.0} and abs(a.mean() - 0.25) < 0.03),
    "random_": ((2, 5), lambda a: set(a.tolist()) == {2.0, 3.0, 4.0}),
    "exponential_": ((2.0,), lambda a: a.min() >= 0 and abs(a.mean() - 0.5) < 0.05),
    "log_normal_": ((0.0, 0.5), lambda a: a.min() > 0 and abs(np.log(a).std() - 0.5) < 0.05),
    "cauchy_": ((1.0, 2.0), lambda a: abs(np.median(a) - 1) < 0.2),
    "geometric_": ((0.5,), lambda a: a.min() == 1 and abs(a.mean() - 2) < 0.15),
}


@pytest.mark.parametrize("name", FILLERS)
def test_fillers_draw_their_distribution(name):
    arguments, holds = FILLED[name]
    for dtype in (td.float32, td.float64):
        made = FILLERS[name]((4000,), dtype, *arguments, generator=td.Generator().manual_seed(2))
        assert made.dtype == dtype.numpy
        assert made.shape == (4000,)
        assert holds(made)


def test_fillers_take_the_word_from():
    assert FILLERS["uniform_"]((3,), td.float32, **{"from": 4, "to": 4}).tolist() == [4, 4, 4]
    assert FILLERS["random_"]((3,), td.int64, 1).tolist() == [0, 0, 0]
    with pytest.raises(TypeError, match="unexpected keyword argument 'from_'"):
        FILLERS["uniform_"]((3,), td.float32, from_=1)


ERRORS = {
    "randint empty range": (
        lambda t: t.randint(3, 3, (1,)),
        "random_ expects 'from' to be less than 'to', but got from=3 >= to=3",
    ),
    "randint no size": (lambda t: t.randint(3), "randint() received an invalid combination of arguments"),
    "randint float": (lambda t: t.randint(0, 2.5, (2,)), "randint() received an invalid combination of arguments"),
    "randint size": (lambda t: t.randint(0, 3, 2), "randint() received an invalid combination of arguments"),
    "randint bounds": (lambda t: t.randint(0, 2**40, (2,), dtype=t.int32), "to - 1 is out of bounds for int"),
    "randperm negative": (lambda t: t.randperm(-1), "Trying to create tensor with negative dimension -1: [-1]"),
    "randperm text": (lambda t: t.randperm("a"), "randperm(): argument 'n' (position 1) must be int, not str"),
    "rand integers": (lambda t: t.rand(2, dtype=t.int64), "\"check_uniform_bounds\" not implemented for 'Long'"),
    "randn integers": (lambda t: t.randn(2, dtype=t.int64), "\"normal_kernel_cpu\" not implemented for 'Long'"),
    "rand negative": (lambda t: t.rand(-1), "Trying to create tensor with negative dimension -1: [-1]"),
    "rand generator": (lambda t: t.rand(2, generator=3), "rand() received an invalid combination of arguments"),
    "normal no size": (lambda t: t.normal(0.0, 1.0), "normal() received an invalid combination of arguments"),
    "normal negative": (lambda t: t.normal(0.0, -1.0, (2,)), "normal expects std >= 0.0, but found std -1"),
    "normal negative tensor": (lambda t: t.normal(t.zeros(2), -t.ones(2)), "normal expects all elements of std >= 0.0"),
    "normal shapes": (lambda t: t.normal(t.zeros(2), t.ones(3)), "The size of tensor a (2) must match the size of tensor b (3)"),
    "bernoulli range": (lambda t: t.bernoulli(t.tensor([0.0, 2.0])), "Expected p_in >= 0 && p_in <= 1 to be true"),
    "bernoulli number": (lambda t: t.bernoulli(t.zeros(2), 1.5), "bernoulli_ expects p to be in [0, 1], but got p=1.5"),
    "bernoulli integers": (lambda t: t.bernoulli(t.tensor([1])), "not implemented for 'Long'"),
    "multinomial negative": (
        lambda t: t.multinomial(t.tensor([-1.0, 1.0]), 1),
        "probability tensor contains either `inf`, `nan` or element < 0",
    ),
    "multinomial many": (
        lambda t: t.multinomial(t.ones(2), 3),
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement",
    ),
    "multinomial none": (lambda t: t.multinomial(t.ones(2), 0), "cannot sample n_sample <= 0 samples"),
    "multinomial zeros": (lambda t: t.multinomial(t.zeros(2), 1), "invalid multinomial distribution"),
    "multinomial integers": (
        lambda t: t.multinomial(t.tensor([1, 2]), 1),
        "multinomial only supports floating-point dtypes for input, got: Long",
    ),
    "multinomial dims": (lambda t: t.multinomial(t.ones(2, 2, 2), 1), "prob_dist must be 1 or 2 dim"),
    "seed text": (lambda t: t.manual_seed("a"), "invalid literal for int()"),
    "seed overflow": (lambda t: t.manual_seed(2**64), "Overflow when unpacking long"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check_error(*ERRORS[name])


FILLER_ERRORS = {
    "uniform_": (
        lambda: FILLERS["uniform_"]((2,), td.float32, 3, 1),
        "uniform_ expects to return a [from, to) range, but found from=3 > to=1",
    ),
    "normal_": (lambda: FILLERS["normal_"]((2,), td.float32, 0, -1), "normal expects std >= 0.0, but found std -1"),
    "exponential_": (
        lambda: FILLERS["exponential_"]((2,), td.float32, -1),
        "exponential_ expects lambda > 0.0, but found lambda=-1",
    ),
    "log_normal_": (lambda: FILLERS["log_normal_"]((2,), td.float32, 0, -1), "log_normal_ expects std > 0.0, but found std=-1"),
    "cauchy_": (lambda: FILLERS["cauchy_"]((2,), td.float32, 0, -1), "cauchy_ expects sigma > 0.0, but found sigma=-1"),
    "geometric_": (lambda: FILLERS["geometric_"]((2,), td.float32, 0), "geometric_ expects p to be in (0, 1), but got p=0"),
    "random_": (
        lambda: FILLERS["random_"]((2,), td.float32, 3, 2),
        "random_ expects 'from' to be less than 'to', but got from=3 >= to=2",
    ),
}


@pytest.mark.parametrize("name", FILLER_ERRORS)
def test_filler_error(name):
    make, phrase = FILLER_ERRORS[name]
    with pytest.raises(RuntimeError) as caught:
        make()
    assert phrase in str(caught.value)
