"""How tensors print: scalars, vectors, matrices, wide ones, long ones, special values, flags, and options."""

import torch

inf, nan = float("inf"), float("nan")
samples = [
    0, 1, -7, 123456789, 0.0, -0.0, 1.0, 0.5, -2.25, 1e-3, 1e-4, 1e-5, 12345.678, 1e5, 1e6, 1e8, 123456789.0, 1e-10,
    1e30, 1 / 3, inf, -inf, nan,
    True, False, [], [[]], [1.0], [1, 2, 3], [1.0, 2.0, 3.0], [1.5, 2.0], [0.001, 1.0], [1e-5, 1.0], [1e5, 1.0],
    [99999.0, 0.5], [1e8, 1.0],
    [1.0, nan], [1.5, inf], [nan, nan], [inf, -inf], [1.0, -inf, 1e10], [1e-8, 1e-7], [0.1, 100.25], [1000.0, 0.001],
    [-1.0, 10.0, -100.0],
    [True, False], [[1, 2], [3, 4]], [[1.0, -2.5], [1000.0, 0.25]], [[[1.0, 2.0]], [[3.0, 4.0]]], [[True, False], [False, True]],
    [[1e-6, 1.0], [1.0, 1e6]], [[[[1]]]], [0.1 + 0.2], [2.0**24, 2.0**24 + 2], [3.0e38], [1e-45], [16777216.0], [-1e-3, 1e-3],
    [1e4, 1e-4],
]
for sample in samples:
    print(torch.tensor(sample))
for dtype in (torch.float64, torch.int32, torch.int64, torch.bool, torch.float32):
    print(torch.tensor([0, 1, 2], dtype=dtype), torch.tensor(1, dtype=dtype), torch.zeros(0, dtype=dtype))
    print(torch.zeros(2, 0, dtype=dtype))

print("-- flags")
x = torch.tensor([1.0, 2.0], requires_grad=True)
print(x, x[0], x * 2, x.sum(), x.detach(), torch.tensor(1.0, requires_grad=True), x.double(), sep="\n")
print(torch.arange(30.0, requires_grad=True))
print(torch.arange(30.0, requires_grad=True) * 2.5)
print(torch.arange(14, dtype=torch.float64, requires_grad=True).sqrt())

print("-- long lines and summaries")
print(torch.arange(25), torch.arange(40) * 1000, torch.arange(20.0) / 7, sep="\n")
print(torch.arange(1001))
print(torch.arange(1001.0))
print(torch.arange(2000.0).reshape(40, 50))
print(torch.arange(1200).reshape(2, 2, 300))
print(torch.arange(1100.0).reshape(1100, 1) / 3)
print(torch.zeros(10, 10, 11, dtype=torch.float64))
print(torch.arange(1000).sum(), torch.arange(1000).view(100, 10)[:3])
print((torch.arange(1500.0) * 1.5).requires_grad_())

print("-- str, repr, format")
t = torch.tensor(3.14159)
print(str(t), repr(t), f"{t}", f"{t:.2f}", f"{t:10.3f}|", f"{t:<10.3f}|", f"{t:e}", f"{t!r}", f"{t:.1f}", t.__repr__())
print(f"{torch.tensor(5)} {torch.tensor(5):d} {torch.tensor(5):04d} {torch.tensor(True)} {torch.tensor([1, 2])}")
print(f"{x} {x.sum()} {x[0]:.3f} {x.sum().item()}")
print([torch.tensor(1), torch.tensor(2.0)], (torch.tensor([1]),), {"a": torch.tensor(1.5)})
print(f"{x.grad}")
x.sum().backward()
print(f"{x.grad} {x.grad[0]}")
try:
    print(f"{x:.2f}")
except TypeError as error:
    print("unsupported format string passed to Tensor.__format__" in str(error))
for left in (torch.tensor(1 / 3), torch.tensor(2 / 3, dtype=torch.float64), torch.tensor(1e-7), torch.tensor(1e22)):
    print(left.item(), left.tolist(), [left.item()], f"{left}", f"{left.item():.4f}")

print("-- print options")
torch.set_printoptions(precision=2)
print(torch.tensor([1 / 3, 100.0]))
torch.set_printoptions(precision=8, sci_mode=False)
print(torch.tensor([1 / 3, 1e-5]))
torch.set_printoptions(sci_mode=True)
print(torch.tensor([1.0, 2.0]))
torch.set_printoptions(profile="default", sci_mode=None)
torch.set_printoptions(threshold=5, edgeitems=1)
print(torch.arange(6), torch.arange(12.0).view(3, 4))
torch.set_printoptions(profile="default")
torch.set_printoptions(linewidth=40)
print(torch.arange(20))
torch.set_printoptions(profile="default")
print(torch.arange(6), torch.tensor([1 / 3]))

print("-- types")
print(type(x).__name__, x.dtype, x.shape, x.device, x.layout, torch.float32, torch.Size([1, 2]), x.type())
print(torch.__name__ != "", torch.is_tensor(x), isinstance(x, torch.Tensor))
