# # A small transformer that learns to reverse a sequence

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

# ## Sequences of digits, and what to say: the same backwards

VOCABULARY, LENGTH, WIDTH = 6, 5, 8


def sequences(count):
    places = torch.arange(count * LENGTH).view(count, LENGTH)
    return (places * places // 3 + places // LENGTH) % VOCABULARY


X = sequences(24)
Y = X.flip(1)
print(X[:3])
print(Y[:3])
print(torch.unique(X, return_counts=True))


# ## The model


class PositionalEncoding(nn.Module):
    def __init__(self, width, length):
        super().__init__()
        place = torch.arange(length).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(100.0) / width))
        table = torch.zeros(length, width)
        table[:, 0::2] = torch.sin(place * rate)
        table[:, 1::2] = torch.cos(place * rate)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table[: x.size(1)]


class Reverser(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.position = PositionalEncoding(WIDTH, LENGTH)
        layer = nn.TransformerEncoderLayer(WIDTH, nhead=2, dim_feedforward=16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, x, mask=None):
        h = self.position(self.embedding(x) * math.sqrt(WIDTH))
        return self.head(self.encoder(h, mask=mask))


def fill(module):
    """Weights that do not depend on a random generator."""
    with torch.no_grad():
        for number, (name, parameter) in enumerate(module.named_parameters()):
            if parameter.dim() > 1:
                wave = torch.sin(torch.arange(parameter.numel()) * 1.3 + number).view_as(parameter)
                parameter.copy_(wave * (0.5 / math.sqrt(parameter.size(-1) / 8)))
            else:
                parameter.fill_(1.0 if "norm" in name and "weight" in name else 0.0)
    return module


model = fill(Reverser())
print(model)
print(sum(p.numel() for p in model.parameters()))
for name, parameter in model.encoder.layers[0].named_parameters():
    print(name, tuple(parameter.shape))

# ## Attention by itself

attention = fill(nn.MultiheadAttention(4, 2, batch_first=True))
q = torch.linspace(-1, 1, 12).view(1, 3, 4)
output, weights = attention(q, q, q)
print(output)
print(weights, weights.sum(-1))
mask = nn.Transformer.generate_square_subsequent_mask(3)
print(mask)
output, weights = attention(q, q, q, attn_mask=mask, is_causal=True)
print(weights)
_, each = attention(q, q, q, average_attn_weights=False)
print(each.shape)
hidden = torch.tensor([[False, False, True]])
print(attention(q, q, q, key_padding_mask=hidden)[1])
print(F.scaled_dot_product_attention(q, q, q, is_causal=True))

# ## Training

optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(60):
    optimizer.zero_grad()
    logits = model(X)
    loss = loss_fn(logits.reshape(-1, VOCABULARY), Y.reshape(-1))
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if epoch in (0, 1, 2, 5):
        print(epoch, f"{loss.item():.4f}", f"{norm.item():.3f}")
print(loss.item() < 0.8)
model.eval()
with torch.no_grad():
    right = (model(X).argmax(-1) == Y).float().mean()
print(right.item() > 0.7)

# ## A decoder looks at what an encoder made, and not into the future

decoder = fill(nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True), 1))
memory = torch.cos(torch.arange(8.0)).view(1, 2, 4)
first = decoder(q, memory, tgt_mask=mask)
changed = q.clone()
changed[0, 2] += 1.0
second = decoder(changed, memory, tgt_mask=mask)
print(torch.allclose(first[0, :2], second[0, :2]), torch.allclose(first[0, 2], second[0, 2]))
print(first)

# ## Padding: an embedding that does not learn

embedding = nn.Embedding(4, 2, padding_idx=0)
tokens = torch.tensor([[1, 2, 0, 0], [3, 1, 2, 0]])
embedding(tokens).sum().backward()
print(embedding.weight.grad)
print(tokens == 0)
try:
    nn.MultiheadAttention(5, 2)
except AssertionError as error:
    print(error)
