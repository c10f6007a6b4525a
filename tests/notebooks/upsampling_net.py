# # A small autoencoder: convolutions down, upsampling back

import torch
import torch.nn as nn
import torch.nn.functional as F

# ## Images to compress: a bright square at different places

def squares(count, size=8):
    images = torch.zeros(count, 1, size, size)
    for number in range(count):
        row, column = number % 5, number * 2 % 5
        images[number, 0, row:row + 3, column:column + 3] = 1.0
    return images


X = squares(10)
print(X.shape, X.mean(), X[3, 0])


# ## Down with strided convolutions, up with interpolation


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(8, 4, 3, padding=1), nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.Conv2d(4, 1, 3, padding=1), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def fill(module):
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            wave = torch.sin(torch.arange(parameter.numel()) * 0.9 + number).view_as(parameter)
            parameter.copy_(wave * (0.4 if parameter.dim() > 1 else 0.1))
    return module


net = fill(Autoencoder())
print(net)
h = net.encoder(X)
print(h.shape, net(X).shape)

optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(40):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy(net(X), X)
    loss.backward()
    optimizer.step()
    if epoch < 4:
        print(epoch, f"{loss.item():.4f}")
print(loss.item() < 0.35)

# ## What interpolation does to four pixels

four = torch.tensor([[[[0.0, 1.0], [2.0, 4.0]]]])
for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area"):
    print(mode)
    print(F.interpolate(four, size=(3, 4), mode=mode))
print(F.interpolate(four, scale_factor=2, mode="bilinear", align_corners=True))
print(F.interpolate(torch.arange(6.0).view(1, 1, 6), size=4, mode="linear"))
x = four.clone().requires_grad_()
F.interpolate(x, scale_factor=3, mode="bicubic").square().sum().backward()
print(x.grad)
print(F.interpolate(x, 3).grad_fn.name(), F.interpolate(x, 3, mode="bilinear").grad_fn.name())
try:
    F.interpolate(four, scale_factor=2, align_corners=True)
except ValueError as error:
    print(error)
try:
    F.interpolate(four, scale_factor=2, mode="linear")
except NotImplementedError as error:
    print(error)

# ## Pixel shuffle, unpooling, transposed convolution

tiles = torch.arange(8.0).view(1, 4, 1, 2)
big = F.pixel_shuffle(tiles, 2)
print(big, torch.equal(F.pixel_unshuffle(big, 2), tiles))
print(nn.PixelShuffle(2), nn.Upsample(size=(2, 2)), nn.UpsamplingNearest2d(scale_factor=2))
values, places = F.max_pool2d(four.repeat(1, 1, 2, 1), 2, return_indices=True)
print(values, places)
print(F.max_unpool2d(values, places, 2))
print(F.conv_transpose2d(four, torch.ones(1, 1, 2, 2), stride=2))

# ## A spatial transformer: the image on a turned grid

angle = torch.tensor(0.5, requires_grad=True)
turn = torch.stack([torch.stack([angle.cos(), -angle.sin(), torch.tensor(0.1)]),
                    torch.stack([angle.sin(), angle.cos(), torch.tensor(0.0)])]).unsqueeze(0)
grid = F.affine_grid(turn, (1, 1, 3, 3), align_corners=False)
print(grid.shape, grid[0, 0])
seen = F.grid_sample(X[:1, :, :4, :4], grid, mode="bilinear", padding_mode="zeros", align_corners=False)
print(seen)
(seen * seen).sum().backward()
print(angle.grad)
print(F.grid_sample(four, torch.zeros(1, 1, 1, 2), mode="nearest", align_corners=True))

# ## Pooling of other kinds

x = torch.linspace(0.1, 2.4, 24).view(1, 2, 3, 4)
print(F.lp_pool2d(x, 2, 2))
print(F.adaptive_avg_pool3d(x, (1, 2, 2)))
print(nn.LocalResponseNorm(2)(x)[0, 1])
print(F.channel_shuffle(torch.arange(4.0).view(1, 4, 1), 2).flatten())
