"""Sweeps of the eager tape alone, in nanoseconds an instruction: the compiled loops over a graph that is kept."""

from benchmarks.measure import best_seconds

LINKS = 256  # of four instructions: a quarter of a segment


def chain(x):
    y = x
    for _ in range(LINKS):
        y = (y * x + 0.5).sin() * x
    return y


class KeptGraph:
    """Elements: those of every value; some are computed whole, long ones in blocks."""

    params = (1, 100, 10_000)
    param_names = ("elements",)

    def setup(self, elements):
        import tapediff as td
        from tapediff import sweeps
        from tapediff.kernels.options import entry
        from tapediff.tape.kinds import KINDS
        from tapediff.tape.source import SOURCES

        x = td.full((elements,) if elements > 1 else (), 0.9, dtype=td.float64, requires_grad=True)
        self.x, self.y = x, chain(x)
        self.weight = td.ones_like(self.y)
        self.y.backward(self.weight, retain_graph=True)
        segment = self.y.segment
        code, first = segment.batches[-1]
        run, last = entry(sweeps.forward), first + len(code) // 3
        self.forward = lambda: run(
            code.buffer_info()[0], first, first, last, segment.addresses_at, KINDS.address, SOURCES.address
        )
        if self.forward() < last:
            raise RuntimeError("an instruction of the chain has no compiled kernel")
        self.instructions = last - first

    def nanoseconds(self, action):
        return best_seconds(action, repeats=10) / self.instructions * 1e9

    def track_forward(self, elements):
        return self.nanoseconds(self.forward)

    def track_reverse(self, elements):
        def reverse():
            self.x.grad = None
            self.y.backward(self.weight, retain_graph=True)

        return self.nanoseconds(reverse)

    track_forward.unit = track_reverse.unit = "ns"


class Tangents:
    """A tangent of a program of as many instructions: the Jacobian-vector product, beside the value and the adjoint."""

    def setup(self):
        import tapediff as td

        self.program = td.record(chain, 0.9)
        self.time_value()
        self.time_jvp()
        self.time_vjp()

    def time_value(self):
        self.program(0.9)

    def time_jvp(self):
        self.program.jvp(0.9, 1.0)

    def time_vjp(self):
        self.program.vjp(0.9, 1.0)
