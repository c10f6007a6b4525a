"""Second derivatives: recorded passes of the eager tape, and those of programs and of the transforms."""

import numpy as np


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] * x[:-1]) ** 2 + (1.0 - x[:-1]) ** 2).sum()


class Eager:
    """A gradient that is recorded, and the gradient of its squared length."""

    params = (3, 10_000)
    param_names = ("elements",)

    def setup(self, elements):
        import tapediff as td

        self.td = td
        self.x = td.tensor(np.linspace(-1, 1, elements), requires_grad=True)
        self.time_recorded_gradient(elements)
        self.time_gradient_of_gradient(elements)

    def recorded_gradient(self):
        (gradient,) = self.td.autograd.grad((self.x.sin() * self.x.exp()).sum(), self.x, create_graph=True)
        return gradient

    def time_recorded_gradient(self, elements):
        self.recorded_gradient().detach().numpy()

    def time_gradient_of_gradient(self, elements):
        (second,) = self.td.autograd.grad((self.recorded_gradient() ** 2).sum(), self.x)
        second.numpy()


class Rosenbrock:
    """Hessians and Hessian-vector products of Rosenbrock's function of 100 variables."""

    params = ("program", "func", "functional")
    param_names = ("way",)

    def setup(self, way):
        import tapediff as td

        x = np.linspace(0.8, 1.2, 100)
        program, v, tensor = td.record(rosenbrock, x), np.ones(100), td.tensor(x)
        functional = td.autograd.functional
        self.hessian = {
            "program": lambda: program.hessian(x),
            "func": lambda: td.func.hessian(rosenbrock)(tensor),
            "functional": lambda: functional.hessian(rosenbrock, tensor),
        }[way]
        self.product = {
            "program": lambda: program.hvp(x, v),
            "func": lambda: td.func.jvp(td.func.grad(rosenbrock), (tensor,), (td.tensor(v),)),
            "functional": lambda: functional.hvp(rosenbrock, tensor, td.tensor(v)),
        }[way]
        self.time_hessian(way)
        self.time_hessian_vector_product(way)

    def time_hessian(self, way):
        self.hessian()

    def time_hessian_vector_product(self, way):
        self.product()
