"""The native recorder: it records what Python records, keeps no reference too many or too few, and goes away when asked."""

import gc
import inspect
import itertools
import math
import operator
import os
import pickle
import signal
import subprocess
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tapediff as td
from tapediff import native, quick, recording
from tapediff.tape.source import SOURCES
from tapediff.tensor import Tensor

(td.tensor(1.0, requires_grad=True, dtype=td.float64) * 2 + 0.5).backward()  # before other tests take up the room for numbers
if not native.install():
    assert os.environ.get("TAPEDIFF_NATIVE") == "0" or sys.implementation.name != "cpython", native.state.refusal
    pytest.skip(f"the native recorder is not used here: {native.state.refusal}", allow_module_level=True)

BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
UNARY = sorted({made.__name__ for made, (template, _) in quick.made_from.items()
                if template is quick.UNARY and made.__name__ in native.state.methods})


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    assert native.install()
    yield
    assert native.install()


def in_python(function: Callable[[], Any]) -> Any:
    native.uninstall()
    try:
        return function()
    finally:
        native.install()


def outcome(function: Callable[[], Any]) -> Any:
    """What a function records, or raises, in a fresh segment."""
    recording.close()
    recording.running()
    try:
        y = function()
    except Exception as error:
        return type(error), str(error)
    if not isinstance(y, Tensor):
        return y
    code = [value_of(number) if number < 0 else number for number in recording.modes.segment.recorded]
    held = [value_of(source.operand) for source in recording.modes.segment.held]
    return type(y), y.spec, y.slot, code, held, str(y.tolist()), getattr(y.grad_fn, "name", lambda: None)()


def value_of(operand: int) -> str:
    """The value of a source, whose number may differ from run to run."""
    source = SOURCES.owners[-operand - 1]()  # type: ignore[misc]
    return str(source.values().tolist())  # type: ignore[union-attr]


class Sub(Tensor):
    """A subclass that overrides nothing."""


class Reversing(Tensor):
    """A subclass that wants to be asked first."""

    def __radd__(self, other: Any) -> Any:
        return "reversed"

    def __mul__(self, other: Any) -> Any:
        return "forward"


class Foreign:
    """Not a tensor, but knows what to do with one."""

    def __rmul__(self, other: Any) -> Any:
        return "foreign"

    def __sub__(self, other: Any) -> Any:
        return NotImplemented


def subclassed(kind: type, value: float) -> Any:
    return td.tensor(value, dtype=td.float64).as_subclass(kind) if hasattr(Tensor, "as_subclass") else _as(kind, value)


def _as(kind: type, value: float) -> Any:
    plain = td.tensor(value, dtype=td.float64)
    made = object.__new__(kind)
    for name in ("segment", "slot", "spec", "source"):
        setattr(made, name, getattr(plain, name))
    return made


X = td.tensor(0.7, dtype=td.float64, requires_grad=True)
W = td.tensor(1.3, dtype=td.float64, requires_grad=True)
OPERANDS: dict[str, Callable[[], Any]] = {
    "leaf": lambda: X, "other leaf": lambda: W, "data": lambda: td.tensor(2.5, dtype=td.float64), "computed": lambda: X.exp() + 1,
    "row": lambda: td.tensor([1.0, 2.0, 3.0], dtype=td.float64, requires_grad=True), "float32": lambda: td.tensor(2.0),
    "column": lambda: td.ones(3, 1, dtype=td.float64), "int64": lambda: td.tensor(3), "bool": lambda: td.tensor(True),
    "empty": lambda: td.ones(0, dtype=td.float64), "large": lambda: td.ones(2000, dtype=td.float64, requires_grad=True),
    "0.5": lambda: 0.5, "2": lambda: 2, "-1": lambda: -1, "0.0": lambda: 0.0, "-0.0": lambda: -0.0, "inf": lambda: math.inf,
    "nan": lambda: math.nan, "True": lambda: True, "2**40": lambda: 2**40, "10**400": lambda: 10**400,
    "np.float64": lambda: np.float64(0.25), "np.float32": lambda: np.float32(0.25), "array": lambda: np.array([1.0, 2.0, 3.0]),
    "str": lambda: "text", "None": lambda: None, "complex": lambda: 1j, "subclass": lambda: _as(Sub, 4.0),
    "reversing": lambda: _as(Reversing, 4.0), "foreign": lambda: Foreign(), "closed": lambda: closed_segment(),
}


