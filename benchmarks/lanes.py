"""Programs over rows whose steps are structural: products, reductions, indexing, linear algebra, all rows of a block at once."""

import numpy as np

ROWS = 2048


def cases(td):
    """name -> a function of one row to a scalar, and the shapes of its arguments."""
    eye = td.eye(5) * 6
    return {
        "matrix_vector": (lambda a, x: (a @ x).sum(), ((16, 16), (16,))),
        "matrix_matrix": (lambda a, b: (a @ b).sum(), ((16, 16), (16, 16))),
        "einsum": (lambda a, b: td.einsum("ij,kj->ik", a, b).sum(), ((8, 8), (8, 8))),
        "log_softmax": (lambda a, b: (a.log_softmax(0) * b).sum(), ((32,), (32,))),
        "variance": (lambda a, b: a.var() + b.std(), ((32,), (32,))),
        "largest": (lambda a, b: a.amax(0).sum() + b.max(1)[0].sum(), ((8, 8), (8, 8))),
        "joined": (lambda a, b: (td.cat([a, b]).flip(0) * td.stack([a, b]).reshape(-1)).sum(), ((32,), (32,))),
        "indexed": (lambda a, b: (a[[3, 1, 3, 0]] * b.index_select(0, td.tensor([0, 5, 2, 2]))).sum(), ((32,), (32,))),
        "cumulative": (lambda a, b: (a.cumsum(0) * b.cumprod(0)).sum(), ((32,), (32,))),
        "sorted": (lambda a, b: (a.sort()[0] * b).sum(), ((32,), (32,))),
        "solved": (lambda a, b: td.linalg.solve(a + eye, b).sum(), ((5, 5), (5,))),
    }


class StructuralSteps:
    """Value and gradient of 2,048 rows, in one thread."""

    params = (
        "matrix_vector",
        "matrix_matrix",
        "einsum",
        "log_softmax",
        "variance",
        "largest",
        "joined",
        "indexed",
        "cumulative",
        "sorted",
        "solved",
    )
    param_names = ("case",)
    timeout = 300

    def setup(self, case):
        import tapediff as td

        function, shapes = cases(td)[case]
        generator = np.random.default_rng(0)
        self.inputs = [generator.uniform(-1, 1, (ROWS, *shape)).astype(np.float32) for shape in shapes]
        self.rows = td.record(function, *[x[0] for x in self.inputs]).batch(threads=1)
        self.time_value_and_grad(case)

    def time_value_and_grad(self, case):
        self.rows.value_and_grad(*self.inputs, argnums=(0, 1))


class PerSampleGradients:
    """Gradients of a classifier of 64-32-10 units for each of 1,797 samples, as `torch.func.vmap(grad(f))`; and their sum."""

    params = (None, "sum")
    param_names = ("reduce",)
    timeout = 300

    def setup(self, reduce):
        import tapediff as td
        import tapediff.nn.functional as F

        generator = np.random.default_rng(0)
        self.samples = generator.standard_normal((1797, 64)).astype(np.float32)
        self.classes = generator.integers(0, 10, 1797)
        self.weights = [
            (generator.standard_normal(shape) * 0.1).astype(np.float32) for shape in ((32, 64), (32,), (10, 32), (10,))
        ]

        def loss(x, target, w1, b1, w2, b2):
            return F.cross_entropy(F.linear(F.linear(x, w1, b1).tanh(), w2, b2), target)

        program = td.record(loss, self.samples[0], self.classes[0], *self.weights)
        self.rows = program.batch(in_dims=(0, 0, None, None, None, None), threads=1)
        self.time_gradients(reduce)

    def time_gradients(self, reduce):
        self.rows.value_and_grad(self.samples, self.classes, *self.weights, argnums=(2, 3, 4, 5), reduce=reduce)
