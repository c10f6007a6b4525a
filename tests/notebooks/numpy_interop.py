"""Tensors and NumPy arrays: sharing memory, converting, mixing in expressions, copying, pickling."""

import copy
import pickle

import numpy as np
import torch

a = np.array([1.0, 2.0, 3.0])
t = torch.from_numpy(a)
print(t, t.dtype)
a[0] = 10
t[1] = 20
print(a, t)
shared = torch.ones(3)
n = shared.numpy()
shared.add_(1)
n[0] = 7
print(n, shared, n.dtype, type(n))
print(torch.tensor(a), torch.as_tensor(a), torch.tensor(np.float32(1.5)), torch.tensor(np.int64(3)))
print(torch.tensor([np.float64(2.0), 1]))
a[2] = -1
print(torch.as_tensor(a), torch.tensor(np.array([[1, 2], [3, 4]])), torch.tensor(np.array([True, False])))
print(torch.tensor(np.array(1.5)))
for dtype in (np.float32, np.float64, np.int32, np.int64, np.bool_):
    print(torch.from_numpy(np.ones(2, dtype)).dtype, torch.ones(2).numpy().astype(dtype).dtype)
print(torch.from_numpy(np.arange(6.0).reshape(2, 3).T), torch.from_numpy(np.arange(6)[::2]))
print(torch.arange(3).numpy(), torch.tensor(5).numpy(), torch.tensor([[True]]).numpy())
print(torch.eye(2).T.numpy().flags["C_CONTIGUOUS"])

print("-- np.asarray and functions")
x = torch.tensor([0.0, 1.0, 4.0])
print(np.asarray(x), np.array(x, dtype=np.float64), np.asarray(x).dtype, np.sqrt(x), np.sum(np.asarray(x)))
print(tuple(np.stack([x, x]).shape))
print(float(np.mean(np.asarray(x))), np.allclose(x, [0, 1, 4]), [float(v) for v in x])
w = torch.tensor([1.0, 2.0], requires_grad=True)
for action in (lambda: w.numpy(), lambda: np.asarray(w)):
    try:
        action()
    except RuntimeError as error:
        print(type(error).__name__)
        print("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead." in str(error))
print(w.detach().numpy(), (w * 2).detach().numpy(), w.numpy(force=True), w.tolist())
with torch.no_grad():
    print((w * 2).numpy())

print("-- mixing")
print(x * np.float32(2), np.float64(3) * torch.tensor(2.0), x + torch.from_numpy(np.array([1.0, 1.0, 1.0])))
print(x[np.array([0, 2])], x[np.int64(1)], torch.zeros(np.int64(2)), x.sum(int(np.int32(0))), torch.full((2,), np.pi))
print(torch.arange(np.int64(3)), x.reshape(np.int64(3), 1).shape, [10, 20, 30][torch.tensor(2)])

print("-- copies")
c = copy.copy(x)
d = copy.deepcopy(x)
x[0] = -5
print(c, d)
leaf = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
(leaf**2).sum().backward()
twin = copy.deepcopy(leaf)
print(twin, twin.grad, twin.is_leaf)
twin.grad.zero_()
print(leaf.grad)
again = pickle.loads(pickle.dumps(leaf))
print(again, again.requires_grad, again.is_leaf)
bundle = pickle.loads(
    pickle.dumps({"w": x, "i": torch.arange(2), "b": torch.tensor([True]), "s": torch.Size([2]), "d": torch.float64})
)
print(bundle)
try:
    copy.deepcopy(leaf * 2)
except RuntimeError as error:
    print("Only Tensors created explicitly by the user" in str(error))

print("-- DLPack")
y = torch.arange(4.0)
z = np.from_dlpack(y)
z = np.asarray(z)
print(z, torch.from_dlpack(np.arange(3)), torch.from_dlpack(y).data_ptr() == y.data_ptr())
y[0] = 99
print(z[0])

print("-- tensors as keys, sets, and equality by identity")
key = {x: "x", y: "y"}
print(key[x], x in key, len({x, y, x}), hash(x) == hash(x))
print([t is x for t in (x, y)], x is not None, (x == x).all().item())