def closed_segment() -> Tensor:
    """A tensor of a segment that takes no more instructions."""
    y = X * 3
    recording.close()
    recording.running()
    return y


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero", "ignore:overflow")
@pytest.mark.parametrize("symbol", BINARY)
@pytest.mark.parametrize("left", OPERANDS)
def test_operators_record_what_python_records(symbol, left):
    for right in OPERANDS:
        if not {left, right} & {"leaf", "other leaf", "data", "computed", "row", "float32", "column", "int64", "bool", "empty",
                                "large", "subclass", "reversing", "closed"}:
            continue
        def operation(right: str = right) -> Any:
            return BINARY[symbol](OPERANDS[left](), OPERANDS[right]())
        for _ in range(3):  # the first makes the plan, the second finds it in the dictionaries, the third in the memory
            made = outcome(operation)
        known = in_python(lambda: outcome(operation))
        assert made == known, f"{left} {symbol} {right}"


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("operand", ["leaf", "data", "computed", "row", "float32", "int64", "bool", "empty", "large", "closed"])
def test_methods_record_what_python_records(name, operand):
    for _ in range(3):
        made = outcome(lambda: getattr(OPERANDS[operand](), name)())
    assert made == in_python(lambda: outcome(lambda: getattr(OPERANDS[operand](), name)()))


@pytest.mark.parametrize("name", ["mul", "maximum", "atan2", "pow", "hypot", "gt", "eq", "sin", "exp", "neg", "remainder"])
@pytest.mark.parametrize("first", ["leaf", "computed", "row", "int64", "subclass", "closed", "0.5"])
def test_functions_record_what_python_records(name, first):
    function = getattr(td, name)
    for second in ("other leaf", "computed", "row", "float32", "0.5", "2", "nan", "True", "subclass", "array", "str"):
        def operation(second: str = second) -> Any:
            if name in ("sin", "exp", "neg"):
                return function(OPERANDS[first]())
            return function(OPERANDS[first](), OPERANDS[second]())
        for _ in range(3):
            made = outcome(operation)
        assert made == in_python(lambda: outcome(operation)), f"{name}({first}, {second})"


@pytest.mark.parametrize("symbol", ["__gt__", "__eq__", "__le__"])
def test_comparisons_record_what_python_records(symbol):
    for first, second in itertools.product(("leaf", "computed", "row", "int64", "subclass", "closed"), OPERANDS):
        def operation(first: str = first, second: str = second) -> Any:
            return getattr(operator, symbol)(OPERANDS[first](), OPERANDS[second]())
        for _ in range(3):
            made = outcome(operation)
        assert made == in_python(lambda: outcome(operation)), f"{first} {symbol} {second}"


def test_the_usual_operation_does_not_enter_python():
    def run() -> Any:
        y = X
        for _ in range(5):
            y = (2 * (y * W - 0.5) + X).sin() / 3 - y**2
        return -y
    run()
    entered = []
    sys.setprofile(lambda frame, event, argument: entered.append(frame.f_code.co_name) if event == "call" else None)
    run()
    sys.setprofile(None)
    assert set(entered) == {"run"}, entered


def test_gradients_are_those_of_numpy():
    def value(x: Any, w: Any, sin: Any) -> Any:
        y = x
        for k in range(40):
            y = sin(y * w + 0.5) - (k - y) / 7 + y**2 * 0.25
        return y
    x, w = td.tensor(0.3, dtype=td.float64, requires_grad=True), td.tensor(0.9, dtype=td.float64, requires_grad=True)
    y = value(x, w, lambda t: t.sin())
    y.backward()
    assert y.item() == pytest.approx(value(0.3, 0.9, math.sin), rel=1e-12)
    step = 1e-6
    assert x.grad is not None
    slope = (value(0.3 + step, 0.9, math.sin) - value(0.3 - step, 0.9, math.sin)) / (2 * step)
    assert x.grad.item() == pytest.approx(slope, rel=1e-6)


