"""Making tensors: from numbers, lists, ranges, shapes, and other tensors."""

import math

import torch


def attempt(phrase, action):
    try:
        print("no error:", action())
    except Exception as error:
        known = phrase in str(error)
        print(f"{type(error).__name__}: {phrase}" if known else f"UNEXPECTED {type(error).__name__}: {error}")


print(torch.tensor(3), torch.tensor(3.5), torch.tensor(True), torch.tensor([1, 2.5]), torch.tensor([[1, 2], [3, 4]]))
print(torch.tensor([]))
print(torch.tensor([True, False]), torch.tensor([1, True]), torch.tensor([1.0, True]), torch.tensor((1, 2)))
print(torch.tensor(range(3)))
print(torch.tensor([torch.tensor(1.0), torch.tensor(2.0)]), torch.tensor([[]]).shape, torch.tensor([[[1]]]).shape)
print(torch.tensor(math.pi))
print(torch.tensor([1, 2], dtype=torch.float64), torch.tensor([0.5, 2.7], dtype=torch.int64))
print(torch.tensor([0, 2], dtype=torch.bool))
print(torch.tensor([1.0], requires_grad=True), torch.as_tensor([1, 2]), torch.as_tensor(torch.ones(1)), torch.scalar_tensor(2))
print(torch.zeros(2), torch.zeros(2, 3), torch.zeros((2, 1)), torch.zeros([1]), torch.zeros(()))
print(torch.zeros(2, dtype=torch.int64), torch.zeros(0))
print(torch.ones(2, 2), torch.ones(1, dtype=torch.bool), torch.full((2,), 3), torch.full((2,), 3.5), torch.full((), True))
print(torch.full((1, 2), 1, dtype=torch.float64))
print(torch.empty(2, 3).shape, torch.empty(0, 3), torch.empty((2,), dtype=torch.float64).dtype)
print(torch.eye(2), torch.eye(2, 3), torch.eye(1, dtype=torch.int64))
print(torch.arange(4), torch.arange(1, 4), torch.arange(1, 10, 3), torch.arange(3.0), torch.arange(0, 1, 0.25))
print(torch.arange(5, 0, -2), torch.arange(0))
print(torch.arange(2, dtype=torch.float64), torch.arange(start=1, end=3), torch.arange(1, 2.5))
print(torch.linspace(0, 1, 5), torch.linspace(-1, 1, 3, dtype=torch.float64), torch.linspace(2, 2, 1))
print(torch.linspace(0, 1, steps=0))
print(torch.logspace(0, 2, 3), torch.logspace(0, 3, 4, base=2))

base = torch.tensor([[1.5, 2.5]], dtype=torch.float64, requires_grad=True)
print(torch.zeros_like(base), torch.ones_like(base, dtype=torch.int64), torch.full_like(base, 7), torch.empty_like(base).shape)
print(base.new_zeros(2), base.new_ones(1, 2), base.new_full((2,), 3), base.new_tensor([1, 2]), base.new_empty(3).shape)
print(torch.rand_like(base).shape, torch.randn_like(base).dtype)

print("-- copies and aliases")
t = torch.ones(2)
c, d, e = torch.tensor(t.tolist()), t.clone(), torch.as_tensor(t)
t[0] = 9
print(c, d, e, e is t)
g = base.clone()
print(g, g.requires_grad, base.detach().clone())

print("-- random shapes and ranges")
torch.manual_seed(0)
print(torch.rand(2, 3).shape, torch.randn(4).dtype, torch.rand(3, dtype=torch.float64).dtype)
print(torch.randn(2, requires_grad=True).requires_grad)
u, n = torch.rand(20000), torch.randn(20000)
print(bool((u >= 0).all()), bool((u < 1).all()), abs(u.mean().item() - 0.5) < 0.02, abs(n.mean().item()) < 0.05)
print(abs(n.std().item() - 1) < 0.05)
k = torch.randint(3, 7, (1000,))
print(k.dtype, k.min(), k.max(), torch.randint(5, (2, 2)).shape, torch.randint(0, 2, (3,), dtype=torch.int32).dtype)
print(torch.randperm(6).sort().values, torch.randperm(4).dtype)
torch.manual_seed(7)
first = torch.randn(3)
torch.manual_seed(7)
print(torch.equal(first, torch.randn(3)), torch.equal(first, torch.randn(3)))
w = torch.empty(1000)
print(w.uniform_(-2, 2).abs().max() <= 2, w.normal_(5, 0.1).mean().round(), w.bernoulli_(0.5).unique())
print(torch.bernoulli(torch.tensor([0.0, 1.0])))
generator = torch.Generator().manual_seed(3)
print(torch.rand(2, generator=generator).shape, torch.normal(torch.zeros(3), 1.0).shape, torch.normal(0.0, 1.0, (2,)).shape)
print(torch.multinomial(torch.tensor([0.0, 1.0, 0.0]), 1), torch.randint_like(torch.zeros(2), 3).dtype)

print("-- to Python")
m = torch.tensor([[1.5, 2.0], [3.0, -0.0]])
print(m.tolist(), m[0].tolist(), m[0, 0].tolist(), m[0, 0].item(), torch.tensor([[7]]).item(), torch.tensor(True).item())
print(torch.tensor(2).item())
print(type(torch.tensor(2).item()), type(torch.tensor(2.0).item()), type(torch.tensor(True).item()), float(m[0, 1]))
print(int(m[1, 0]), complex(m[0, 0]))

print("-- errors")
attempt("expected sequence of length 2 at dim 1 (got 1)", lambda: torch.tensor([[1, 2], [3]]))
attempt("invalid data type 'str'", lambda: torch.tensor("abc"))
attempt("too many dimensions 'str'", lambda: torch.tensor(["a", "b"]))
attempt("Could not infer dtype of NoneType", lambda: torch.tensor(None))
attempt("Could not infer dtype of dict", lambda: torch.tensor({}))
attempt("Overflow when unpacking long", lambda: torch.tensor(2**64))
attempt("a Tensor with 2 elements cannot be converted to Scalar", lambda: torch.tensor([1, 2]).item())
attempt("Dimension size must be non-negative", lambda: torch.zeros(-1))
attempt("upper bound and lower bound inconsistent with step sign", lambda: torch.arange(3, 1))
attempt("step must be nonzero", lambda: torch.arange(0, 3, 0))
attempt("number of steps must be non-negative", lambda: torch.linspace(0, 1, -1))
attempt("only one element tensors can be converted to Python scalars", lambda: float(torch.tensor([1.0, 2.0])))
attempt("n must be greater or equal to 0", lambda: torch.eye(-1))
attempt("random_ expects 'from' to be less than 'to'", lambda: torch.randint(3, 3, (1,)))
attempt("dtype", lambda: torch.zeros(2, dtype="float32"))
