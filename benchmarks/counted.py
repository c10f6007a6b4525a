"""Pieces of work whose instructions are counted, and the process in which that is done (see `benchmarks.counters`).

Run by its path, so that `tapediff` is the installed one. `counted.py RUNS NAME` does a piece RUNS times, for who counts the whole
process; `counted.py callgrind NAME ...` tells Callgrind where pieces begin and end.
"""

import ctypes
import gc
import mmap
import sys
from collections.abc import Callable
from dataclasses import dataclass

CHAIN = 256  # links of four instructions: a quarter of a segment
STEPS = 75  # of the program's chain
ROWS = 1_024
ELEMENTS = 4_096
WARM_RUNS = 12  # the native recorder is in place after eight segments


@dataclass(frozen=True)
class Piece:
    """`make` does what comes before the work and gives the work.

    unit, units   what the count is told for, and how many of it one run of the work does
    runs          how many runs are some 10^9 instructions: a thousand times what two starts of a process differ by
    """

    unit: str
    units: int
    runs: int
    make: Callable[[], Callable[[], object]]


def chain(x, y, links):
    for _ in range(links):
        y = (y * x + 0.5).sin() * x
    return y


def leaf():
    import tapediff as td

    return td.tensor(0.9, dtype=td.float64, requires_grad=True)


def recorded():
    """Record and evaluate; what a segment holds is computed when it is full, so that recording never comes alone.

    Each run fills a segment and so goes from one to the next once.
    """
    x = leaf()

    def work():
        for _ in range(4):
            chain(x, x, CHAIN).item()

    return work


def forward_again():
    """The compiled loop over a chain that was computed before."""
    from tapediff import sweeps
    from tapediff.kernels.options import entry
    from tapediff.tape.kinds import KINDS
    from tapediff.tape.source import SOURCES

    x = leaf()
    y = chain(x, x, CHAIN)
    y.item()
    segment = y.segment
    code, first = segment.batches[-1]
    last = first + len(code) // 3
    run, at = entry(sweeps.forward), (code.buffer_info()[0], first, first, last)

    def work():
        if run(*at, segment.addresses_at, KINDS.address, SOURCES.address) < last:
            raise RuntimeError("an instruction of the chain has no compiled kernel")

    return work


def reversed_again():
    """Passes over a graph that is kept, so that nothing is recorded or computed between them."""
    y = chain(leaf(), leaf(), CHAIN)
    return lambda: y.backward(retain_graph=True)


def replayed(executor):
    """Value and gradient of a program over rows, on one thread."""
    import numpy as np

    import tapediff as td

    program = td.record(lambda x, y: chain(x, y, STEPS), 0.9, 0.8)
    rows = program.batch(threads=1, executor=executor)
    x, y = np.linspace(0.1, 0.9, ROWS), np.linspace(0.9, 0.1, ROWS)
    return lambda: rows.value_and_grad(x, y, argnums=(0, 1))


def called(executor):
    """One call of a program with floats."""
    import tapediff as td

    program = td.record(lambda x: chain(x, x, STEPS), 0.9).using(executor)
    return lambda: program.value_and_grad(0.9)


def exponentials(which):
    """A kernel of exp and nothing around it."""
    import numpy as np

    from tapediff.kernels.library import KernelSpec, get_library
    from tapediff.kernels.loop import ARGUMENTS

    (address,) = get_library().addresses([KernelSpec("exp", which, ("float64",), "float64")])
    function = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * len(ARGUMENTS[which]))(address)
    arrays = {"a": np.linspace(-3, 3, ELEMENTS)}
    arrays |= {name: np.ones(ELEMENTS) for name in ("y", "y_bar", "a_bar")}
    addresses = [arrays[name].ctypes.data if name in arrays else 0 for name in ARGUMENTS[which]]

    def work():
        assert arrays  # whose addresses these are
        function(ELEMENTS, *addresses)

    return work


PIECES = {
    "recording and forward sweep": Piece("instruction of the tape", 16 * CHAIN, 150, recorded),
    "forward sweep": Piece("instruction of the tape", 4 * CHAIN, 4_000, forward_again),
    "reverse sweep": Piece("instruction of the tape", 4 * CHAIN, 2_500, reversed_again),
    "rows, interpreter": Piece("instruction and row", 4 * STEPS * ROWS, 200, lambda: replayed("interpreter")),
    "rows, compiled tape": Piece("instruction and row", 4 * STEPS * ROWS, 300, lambda: replayed("compiled")),
    "call, interpreter": Piece("call of 300 instructions", 1, 15_000, lambda: called("interpreter")),
    "call, compiled tape": Piece("call of 300 instructions", 1, 30_000, lambda: called("compiled")),
    "exp, forward kernel": Piece("element", ELEMENTS, 20_000, lambda: exponentials("forward")),
    "exp, reverse kernel": Piece("element", ELEMENTS, 50_000, lambda: exponentials("reverse")),
}


def warm(name):
    """The work of a piece, done often enough for all to be built; from now on no collection of garbage comes between."""
    work = PIECES[name].make()
    for _ in range(WARM_RUNS):
        work()
    gc.collect()
    gc.disable()
    return work


def repeat(work, runs):
    for _ in range(runs):
        work()


# valgrind.h and callgrind.h: a request is six words whose address lies in rax, announced by rotations that change nothing
REQUEST = bytes.fromhex("4889f8 31d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db 4889d0 c3")
ZERO, DUMP, START, STOP = (ord("C") << 24 | ord("T") << 16 | number for number in (1, 3, 4, 5))


def requests():
    """A function that sends Callgrind a request (a code, and an address where it needs one); without Valgrind it does nothing."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(REQUEST)
    send = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(ctypes.addressof(ctypes.c_char.from_buffer(page)))

    def request(code, address=0):
        assert not page.closed  # it holds the code
        words = (ctypes.c_int64 * 6)(code, address)
        return send(ctypes.addressof(words))

    return request


def count_under_callgrind(names):
    """Dump counts of one run and of two for each piece, under the title `name|runs`; the least of three times."""
    request = requests()
    for name in names:
        work = warm(name)
        request(START)
        work()
        for runs in (1, 2, 1, 2, 1, 2):
            title = ctypes.create_string_buffer(f"{name}|{runs}".encode())
            request(ZERO)
            repeat(work, runs)
            request(DUMP, ctypes.addressof(title))
        request(STOP)
        gc.enable()


if __name__ == "__main__":
    what, *names = sys.argv[1:]
    if what == "callgrind":
        count_under_callgrind(names)
    else:
        repeat(warm(*names), int(what))
