"""Reshaping, joining, splitting, repeating and permuting, each with its gradient."""

import torch

x = torch.arange(6.0).reshape(2, 3)
y = torch.arange(8.0).reshape(2, 2, 2)
forms = [
    ("reshape", x, lambda t: t.reshape(3, -1)),
    ("view", x, lambda t: t.view(-1)),
    ("flatten", y, lambda t: t.flatten(1)),
    ("flatten range", y, lambda t: torch.flatten(t, start_dim=0, end_dim=1)),
    ("unflatten", x, lambda t: t.unflatten(1, (3, 1))),
    ("ravel", y, lambda t: t.ravel()),
    ("squeeze", x, lambda t: t[:1].squeeze()),
    ("squeeze dim", x, lambda t: t[:1].squeeze(0)),
    ("unsqueeze", x, lambda t: t.unsqueeze(-1)),
    ("transpose", y, lambda t: t.transpose(0, 2)),
    ("movedim", y, lambda t: torch.movedim(t, 0, -1)),
    ("permute", y, lambda t: t.permute(2, 0, 1)),
    ("T", x, lambda t: t.T),
    ("mT", y, lambda t: t.mT),
    ("t", x, lambda t: t.t()),
    ("swapaxes", y, lambda t: t.swapaxes(0, 1)),
    ("expand", x, lambda t: t[:, :1].expand(2, 3)),
    ("expand_as", x, lambda t: t[0].expand_as(x)),
    ("repeat", x, lambda t: t.repeat(2, 1)),
    ("repeat more dims", x, lambda t: t[0].repeat(2, 2)),
    ("repeat_interleave", x, lambda t: t.repeat_interleave(2, dim=1)),
    ("repeat_interleave counts", x, lambda t: torch.repeat_interleave(t, torch.tensor([2, 1]), dim=0)),
    ("tile", x, lambda t: t.tile(2)),
    ("cat", x, lambda t: torch.cat([t, t * 2, t[:1]])),
    ("cat dim", x, lambda t: torch.cat((t, t[:, :1]), dim=1)),
    ("stack", x, lambda t: torch.stack([t[0], t[1], t[0]], dim=1)),
    ("hstack", x, lambda t: torch.hstack([t, t])),
    ("vstack", x, lambda t: torch.vstack([t, t[0]])),
    ("split", x, lambda t: t.split([1, 2], dim=1)[1]),
    ("chunk", x, lambda t: t.chunk(2)[1]),
    ("unbind", x, lambda t: t.unbind(1)[2]),
    ("flip", x, lambda t: t.flip(0, 1)),
    ("flip dims", x, lambda t: torch.flip(t, dims=[1])),
    ("roll", x, lambda t: t.roll(1)),
    ("roll dims", x, lambda t: torch.roll(t, shifts=(1, -1), dims=(0, 1))),
    ("tril", x, lambda t: t.tril()),
    ("triu", x, lambda t: torch.triu(t, diagonal=1)),
    ("diag of matrix", x, lambda t: t.diag()),
    ("diag of vector", x, lambda t: torch.diag(t[1], 1)),
    ("diagonal", y, lambda t: t.diagonal(dim1=0, dim2=2)),
    ("narrow", x, lambda t: t.narrow(1, 1, 2)),
    ("select", x, lambda t: t.select(1, -1)),
    ("index_select", x, lambda t: t.index_select(1, torch.tensor([2, 0, 2]))),
    ("gather", x, lambda t: t.gather(1, torch.tensor([[0, 0], [2, 1]]))),
    ("take_along_dim", x, lambda t: torch.take_along_dim(t, torch.tensor([[1], [0]]), dim=1)),
    ("masked_fill", x, lambda t: t.masked_fill(x > 3, -1.0)),
    ("masked_select", x, lambda t: t.masked_select(x > 2)),
    ("contiguous", x, lambda t: t.T.contiguous()),
    ("clone", x, lambda t: t.clone()),
    ("meshgrid", x, lambda t: torch.meshgrid(t[0], t[1], indexing="ij")[0]),
]
for name, source, form in forms:
    leaf = source.clone().requires_grad_()
    result = form(leaf)
    print(name, result)
    (result * torch.arange(1.0, 1 + result.numel()).view(result.shape)).sum().backward()
    print(leaf.grad.tolist())

print("-- sizes")
s = torch.zeros(2, 3, 4)
print(s.shape, s.size(), s.size(1), s.size(-1), s.dim(), s.ndim, s.numel(), s.nelement(), len(s.shape), s.shape[0], s.shape[1:])
print(tuple(s.shape), list(s.size()), s.shape == (2, 3, 4), s.shape == torch.Size([2, 3, 4]), s.shape.numel(), torch.numel(s))
print(torch.Size([2, 3]) + s.shape[:1], torch.Size([]), torch.tensor(1).shape, torch.is_tensor(s), torch.is_tensor([1]))
print(s.stride(), s.transpose(0, 2).stride(), s[0].storage_offset(), s[1].storage_offset(), s.element_size())
print([t.shape for t in torch.arange(10).tensor_split(3)], [t.tolist() for t in torch.arange(5).split(2)])
print(torch.meshgrid(torch.arange(2), torch.arange(3), indexing="xy"))
print(torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4])), torch.combinations(torch.arange(3)))
print(torch.atleast_2d(torch.tensor(3.0)), torch.ones(2, 3).movedim((0, 1), (1, 0)).shape)
print(torch.ones(1, 2, 1).squeeze((0, 2)).shape)
print(torch.block_diag(torch.ones(1, 2), torch.tensor([[5.0]])), torch.column_stack([torch.arange(2), torch.arange(2)]))