# --- references -----------------------------------------------------------------------------------------------------------------

def test_a_result_dies_with_its_last_reference():
    y = X * W
    for function in (lambda: y * X, lambda: y + 0.25, lambda: 0.25 - y, lambda: y.sin(), lambda: -y, lambda: y**2):
        made = function()
        alive = weakref.ref(made)
        del made
        assert alive() is None


def test_reference_counts_do_not_drift():
    y = X * W
    number = 0.5
    watched = [X, W, y, number, X.spec, y.spec, y.segment, y.segment.stamp, X.source, W.source, y.slot, X.slot, None, Tensor,
               float, recording.modes, recording.latest]

    def use() -> None:
        for _ in range(200):
            y * X, y + number, number - y, y / 2, 2 / y, y.sin(), -y, y**2, X * W
    use()
    before = [sys.getrefcount(thing) for thing in watched]
    use()
    after = [sys.getrefcount(thing) for thing in watched]
    drift = {repr(type(thing)): b - a for thing, a, b in zip(watched, before, after, strict=True) if abs(b - a) > 2}
    # the code holds the numbers of its operands
    assert set(drift) <= {"<class 'int'>"}, drift


def test_positions_are_not_leaked():
    positions = [3 * k for k in range(100, 110)]  # the recorder's own objects are seen in slots only

    def use() -> list[int]:
        recording.close()
        recording.running()
        y = X * W
        seen = []
        for _ in range(120):
            y = y * W
            if y.slot in positions:
                seen.append(sys.getrefcount(y.slot))
        return seen
    assert use() == use() == use()


def test_memory_stays_bounded_over_many_operations():
    def loop(count: int) -> None:
        y = X
        for k in range(count):
            y = ((y * W + 0.5).sin() - X) / 1.25 if k % 50 else X
    loop(20_000)
    gc.collect()
    tracemalloc.start()
    loop(20_000)
    gc.collect()
    first = tracemalloc.get_traced_memory()[0]
    loop(60_000)
    gc.collect()
    second = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert second - first < 100_000


def test_what_the_general_path_takes_leaves_nothing_behind():
    y = X * W
    unusual = [lambda: y * 1e300 * 1e300, lambda: y * math.nan, lambda: X * td.ones(3), lambda: y**0.37]

    def use() -> None:
        for _ in range(50):
            for operation in unusual:
                operation()
            with td.no_grad():
                X * W, X.sin(), y * 0.5, 1.0 - X

    def tensors() -> int:
        recording.close()
        gc.collect()
        return sum(type(thing) is Tensor for thing in gc.get_objects())
    use()
    before = tensors()
    use()
    assert tensors() == before


def test_many_different_numbers_are_not_kept():
    y = X * 1.0
    alive = []

    class Number(float):
        pass

    for k in range(5000):
        y * (k + 0.1)
        number = Number(k)
        alive.append(weakref.ref(number))
        y * number
        del number
    assert not any(reference() for reference in alive)


def test_a_segment_dies_with_its_tensors():
    x = td.tensor(0.5, dtype=td.float64, requires_grad=True)
    y = x * x
    segment = weakref.ref(y.segment)
    y.backward()
    del y
    gc.collect()
    assert segment() is None


def test_results_take_part_in_garbage_collection():
    y = X * 2.0
    assert gc.is_tracked(y)
    holder: list[Any] = [y]
    y.register_hook(holder.append)  # tensor, segment, hook, list, tensor
    alive = weakref.ref(y)
    segment = weakref.ref(y.segment)
    recording.close()
    recording.running()
    del y, holder
    assert alive() is not None
    gc.collect()
    assert alive() is None
    assert segment() is None


# --- what else may happen -------------------------------------------------------------------------------------------------------

def test_a_full_segment_is_followed_by_another():
    y = X * 1.0
    first = y.segment
    for _ in range(10_000):
        y = y * 1.0
    assert y.segment is not first
    assert len(first) <= 4096 + 2
    assert y.item() == 0.7


