"""Which dtype comes out: tensors with dimensions outrank 0-dim ones, which outrank Python numbers."""

import torch


def attempt(phrase, action):
    try:
        print("no error:", action())
    except Exception as error:
        known = phrase in str(error)
        print(f"{type(error).__name__}: {phrase}" if known else f"UNEXPECTED {type(error).__name__}: {error}")


b, i32, i64, f32, f64 = (torch.tensor([1, 2]).to(d) for d in (torch.bool, torch.int32, torch.int64, torch.float32, torch.float64))
kinds = {"bool": b, "int32": i32, "int64": i64, "float32": f32, "float64": f64}


def short(dtype):
    return str(dtype).replace("torch.", "")


print("-- tensor with tensor")
for left, x in kinds.items():
    row = []
    for y in kinds.values():
        row.append("/".join(short(r.dtype) for r in (x + y, x * y, x / y, torch.maximum(x, y))))
    print(f"{left:8s}", *row)
print("-- tensor with 0-dim tensor")
for left, x in kinds.items():
    print(f"{left:8s}", *[short((x + y[0]).dtype) + "," + short((x[0] + y[0]).dtype) for y in kinds.values()])
print("-- tensor with Python number")
for left, x in kinds.items():
    results = [x + True, x + 1, x + 1.5, x * 2, x / 2, x // 2, x % 2, 2 * x, 2.5 + x, x < 1, 1 / x, x[0] * 2.5, 1.5**x]
    print(f"{left:8s}", *[short(r.dtype) for r in results])
print("-- unary functions")
for left, x in kinds.items():
    results = [x.exp(), x.sqrt(), torch.sin(x), x.float(), x.sum(), x.cumsum(0), torch.sigmoid(x), x.square(),
               x.sum(dtype=torch.float64), x.prod(), x.to(torch.float64),
               x.type(torch.int32), x.double(), x.long(), x.int(), x.bool()]
    print(f"{left:8s}", *[short(r.dtype) for r in results])
print("-- where, cat, stack, lerp, comparisons")
print(torch.where(b, i64, f32).dtype, torch.where(b, f32, f64).dtype, torch.where(b, 1, 2.5).dtype, torch.where(b, f64, 1).dtype)
print(torch.cat([i64, f32]).dtype, torch.cat([b, i32]).dtype, torch.stack([f32, f64]).dtype, torch.hstack([i32, i64]).dtype)
print((f32 == i64).dtype, torch.maximum(i32, f32).dtype, torch.atan2(i64, i64).dtype, torch.true_divide(i64, i64).dtype)
print(torch.floor_divide(i64, f32).dtype, torch.div(i64, i64, rounding_mode="floor"))
print(torch.div(i64, 2, rounding_mode="trunc").dtype)
print(torch.pow(2, i64), torch.pow(2, i64).dtype, torch.pow(2.0, i64).dtype, torch.pow(f32, 2).dtype)
print(torch.float_power(i64, 2).dtype)
print(torch.result_type(f32, 1), torch.result_type(i64, 1.5), torch.promote_types(torch.int32, torch.float32))
print(torch.can_cast(torch.float32, torch.int64))

print("-- gradients come back in the operand's dtype")
p = torch.tensor([1.0, 2.0], requires_grad=True)
q = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
r = p * q
print(r)
r.sum().backward()
print(p.grad, q.grad)
p.grad = None
(p.double() ** 2).sum().backward()
print(p.grad)
p.grad = None
(p * torch.tensor(2.0, dtype=torch.float64)).sum().backward()
print(p.grad, (p * torch.tensor(2.0, dtype=torch.float64)).dtype)
print(p.to(torch.float64), p.to(torch.float64).float(), p.long(), p.int().dtype)

print("-- the default dtype")
print(torch.get_default_dtype(), torch.tensor(1.5).dtype, torch.zeros(1).dtype, (i64 / 2).dtype, torch.linspace(0, 1, 2).dtype)
torch.set_default_dtype(torch.float64)
print(torch.get_default_dtype(), torch.tensor(1.5), torch.zeros(1).dtype, (i64 / 2).dtype, torch.arange(0.0, 1.0, 0.5))
print(torch.ones(1, dtype=torch.float32))
torch.set_default_dtype(torch.float32)
print(torch.tensor([1.5]), torch.tensor([1.5], dtype=torch.float64))

print("-- overflow and conversion")
print(torch.tensor(2**31 - 1, dtype=torch.int32) + 1, torch.tensor(2**62) * 2, torch.tensor([3.9, -3.9]).long())
print(torch.tensor(300.7).int())
print(torch.tensor(1e300, dtype=torch.float64).float(), torch.tensor([0.0, 2.0, float("nan")]).bool(), torch.tensor(True) + True)
print(torch.finfo(torch.float32).eps, torch.finfo(torch.float64).max, torch.finfo(torch.float32).tiny, torch.finfo().bits)
print(torch.iinfo(torch.int32).max, torch.iinfo(torch.int64).min, torch.float32.is_floating_point, torch.int64.is_floating_point)
print(torch.float is torch.float32, torch.double is torch.float64, torch.long is torch.int64, torch.int is torch.int32)
print(f32.dtype, repr(f64.dtype), f32.dtype == torch.float32, f32.is_floating_point(), torch.is_floating_point(i64), f32.type())
attempt("Subtraction, the `-` operator, with two bool tensors is not supported", lambda: b - b)
attempt("Negation, the `-` operator, on a bool tensor is not supported", lambda: -b)
attempt("Integers to negative integer powers are not allowed", lambda: i64**-1)
attempt("not implemented for 'Float'", lambda: f32 & f32)
attempt("value cannot be converted to type", lambda: torch.tensor([1], dtype=torch.int32).fill_(2**40))
