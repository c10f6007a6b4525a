"""Broadcasting forward and summing back in the gradient."""

import torch

shapes = [((3,), (2, 3)), ((2, 1), (1, 3)), ((), (2, 2)), ((1,), (3,)), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3)), ((5, 1), (0,))]
for left, right in shapes:
    n, m = max(1, torch.Size(left).numel()), max(1, torch.Size(right).numel())
    a = torch.arange(1.0, n + 1)[: torch.Size(left).numel()].reshape(left).requires_grad_()
    b = (torch.arange(1.0, m + 1) / 2)[: torch.Size(right).numel()].reshape(right).requires_grad_()
    y = a * b + a / (b + 1)
    print(left, right, y.shape)
    y.sum().backward()
    print(a.grad)
    print(b.grad)

print("-- where, maximum, lerp with three shapes")
c = torch.tensor([[True], [False]])
p = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
q = torch.tensor(10.0, requires_grad=True)
w = torch.where(c, p, q)
print(w)
w.sum().backward()
print(p.grad, q.grad)
p.grad = q.grad = None
torch.maximum(p, torch.tensor([[2.0], [0.0]])).sum().backward()
print(p.grad)
p.grad = None
torch.lerp(p, q, torch.tensor([[0.25], [0.5]])).sum().backward()
print(p.grad, q.grad)

print("-- broadcast helpers")
print(torch.broadcast_shapes((2, 1), (1, 3), (3,)))
u, v = torch.broadcast_tensors(torch.arange(3).view(1, 3), torch.arange(2).view(2, 1))
print(u, v)
print(torch.arange(3).broadcast_to(2, 3), torch.broadcast_to(torch.tensor(7), (2,)))
print(torch.tensor([1, 2]).expand(3, 2), torch.tensor([[1], [2]]).expand(-1, 3), torch.tensor([1]).expand_as(torch.ones(4)))

print("-- outer products by None")
r = torch.arange(3.0)
print(r[:, None] - r[None, :])
print((r[:, None] == r).int())
points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]], requires_grad=True)
gaps = points[:, None, :] - points[None, :, :]
squared = (gaps**2).sum(-1)
print(squared)
(squared * torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])).sum().backward()
print(points.grad)

print("-- shapes that do not fit")
for left, right in [((2,), (3,)), ((2, 3), (2,)), ((4, 1, 2), (3, 3))]:
    try:
        torch.zeros(left) + torch.zeros(right)
    except RuntimeError as error:
        print("must match the size of tensor b" in str(error), "at non-singleton dimension" in str(error))

print("-- the mean of a standardised matrix, with keepdim")
data = torch.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 10.0]], requires_grad=True)
scaled = (data - data.mean(0, keepdim=True)) / data.std(0, keepdim=True)
print(scaled)
(scaled * torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])).sum().backward()
print(data.grad)