def test_no_grad_is_obeyed():
    y = X * W
    with td.no_grad():
        made = y * X
        assert not made.requires_grad
        assert not (X * W).requires_grad
        assert not X.sin().requires_grad
    assert (y * X).requires_grad
    with td.inference_mode():
        assert (X * W).is_inference()


def test_assigning_an_operator_takes_effect_at_once():
    known = Tensor.__mul__
    try:
        Tensor.__mul__ = lambda self, other: "mine"  # type: ignore[method-assign, assignment]
        assert X * W == "mine"
        assert (X + W).item() == 2.0
    finally:
        Tensor.__mul__ = known  # type: ignore[method-assign]
    assert (X * W).item() == 0.7 * 1.3


def test_assigning_a_method_takes_effect_at_once():
    known = Tensor.sin
    try:
        Tensor.sin = lambda self: "mine"  # type: ignore[method-assign, assignment]
        assert X.sin() == "mine"
    finally:
        Tensor.sin = known  # type: ignore[method-assign]
    assert X.sin().item() == pytest.approx(math.sin(0.7))


def test_uninstalling_gives_python_back():
    native.uninstall()
    assert inspect.isfunction(Tensor.__dict__["sin"])
    assert (X * W).item() == 0.7 * 1.3
    assert native.install()
    assert inspect.ismethoddescriptor(Tensor.__dict__["sin"])


def test_methods_look_like_methods():
    assert str(inspect.signature(Tensor.sin)) == "(self, /)"
    assert str(inspect.signature(Tensor.__mul__)).startswith("(self, other")
    assert Tensor.sin.__name__ == "sin"
    assert Tensor.sin.__doc__ == td.sin.__doc__
    assert ">>> td.sin" in (Tensor.sin.__doc__ or "")
    assert pickle.loads(pickle.dumps(Tensor.sin)) is Tensor.sin
    assert [f(X).item() for f in (Tensor.exp, Tensor.arcsin)] == pytest.approx([math.exp(0.7), math.asin(0.7)])


def test_wrong_arguments_are_type_errors():
    for call in (lambda: X.sin(1), lambda: X.sin(out=None), lambda: Tensor.sin(), lambda: Tensor.sin(1.5), lambda: X * object(),
                 lambda: pow(X, 2, 5), lambda: "a" * X, lambda: X - Foreign(), lambda: Foreign() - X):
        with pytest.raises(TypeError):
            call()


def test_errors_of_the_general_path_come_through():
    with pytest.raises(RuntimeError, match="negative integer powers"):
        td.tensor(2) ** -1
    with pytest.raises(RuntimeError, match="must match the size"):
        td.ones(2) * td.ones(3)
    with pytest.raises(RuntimeError, match="not supported"):
        -td.tensor(True)


def test_a_tensor_without_contents_is_an_error_not_a_crash():
    empty = object.__new__(Tensor)
    robbed = [X * W, X * W]
    del robbed[0].spec, robbed[1].segment
    for poor in (empty, *robbed):
        for operate in (lambda x: x * X, lambda x: X * x, lambda x: x.sin(), lambda x: -x, lambda x: x + 1.0, lambda x: 1.0 / x):
            with pytest.raises((AttributeError, KeyError)):
                operate(poor)


def test_deep_recursion_is_an_error_not_a_crash():
    class Deeper(Tensor):
        def __mul__(self, other: Any) -> Any:
            return other * self

    with pytest.raises(RecursionError):
        _as(Deeper, 1.0) * _as(Deeper, 1.0)
    assert (X * W).item() == 0.7 * 1.3


# --- threads, signals, finalizers -----------------------------------------------------------------------------------------------

def chain(x: Any, w: Any, length: int) -> Any:
    y = x
    for _ in range(length):
        y = (y * w + 0.5).sin() - x / 3
    return y


def test_threads_record_on_their_own_segments():
    x = td.tensor(0.3, dtype=td.float64, requires_grad=True)
    w = td.tensor(0.9, dtype=td.float64)
    chain(x, w, 50).backward()
    assert x.grad is not None
    value, slope = chain(x, w, 50).item(), x.grad.item()
    x.grad = None
    failures: list[Any] = []

    def work() -> None:
        for _ in range(30):
            mine = td.tensor(0.3, dtype=td.float64, requires_grad=True)
            y = chain(mine, w, 50)
            y.backward()
            if y.item() != value or mine.grad is None or mine.grad.item() != slope:
                failures.append((y.item(), mine.grad))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    finally:
        sys.setswitchinterval(interval)
    assert not failures


