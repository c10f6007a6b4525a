"""Programs: a recorded function, replayed on new inputs without running Python again."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import accumulate
from typing import Any

import numpy as np

from tapediff import dtypes
from tapediff.errors import GuardError
from tapediff.nested import LEAF, Structure, flatten
from tapediff.program import native_calls, products, rows
from tapediff.program.batch import Batch
from tapediff.program.branches import Branches, Questions, single_state
from tapediff.program.closed import ClosedTape
from tapediff.program.derive import grad_tape, jacobian_tape, jvp_tape, vjp_tape
from tapediff.program.entries import Layout, matrices_tape
from tapediff.program.executors import Machine, checked_executor
from tapediff.program.explain import Explanation, explain
from tapediff.program.file import Parts, load, save
from tapediff.program.guards import Guard
from tapediff.program.handles import Handle, ScipyFunctions, make_handle
from tapediff.program.lines import Lines
from tapediff.program.listing import listing
from tapediff.program.recorder import Recorder
from tapediff.program.running import Single
from tapediff.program.schedule import Request, Schedule, build
from tapediff.tape.spec import Spec
from tapediff.tensor import Tensor, of_array

__all__ = ["Program", "load_program", "record"]

Array = np.ndarray[Any, Any]


def record(f: Callable[..., Any], *examples: Any, lines: bool = False) -> Program:
    """Run `f` once on traced tensors and keep what it computed as a `Program`.

    examples  tensors, arrays or numbers, also in nested tuples, lists and dicts; `f` gets tensors of their shapes, dtypes and
              values. A Python float becomes float64, an array keeps its dtype
    lines     note for each instruction the line of source that recorded it, for listings and `explain`; recording takes longer

    Tensors that `f` reads from outside are frozen at their present values.

    >>> import tapediff as td
    >>> program = td.record(lambda x, y: x * y + y.sin(), 2.0, 3.0)
    >>> float(program(1.0, 0.0))
    0.0
    >>> value, gradient = program.value_and_grad(2.0, 0.0, argnums=(0, 1))
    >>> [float(g) for g in gradient]
    [0.0, 3.0]

    Raises
        RuntimeError: `f` writes to a tensor from outside, draws random numbers, or calls `backward`.
        TypeError: an example or a result is no tensor, array or number.
    """
    tape, examples_of, in_structure, out_structure = trace(f, examples, lines=lines)
    return Program(tape.with_constants(), examples_of, in_structure, out_structure, getattr(f, "__name__", "program"))


def load_program(path: str | os.PathLike[str]) -> Program:
    """The program that `Program.save` wrote to a file.

    Nothing that the file says is executed: it is data, whose checksum, numbers and shapes are checked before a program is made of
    it. The function that was recorded need not be there.

    >>> import os, tempfile, tapediff as td
    >>> path = os.path.join(tempfile.mkdtemp(), "sine.td")
    >>> td.record(lambda x: x.sin(), 1.0).save(path)
    >>> td.load_program(path).grad(0.0).item()
    1.0

    Raises
        FileNotFoundError: there is no such file.
        ProgramFileError: it is no program file, damaged, of a newer format, needs an op that is not there, or says what cannot
            be.
    """
    return Program(*load(path))


def trace(f: Callable[..., Any], arguments: tuple[Any, ...], randomness: str = "error",
          lines: bool = False) -> tuple[ClosedTape, list[Array], Structure, Structure]:
    """The closed tape of a call, with captured tensors; the values of its inputs; the nests of arguments and result."""
    leaves, in_structure = flatten(arguments)
    arrays = [as_array(leaf) for leaf in leaves]
    tracer = Lines() if lines else None
    recorder = Recorder(randomness, tracer)
    with recorder:
        inputs = [recorder.input(array) for array in arrays]
        with tracer or nullcontext():
            result = f(*in_structure.unflatten(inputs))
        results, out_structure = flatten(result)
        outputs = [as_tensor(x) for x in results]
    return recorder.finish(outputs), arrays, in_structure, out_structure


def as_array(value: Any) -> Array:
    """An argument as an array of one of the five dtypes, contiguous, that nobody else writes.

    Raises
        TypeError: it is none.
    """
    if isinstance(value, Tensor):
        return np.array(value._array(), order="C")
    if isinstance(value, bool | int | float | np.ndarray | np.generic):
        array = np.array(value, order="C")
        try:
            dtypes.from_numpy_dtype(array.dtype)
        except (TypeError, KeyError):
            raise TypeError(f"a program takes float32, float64, int64, int32 and bool: got an array of {array.dtype}") from None
        return array
    raise TypeError(f"a program takes tensors, arrays and numbers, also in tuples, lists and dicts: got {type(value).__name__}")


def as_tensor(value: Any) -> Tensor:
    """A result of a recorded function as a tensor.

    Raises
        TypeError: it is neither a tensor nor a number nor an array.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, bool | int | float | np.ndarray | np.generic):
        return of_array(np.array(value))
    raise TypeError(f"a recorded function must return tensors, also in tuples, lists and dicts: got {type(value).__name__}; "
                    "None and other objects cannot be replayed")


