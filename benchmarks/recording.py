"""What it costs to record one operation, with nothing computed."""

from benchmarks.measure import best_seconds

LENGTH = 10_000


def multiply(x, y):
    for _ in range(LENGTH):
        y = y * x


def add_number(x, y):
    for _ in range(LENGTH):
        y = y + 0.5


def sine(x, y):
    for _ in range(LENGTH):
        y = y.sin()


RECORDERS = {"tensor * tensor": multiply, "tensor + number": add_number, "tensor.sin()": sine}


class Recording:
    params = tuple(RECORDERS)
    param_names = ("operation",)

    def setup(self, operation):
        import tapediff as td

        self.x = td.tensor(0.9, dtype=td.float64, requires_grad=True)
        self.y = self.x * 1.0
        RECORDERS[operation](self.x, self.y)

    def track_nanoseconds_per_operation(self, operation):
        seconds = best_seconds(lambda: RECORDERS[operation](self.x, self.y), repeats=20)
        return seconds / LENGTH * 1e9

    track_nanoseconds_per_operation.unit = "ns"
