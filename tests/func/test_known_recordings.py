"""A transform runs its function at each call, so that it follows whatever changed since the last one."""

import gc
import tracemalloc

import numpy as np
import pytest

import tapediff as td
from tapediff.func.transforms import derivative_of

TRANSFORMS = {
    "vmap": lambda f: td.func.vmap(f)(td.tensor([0.5, 1.5], dtype=td.float64)).numpy(),
    "vmap of grad": lambda f: td.func.vmap(td.func.grad(f))(td.tensor([0.5, 1.5], dtype=td.float64)).numpy(),
    "jacrev": lambda f: td.func.jacrev(f)(td.tensor(0.5, dtype=td.float64)).numpy(),
    "hessian": lambda f: td.func.hessian(f)(td.tensor(0.5, dtype=td.float64)).numpy(),
}
EXPECTED = {  # of c * x**3
    "vmap": lambda c: c * np.array([0.5, 1.5])**3,
    "vmap of grad": lambda c: 3 * c * np.array([0.5, 1.5])**2,
    "jacrev": lambda c: 3 * c * 0.5**2,
    "hessian": lambda c: 6 * c * 0.5,
}


@pytest.fixture(params=TRANSFORMS)
def name(request):
    return request.param


def test_a_number_from_outside_that_changes_is_followed(name):
    for c in (2.0, 3.0, 0.0, -0.0, 2.0, float("inf")):
        found = TRANSFORMS[name](lambda x, c=c: c * x**3)
        np.testing.assert_array_equal(found, EXPECTED[name](c))
        if name == "vmap":  # where an adjoint is zero, so is the product, without its sign
            np.testing.assert_array_equal(np.signbit(found), np.signbit(EXPECTED[name](c)))


def test_a_tensor_from_outside_that_is_written_is_followed(name):
    c = td.tensor(2.0, dtype=td.float64)
    for value in (2.0, 5.0):
        c.fill_(value)
        np.testing.assert_allclose(TRANSFORMS[name](lambda x, c=c: c * x**3), EXPECTED[name](value))


def test_another_tensor_from_outside_is_another_tensor(name):
    for value in (2.0, 5.0):
        c = td.tensor(value, dtype=td.float64)
        np.testing.assert_allclose(TRANSFORMS[name](lambda x, c=c: c * x**3), EXPECTED[name](value))


def test_two_tensors_from_outside_keep_their_places(name):
    tensors = [td.tensor(value, dtype=td.float64) for value in (2.0, 5.0)]
    for a, b in (tensors, tensors[::-1], [tensors[0]] * 2):
        np.testing.assert_allclose(TRANSFORMS[name](lambda x, a=a, b=b: a * x**3 - b * 0), EXPECTED[name](a.item()))


def test_a_constant_made_inside_that_changes_is_followed(name):
    for value in (2.0, 5.0):
        found = TRANSFORMS[name](lambda x, value=value: (td.tensor([value, 1.0], dtype=td.float64) * x**3)[0])
        np.testing.assert_allclose(found, EXPECTED[name](value))


def test_a_side_effect_happens_at_each_call(name):
    calls = []

    def f(x):
        calls.append(1)
        return 2 * x**3

    for number in (1, 2, 3):
        np.testing.assert_allclose(TRANSFORMS[name](f), EXPECTED[name](2.0))
        assert len(calls) == number


def test_what_python_decides_by_is_part_of_a_recording(name):
    for c in (2.0, 3.0, 2.0):
        limit = td.tensor(c, dtype=td.float64)

        def f(x):
            return (2.0 if limit > 2.5 else 1.0) * x**3  # noqa: B023

        np.testing.assert_allclose(TRANSFORMS[name](f), EXPECTED[name](2.0 if c > 2.5 else 1.0))


def test_a_decision_that_leads_to_the_same_instructions_is_part_of_a_recording():
    def f(x):
        assert bool(x > 1) in (True, False)
        return 2 * x**3

    for transform in (td.func.vmap, lambda f: td.func.vmap(td.func.grad(f))):
        assert transform(f)(td.tensor([0.5, 1.5])).shape == (2,)


def test_a_wrapper_is_not_taken_for_the_derivative_that_it_wraps():
    import functools
    gradient = td.func.grad(td.sin)

    @functools.wraps(gradient)
    def twice(x):
        return 2 * gradient(x)

    assert derivative_of(gradient) is not None
    assert derivative_of(twice) is None
    np.testing.assert_allclose(td.func.vmap(twice)(td.zeros(3)).numpy(), np.full(3, 2.0))


def test_values_are_not_computed_for_a_recording_that_is_known():
    seen = []

    def f(x):
        y = x * 2
        seen.append(y)
        return y * y

    for _ in range(3):
        td.func.jacrev(f)(td.tensor(3.0))
    assert seen[-1].segment.count == 0
    assert seen[-1].item() == 6.0  # and whoever asks for them gets them


def test_large_constants_are_not_kept_for_ever(monkeypatch):
    from tapediff.program import known
    monkeypatch.setattr(known, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(known, "_recordings", known._Latest())
    monkeypatch.setattr(known, "_programs", known._Latest())
    for value in range(8):
        constant = np.full(50_000, float(value))
        found = td.func.jacrev(lambda x, c=constant: (x * td.tensor(c)).sum())(td.tensor(1.0))
        assert found.item() == 5e4 * value
        for latest in (known._recordings, known._programs):
            assert sum(latest.sizes.values()) <= 1 << 20
            assert latest.sizes.keys() == latest.entries.keys()


def test_recordings_wait_for_no_garbage_collector():
    w, x = td.randn(300, 300), td.randn(2, 300)
    calls = {
        "vmap of grad": lambda: td.func.vmap(td.func.grad(lambda w, x: (w @ x).sin().sum()), in_dims=(None, 0))(w, x),
        "jacrev": lambda: td.func.jacrev(lambda w: (w * 2)[0, 0])(w),
        "record": lambda: td.record(lambda w: (w * 2).sum() if w[0, 0] < 1e9 else w.sum(), w),
    }
    for name, call in calls.items():
        for _ in range(3):
            call()
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for _ in range(12):
                call()
            assert tracemalloc.get_traced_memory()[0] < 5 * w.nbytes, name  # each call copies w
        finally:
            tracemalloc.stop()
            gc.enable()