class Program:
    """A recorded function: immutable, and shared by as many threads as like.

    Calls take arrays, tensors and numbers in the nest of the examples and give NumPy arrays in the nest of the result (numbers
    where there are no dimensions). A replay checks its guards: where the function would have decided differently, `GuardError` is
    raised.

    >>> import tapediff as td
    >>> print(td.record(lambda x: (x * x).sum(), [1.0, 2.0][0]))  # doctest: +ELLIPSIS
    program <lambda>: 1 input, 1 output, 2 instructions...
    """

    def __init__(self, tape: ClosedTape, examples: Sequence[Array], in_structure: Structure, out_structure: Structure,
                 name: str) -> None:
        self.tape = tape
        self.examples = list(examples)
        self.in_structure = in_structure
        self.out_structure = out_structure
        self.name = name
        self.specs: list[Spec] = [tape.spec(x) for x in tape.inputs()]
        self.output_specs: list[Spec] = [tape.spec(x) for x in tape.outputs]
        self._schedules: dict[Request, Schedule] = {}
        self._singles: dict[Request, Single] = {}
        self._derived: dict[Any, Program] = {}
        self._matrices: dict[Any, tuple[Program, list[Layout]] | None] = {}
        self._questions: dict[int, tuple[Program, Questions]] = {}
        self._plans: dict[Any, tuple[Single, Structure]] = {}
        self.is_flat = all(child is LEAF for child in in_structure.children)
        self._machines: dict[Request, Machine] = {}
        self.executor = "auto"
        self._lock = threading.RLock()

    # --- what it is -------------------------------------------------------------------------------------------------------------

    @functools.cached_property
    def machine_lanes(self) -> int:
        """How many rows its compiled tape takes at a time."""
        return rows.machine_lanes(self)

    def __len__(self) -> int:
        """The number of instructions."""
        return len(self.tape)

    def __repr__(self) -> str:
        return f"<program {self.name}: {len(self.specs)} inputs, {len(self.output_specs)} outputs, {len(self)} instructions>"

    def __str__(self) -> str:
        return self.listing()

    def listing(self, lines: int | None = 200, source: bool = False) -> str:
        """The instructions as text.

        lines   how many to show at most, the first and the last ones; None: all
        source  show the line of source that recorded each instruction, where `td.record(..., lines=True)` noted it
        """
        return listing(self.tape, self.name, lines, source)

    @property
    def inputs(self) -> Any:
        """Shape and dtype of every input, in the nest of the arguments."""
        return self.in_structure.unflatten(self.specs)

    @property
    def outputs(self) -> Any:
        """Shape and dtype of every output, in the nest of the result."""
        return self.out_structure.unflatten(self.output_specs)

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The decisions that Python took while the function was recorded."""
        return tuple(self.tape.guards)

    @property
    def nbytes(self) -> int:
        """The bytes that one replay with value and gradient takes, known before it runs: values, adjoints, constants."""
        wanted = tuple(k for k, spec in enumerate(self.specs) if spec.dtype.is_floating_point)
        is_scalar = len(self.output_specs) == 1 and self.output_specs[0].size == 1
        schedule = self.schedule(Request(1, (True,) * len(self.specs), tuple(range(len(self.output_specs))),
                                         wanted if is_scalar else ()))
        return schedule.workspace_bytes + len(schedule.uniform)

    # --- replays ----------------------------------------------------------------------------------------------------------------

    def schedule(self, request: Request) -> Schedule:
        """The steps of a request, built once."""
        found = self._schedules.get(request)
        if found is None:
            with self._lock:
                found = self._schedules.get(request)
                if found is None:
                    found = self._schedules[request] = build(self.tape, request)
        return found

    def single(self, request: Request) -> Single:
        """What replays a request of one lane."""
        found = self._singles.get(request)
        if found is None:
            schedule = self.schedule(request)
            with self._lock:
                found = self._singles.setdefault(request, Single(schedule, self.specs, self.output_specs, self.machine(request),
                                                                 self.executor))
        return found

    def request(self, wanted: tuple[int, ...] = (), seeds: str = "one", outputs: bool = True) -> Request:
        return Request(1, (True,) * len(self.specs), tuple(range(len(self.output_specs))) if outputs else (), wanted, seeds)

    def leaves(self, inputs: tuple[Any, ...]) -> list[Any]:
        """The leaves of a call's arguments.

        Raises
            TypeError: they are nested differently from the examples.
            ValueError: a shape differs.
        """
        if self.is_flat and len(self.specs) == len(inputs):
            leaves: list[Any] = list(inputs)
        else:
            leaves, structure = flatten(inputs)
            if structure != self.in_structure:
                raise TypeError(f"{self.name} was recorded for arguments {self.in_structure}: got {structure}")
        for position, (leaf, spec) in enumerate(zip(leaves, self.specs, strict=True)):
            if type(leaf) in (float, int):
                if spec.shape:
                    raise ValueError(f"{self.name}: input {position} was recorded with shape {list(spec.shape)}: got a number")
                if spec.dtype.category < (2 if type(leaf) is float else 1):
                    raise TypeError(f"{self.name}: input {position} was recorded as {spec.dtype.name}: got {leaf!r}")
                continue
            if isinstance(leaf, Tensor):
                leaf = leaves[position] = leaf._array()
            shape = np.shape(leaf)
            if shape != spec.shape:
                raise ValueError(f"{self.name}: input {position} was recorded with shape {list(spec.shape)}: got {list(shape)}; "
                                 "record the function again for other shapes, or use td.compile")
            dtype = np.asarray(leaf).dtype
            if dtype != spec.dtype.numpy and not np.can_cast(dtype, spec.dtype.numpy, "same_kind"):
                raise TypeError(f"{self.name}: input {position} was recorded as {spec.dtype.name}: got {dtype}")
        return leaves

    def check(self, failed: int, leaves: Sequence[Any] | None = None) -> None:
        """Refuse the result of a replay in which a guard failed.

        Raises
            GuardError: one did; `failed` is 1 + its number. With the `leaves` that were replayed it says how.
        """
        if failed:
            raise GuardError.at(self.tape.guards[failed - 1], details=None if leaves is None else self.change_at(leaves))

    def change_of(self, failed: int, leaves: Sequence[Any]) -> str:
        """How the decision changed at these inputs that made a replay fail; `failed` is 1 + the number of the guard."""
        try:
            return str(self.branches_of(leaves).change)
        except Exception:  # the decision itself is known
            return str(self.tape.guards[failed - 1])

    def change_at(self, leaves: Sequence[Any]) -> Callable[[], str]:
        """What says how the first decision changed that does at these inputs, computed when somebody reads it."""
        kept = [np.array(leaf) for leaf in leaves]
        return lambda: f"First {self.branches_of(kept).change}"

    # --- decisions --------------------------------------------------------------------------------------------------------------

    def questions(self, count: int | None = None) -> tuple[Program, Questions]:
        """The program that computes what the first `count` guards ask, and the sides of the comparisons that decide it."""
        count = len(self.tape.guards) if count is None else count
        with self._lock:
            found = self._questions.get(count)
            if found is None:
                asked = Questions(self.tape, count)
                leaves = Structure(tuple, (), (LEAF,) * len(self.specs))
                program = Program(asked.tape, self.examples, leaves, Structure(tuple, (), (LEAF,) * len(asked.outputs)),
                                  f"decisions of {self.name}")
                found = self._questions[count] = program, asked
            return found

    def branches(self, *inputs: Any) -> Branches:
        """What becomes of each decision at other inputs: "unchanged", "tie", "changed", or "not reached" after one that changed.

        At a tie the two sides of the comparison are equal: the program applies, but the function may have a kink or a jump there,
        and the gradient is that of the branch that was recorded.

        >>> import tapediff as td
        >>> program = td.record(lambda x: x * 2 if x > 1 else x, 0.5)
        >>> [program.branches(x).state for x in (0.0, 1.0, 1.5)]
        ['unchanged', 'tie', 'changed']
        """
        return self.branches_of(self.leaves(inputs))

    def branches_of(self, leaves: Sequence[Any]) -> Branches:
        """As `branches`, of the leaves of the arguments."""
        guards = self.tape.guards
        try:
            program, asked = self.questions()
            return single_state(asked, program.single(program.request())(leaves)[0], guards)
        except (IndexError, ValueError, RuntimeError, np.linalg.LinAlgError):  # what an earlier decision keeps NumPy from
            for count in range(1, len(guards) + 1):
                program, asked = self.questions(count)
                found = single_state(asked, program.single(program.request())(leaves)[0], guards)
                if found.state == "changed":
                    return found
            raise

    def explain(self, *inputs: Any) -> Explanation:
        """Which instruction made the first inf or nan of the result, and which derivative the first one of the gradient.

        Replays instruction by instruction; the gradient is that of the sum of all results. Record with `lines=True` to be told
        the lines of source, too.

        >>> import tapediff as td
        >>> print(td.record(lambda x: x.exp() + 1, 1.0).explain(1000.0).forward)
        instruction 0, exp(x0): float64, gives inf
            of 1000.0
            the exponential overflows: subtract the largest exponent first, as softmax, logsumexp and logsigmoid do
        """
        return self.explain_leaves(self.leaves(inputs))

    def explain_leaves(self, leaves: Sequence[Any]) -> Explanation:
        """As `explain`, of the leaves of the arguments."""
        return explain(self.tape, leaves, self.branches_of(leaves).change)

    def __call__(self, *inputs: Any) -> Any:
        """The result for new inputs."""
        leaves = self.leaves(inputs)
        outputs, _, failed = self.single(self.request())(leaves)
        if failed:
            self.check(failed, leaves)
        return self.out_structure.unflatten([y.copy()[()] for y in outputs])

    def value_and_grad(self, *inputs: Any, argnums: int | tuple[int, ...] = 0) -> tuple[Any, Any]:
        """The result, which must be one scalar, and its gradient with respect to the arguments `argnums`.

        The gradient has the nest of the argument; with a tuple of `argnums` there is a tuple of gradients.

        >>> import tapediff as td
        >>> value, gradient = td.record(lambda x: x.sin(), 1.0).value_and_grad(0.0)
        >>> float(value), float(gradient)
        (0.0, 1.0)
        """
        plan = self._plans.get(argnums)
        if plan is None:
            wanted, structure = self.wanted(argnums)
            self.need_scalar()
            plan = self._plans[argnums] = (self.single(self.request(wanted)), structure)
        single, structure = plan
        leaves = self.leaves(inputs)
        outputs, gradients, failed = single(leaves)
        if failed:
            self.check(failed, leaves)
        value = outputs[0].copy() if outputs[0].ndim else outputs[0][()]
        found = [g.copy() if g.ndim else g[()] for g in gradients]
        result = (value if self.out_structure is LEAF else self.out_structure.unflatten([value]),
                  found[0] if structure is LEAF else structure.unflatten(found))
        if single.address is not None and single.calls_to_native:
            single.calls_to_native -= 1
            if not single.calls_to_native:
                native_calls.serve(self, single, argnums, inputs, result)
        return result

    def grad(self, *inputs: Any, argnums: int | tuple[int, ...] = 0) -> Any:
        """The gradient alone, as in `value_and_grad`."""
        return self.value_and_grad(*inputs, argnums=argnums)[1]

    def need_scalar(self) -> None:
        """Refuse a gradient of anything but one scalar.

        Raises
            RuntimeError: there are several outputs, one with dimensions, or one that is no float.
        """
        if len(self.output_specs) != 1 or self.output_specs[0].size != 1 or not self.output_specs[0].dtype.is_floating_point:
            what = ", ".join(f"{spec.dtype.name}{list(spec.shape)}" for spec in self.output_specs)
            raise RuntimeError(f"grad can be implicitly created only for scalar outputs: {self.name} returns {what}; use vjp or "
                               "jacobian")

    def wanted(self, argnums: int | tuple[int, ...]) -> tuple[tuple[int, ...], Structure]:
        """The positions of the leaves of arguments, and how their gradients are nested.

        Raises
            ValueError: there is no such argument.
            TypeError: it has a leaf that is no float.
        """
        children = self.in_structure.children
        starts = list(accumulate((child.count for child in children), initial=0))
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        positions: list[int] = []
        for number in numbers:
            if not -len(children) <= number < len(children):
                raise ValueError(f"argnums={argnums!r}: {self.name} takes {len(children)} arguments")
            number %= len(children)
            positions += range(starts[number], starts[number + 1])
        for position in positions:
            if not self.specs[position].dtype.is_floating_point:
                raise TypeError(f"argnums={argnums!r}: input {position} of {self.name} is {self.specs[position].dtype.name}, and "
                                "only floats have gradients")
        chosen = tuple(children[number % len(children)] for number in numbers)
        return tuple(positions), chosen[0] if isinstance(argnums, int) else Structure(tuple, (), chosen)

    def batch(self, in_dims: Any = 0, *, threads: int | None = None, lanes: int | None = None,
              executor: str | None = None) -> Batch:
        """The program over rows of its inputs.

        in_dims  where the rows of each argument lie, as in `vmap`: a number, None (all rows share the value), or a nest of them
        threads  how many to use; the cores that the process may use by default
        lanes    how many rows a thread computes at a time; chosen from the program's width by default
        executor "auto", "interpreter" or "compiled"; that of the program by default
        """
        return Batch(self, in_dims, threads, lanes, executor or self.executor)

    def using(self, executor: str) -> Program:
        """The same program with a choice of executor: "interpreter", "compiled" (straight-line machine code, built when first
        used and kept in the cache of objects), or "auto", which compiles what has run often.

        >>> import tapediff as td
        >>> float(td.record(lambda x: x * x, 1.0).using("compiled")(3.0))
        9.0
        """
        made = Program(self.tape, self.examples, self.in_structure, self.out_structure, self.name)
        made.executor = checked_executor(executor)
        made._schedules, made._derived, made._machines = self._schedules, self._derived, self._machines
        return made

    def machine(self, request: Request) -> Machine:
        """The machine code of a request."""
        found = self._machines.get(request)
        if found is None:
            schedule = self.schedule(request)
            with self._lock:
                found = self._machines.setdefault(request, Machine(schedule))
        return found

    def handle(self, argnums: int | tuple[int, ...] | None = None) -> Handle:
        """The program as a native function for other compiled code; see `Handle`.

        argnums  the arguments whose gradients come behind the outputs; all floats of a program of one scalar, by default
        """
        if argnums is None:
            is_scalar = len(self.output_specs) == 1 and self.output_specs[0].size == 1
            return make_handle(self, products.floating(self) if is_scalar else ())
        self.need_scalar()
        return make_handle(self, self.wanted(argnums)[0])

    def scipy(self, *arguments: Any) -> ScipyFunctions:
        """The program of one vector as what `scipy.optimize` takes; see `ScipyFunctions`.

        arguments  fixed values of the program's further arguments
        """
        return ScipyFunctions(self, arguments)

    def source(self, which: str = "llvm") -> str:
        """The compiled tape of a single value, and of its gradient where that is one scalar, to look at: "llvm" or "asm"."""
        if which not in ("llvm", "asm"):
            raise ValueError(f"source: choose 'llvm' or 'asm', not {which!r}")
        is_scalar = len(self.output_specs) == 1 and self.output_specs[0].size == 1
        machine = self.machine(self.request(products.floating(self) if is_scalar else ()))
        return machine.text((0,) * len(machine.schedule.buffers), which)

    # --- files ------------------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program into one file, which `td.load_program` reads where the function's source need not be.

        A file that is there is replaced when the new one is complete on the disk, and stays if that fails.

        Raises
            ProgramFileError: arguments or results are nested in containers of the user's own.
            OSError: the file cannot be written.
        """
        save(Parts(self.tape, self.examples, self.in_structure, self.out_structure, self.name), path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Program:
        """The program in a file; see `td.load_program`."""
        return load_program(path)

    def reaches(self, argnum: int) -> bool:
        """Whether gradients flow from an argument to a result.

        >>> import tapediff as td
        >>> program = td.record(lambda x, y: x + y.detach(), 1.0, 1.0)
        >>> program.reaches(0), program.reaches(1)
        (True, False)
        """
        starts = np.cumsum([0, *(child.count for child in self.in_structure.children)]).tolist()
        inputs = self.tape.inputs()
        reached = set(inputs[starts[argnum]:starts[argnum + 1]])
        for index, (operation, operands) in enumerate(zip(self.tape.operations, self.tape.operands, strict=True)):
            if operation.flows and any(x in reached and operation.flows_to(k) for k, x in enumerate(operands)):
                reached.add(index)
        return any(value in reached for value in self.tape.outputs)

    # --- products ---------------------------------------------------------------------------------------------------------------

    def vjp(self, inputs: Any, v: Any = None) -> tuple[Any, Any]:
        """The result and the vector-Jacobian product: v, in the nest of the result, times the Jacobian.

        inputs  a tuple of the arguments, or the one argument; the product has its nest. v may be None for one scalar result

        >>> import numpy as np, tapediff as td
        >>> program = td.record(lambda x: x * x, np.array([1.0, 2.0]))
        >>> program.vjp(np.array([3.0, 4.0]), np.array([1.0, 10.0]))
        (array([ 9., 16.]), array([ 6., 80.]))
        """
        return products.vjp(self, inputs, v)

    def jvp(self, inputs: Any, v: Any = None) -> tuple[Any, Any]:
        """The result and the Jacobian-vector product: the Jacobian times v, which has the nest of `inputs`."""
        return products.jvp(self, inputs, v)

    def hvp(self, inputs: Any, v: Any = None) -> tuple[Any, Any]:
        """The result, one scalar, and its Hessian times v, which has the nest of `inputs`: reverse over reverse."""
        return products.hvp(self, inputs, v)

    def jacobian(self, inputs: Any, mode: str | None = None) -> Any:
        """The derivatives of every output by every input, of shape output.shape + input.shape: in the nest of the result, and
        inside of that in the nest of `inputs`.

        mode  "forward" or "reverse"; by default the one that needs fewer products

        >>> import numpy as np, tapediff as td
        >>> td.record(lambda x: x * x, np.array([1.0, 2.0])).jacobian(np.array([3.0, 4.0]))
        array([[6., 0.],
               [0., 8.]])
        """
        return products.jacobian(self, inputs, mode)

    def hessian(self, inputs: Any) -> Any:
        """The second derivatives of the result, one scalar, of shape input.shape + input.shape."""
        return products.hessian(self, inputs)

    def derived(self, which: str, positions: tuple[int, ...], seeded: tuple[int, ...] = ()) -> Program:
        """The program of the vector-Jacobian products of the outputs `seeded` ("vjp"), of the Jacobian-vector products ("jvp"),
        of the gradient ("grad") or of the Jacobian ("jacobian"), by the inputs `positions`; see `derive`."""
        key = (which, positions, seeded)
        with self._lock:
            found = self._derived.get(key)
            if found is None:
                if which == "vjp":
                    tape = vjp_tape(self.tape, positions, self.examples, seeded)
                    further = [self.output_specs[position] for position in seeded]
                elif which == "jvp":
                    tape = jvp_tape(self.tape, positions, self.examples)
                    further = [self.specs[position] for position in positions]
                else:
                    derive = jacobian_tape if which == "jacobian" else grad_tape
                    tape, further = derive(self.tape, positions, self.examples), []
                tape = tape.with_constants()
                examples = [*self.examples, *(np.ones(spec.shape, spec.dtype.numpy) for spec in further)]
                leaves = Structure(tuple, (), (LEAF,) * len(examples))
                results = Structure(tuple, (), (LEAF,) * len(tape.outputs))
                found = Program(tape, examples, leaves, results, f"{which} of {self.name}")
                self._derived[key] = found
            return found

    def matrices(self, seeds: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[Program, list[Layout]] | None:
        """The program that computes the outputs `wanted`, linear in the inputs `seeds`, for all rows of the identity, from the
        other inputs; see `entries`. None where rows in lanes do it better."""
        with self._lock:
            if (seeds, wanted) not in self._matrices:
                made = matrices_tape(self.tape, self.examples, seeds, wanted)
                program = None
                if made is not None:
                    examples = [example for k, example in enumerate(self.examples) if k not in seeds]
                    tape = made[0].with_constants()
                    program = Program(tape, examples, Structure(tuple, (), (LEAF,) * len(examples)),
                                      Structure(tuple, (), (LEAF,) * len(tape.outputs)), f"matrices of {self.name}"), made[1]
                self._matrices[seeds, wanted] = program
            return self._matrices[seeds, wanted]