def test_a_thread_that_takes_over_a_number_gets_its_own_segment():
    kept = []

    def work() -> None:
        made = [X * W for _ in range(3)]  # both are leaves: only the running segment tells where to record
        assert len({id(y.segment) for y in made}) == 1
        kept.append(made[-1])

    for _ in range(20):  # one after the other, so that the system gives the same thread numbers again
        work()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len({id(y.segment) for y in kept}) == 21  # those of the threads, and this thread's
    assert all(y.item() == 0.7 * 1.3 for y in kept)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timer on this system")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it may strike in a finalizer of Python
def test_an_interrupt_leaves_a_tape_that_works():
    class Interrupted(Exception):
        pass

    def interrupt(*_: Any) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(60):
            y = X
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0002 + 0.00003 * k)
                for _ in range(100_000):
                    y = (y * W + 0.5).sin()
            except Interrupted:
                pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            z = X * W + X
            assert z.item() == pytest.approx(0.7 * 1.3 + 0.7)
            assert -1 <= y.item() <= 1
    finally:
        signal.signal(signal.SIGALRM, before)


def test_finalizers_may_record():
    made = []

    class Recording:
        def __init__(self) -> None:
            self.me = self  # only the garbage collector frees it

        def __del__(self) -> None:
            made.append((X * W + 1.0).sin())

    threshold = gc.get_threshold()
    gc.set_threshold(5, 2, 2)
    try:
        y = X
        value = 0.7
        for _ in range(500):
            Recording()
            y = (y * W + 0.5).sin()
            value = math.sin(value * 1.3 + 0.5)
        assert y.item() == pytest.approx(value)
    finally:
        gc.set_threshold(*threshold)
    assert made
    assert all(z.item() == pytest.approx(math.sin(0.7 * 1.3 + 1)) for z in made)


def run_script(script: str, **environment: str) -> str:
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300,
                              env={**os.environ, **environment})
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout.strip()


def test_the_environment_switches_it_off():
    script = ("import tapediff as td\nfrom tapediff import native\nx = td.tensor(1., requires_grad=True)\n"
              "for _ in range(20): (x * x).backward()\nprint(native.state.refusal is None)")
    assert run_script(script, TAPEDIFF_NATIVE="0") == "False"
    assert run_script(script, TAPEDIFF_NATIVE="1") == "True"


def test_running_out_of_memory_is_an_error_not_a_crash():
    pytest.importorskip("_testcapi", reason="CPython was built without its test modules")
    script = """
import _testcapi, tapediff as td
from tapediff import native, recording
x = td.tensor(0.5, dtype=td.float64, requires_grad=True)
w = td.tensor(0.25, dtype=td.float64, requires_grad=True)
def run():
    y = x * w
    for _ in range(6):
        y = (y * x + 0.5).sin() - w
    return y
run().backward()
assert native.install()
known = run().item()
errors = 0
for first in range(0, 120):
    recording.close()
    recording.running()  # its lists are empty and have to grow
    _testcapi.set_nomemory(first, first + 1)
    try:
        y = run()
    except MemoryError:
        y = None
        errors += 1
    finally:
        _testcapi.remove_mem_hooks()
    assert len(x.spec.constants)
    if y is not None:
        assert y.item() == known
    assert run().item() == known
print(errors > 5)
"""
    assert run_script(script) == "True"


def test_recording_while_the_interpreter_ends_is_harmless():
    script = """
import tapediff as td
from tapediff import native
x = td.tensor(0.5, dtype=td.float64, requires_grad=True)
(x * x).backward()
assert native.install()
sine = x.sin
class Late:
    def __init__(self): self.me = self
    def __del__(self):
        try:
            y = x * x + 1.0
            sine()
        except BaseException:
            pass
late = Late()
import builtins
builtins.late = late
"""
    run_script(script)
