# # Variational inference: a distribution fitted by the gradient of its samples

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

# ## Data: a line with noise

x = torch.linspace(-1, 1, 20)
noise = 0.3 * torch.sin(torch.arange(20) * 2.3)
y = 0.5 + 1.5 * x + noise
design = torch.stack([torch.ones_like(x), x], dim=1)
print(design.shape, y.mean(), torch.corrcoef(torch.stack([x, y])))

# ## The posterior is known: a normal distribution

precision, alpha = 1 / 0.3**2, 1.0
A = alpha * torch.eye(2) + precision * design.t() @ design
mean = torch.linalg.solve(A, precision * design.t() @ y)
covariance = torch.inverse(A)
print(mean)
print(covariance.diagonal(), covariance[0, 1].abs() < 1e-12)

# ## Fit q = N(m, diag(exp(2 s))) by reparameterization: w = m + exp(s) * eps

# normal numbers without a generator: the inverse of the distribution function at even places
u = (torch.arange(64).view(32, 2) * torch.tensor([0.6180339887498949, 0.41421356237309515])) % 1 * 0.998 + 0.001
eps = math.sqrt(2) * torch.erfinv(2 * u - 1)
print(eps.mean(0), torch.cov(eps.t()))


def log_normal(value, mu, log_sigma):
    return -0.5 * ((value - mu) / log_sigma.exp()) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)


def elbo(m, s):
    w = m + s.exp() * eps
    fit = log_normal(y, w @ design.t(), torch.tensor(0.3).log()).sum(1)
    prior = log_normal(w, torch.tensor(0.0), torch.tensor(0.0)).sum(1)
    entropy = s.sum() + 1 + math.log(2 * math.pi)
    return (fit + prior).mean() + entropy


m = torch.zeros(2, requires_grad=True)
s = torch.full((2,), -1.0, requires_grad=True)
value = elbo(m, s)
value.backward()
print(value, m.grad, s.grad)

optimizer = torch.optim.Adam([m, s], lr=0.05)
for step in range(300):
    optimizer.zero_grad()
    loss = -elbo(m, s)
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(step, f"{loss.item():.6f}")
print(m, s.exp())
print((m - mean).abs().max() < 0.05, s.exp() / (1 / A.diagonal().sqrt()))

# ## KL divergence of two normals, by formula and by autograd


def kl(mu, log_sigma):
    return (-log_sigma + 0.5 * ((2 * log_sigma).exp() + mu**2) - 0.5).sum()


print(kl(m, s))
g_m, g_s = torch.autograd.grad(kl(m, s), (m, s))
print(torch.allclose(g_m, m.detach()), torch.allclose(g_s, (2 * s).exp().detach() - 1))
p, q = torch.tensor([0.2, 0.5, 0.3]), torch.tensor([0.4, 0.4, 0.2])
print(F.kl_div(q.log(), p, reduction="sum"), (p * (p / q).log()).sum())
print(torch.kl_div(q.log(), p.log(), reduction=1, log_target=True))


# ## A variational autoencoder in a few lines


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(4, 3)
        self.mu = nn.Linear(3, 1)
        self.log_var = nn.Linear(3, 1)
        self.decode = nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 4))

    def forward(self, x, eps):
        h = torch.tanh(self.encode(x))
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + torch.exp(0.5 * log_var) * eps
        return self.decode(z), mu, log_var


vae = VAE()
with torch.no_grad():
    for number, parameter in enumerate(vae.parameters()):
        parameter.copy_(0.5 * torch.sin(torch.arange(parameter.numel()) * 1.7 + number).view_as(parameter))
print(vae)
angle = torch.linspace(0, 3, 16).unsqueeze(1)
data = torch.cat([angle.sin(), angle.cos(), (2 * angle).sin(), angle / 3], 1)
draws = eps[:16, :1]
optimizer = torch.optim.SGD(vae.parameters(), lr=0.02, momentum=0.9)
for step in range(60):
    optimizer.zero_grad()
    decoded, mu, log_var = vae(data, draws)
    reconstruction = F.mse_loss(decoded, data, reduction="sum")
    divergence = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
    loss = (reconstruction + 0.1 * divergence) / len(data)
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(step, f"{loss.item():.6f} {reconstruction.item():.5f} {divergence.item():.5f}")

# ## Samples flow through Gumbel's trick: hard forward, soft backward

logits = torch.tensor([0.5, -0.2, 0.1], requires_grad=True)
gumbel = -torch.log(-torch.log(u[:5, :1].expand(5, 3) * torch.tensor([0.3, 0.6, 0.9]) + 0.05))
soft = F.softmax((logits + gumbel) / 0.7, dim=-1)
hard = F.one_hot(soft.argmax(-1), 3).to(soft.dtype)
choice = hard - soft.detach() + soft
print(choice.detach())
(choice * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
print(logits.grad)

# ## The score function: an estimate without differentiating the sample

theta = torch.tensor(0.3, requires_grad=True)
coins = (u[:, 0] < theta.item()).double()
log_prob = coins * theta.log() + (1 - coins) * (1 - theta).log()
reward = (coins - 0.5) ** 2 + coins
surrogate = (log_prob * (reward - reward.mean())).mean()
surrogate.backward()
print(coins.mean(), theta.grad)
weights = torch.softmax(log_prob.detach(), 0)
print(torch.logsumexp(log_prob, 0), (weights * reward).sum(), weights.square().sum().reciprocal())
torch.set_default_dtype(torch.float32)
