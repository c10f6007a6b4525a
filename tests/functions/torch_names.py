"""Calls of functions of networks under the package's own name, with the arguments that PyTorch takes there."""

from beside_torch import numbers

X, Y, K, B, P = numbers((2, 3, 8), (2, 3, 8), (4, 3, 3), (4,), (3,), seed=4)
IMAGE, KERNEL = numbers((1, 4, 5, 6), (2, 4, 3, 2), seed=5)
SOLID, KERNEL3 = numbers((1, 2, 3, 4, 3), (3, 2, 2, 2, 2), seed=6)

CALLS = {
    "conv1d": (lambda t, x, k, b: t.conv1d(x, k, b, 2, 1), X, K, B),
    "conv2d": (lambda t, x, k: t.conv2d(x, k, stride=(1, 2), padding="valid"), IMAGE, KERNEL),
    "conv3d": (lambda t, x, k: t.conv3d(x, k, padding=1), SOLID, KERNEL3),
    "conv_transpose1d": (lambda t, x, k: t.conv_transpose1d(x, k.transpose(0, 1)[:, :2], stride=2), X, K),
    "conv_transpose2d": (lambda t, x, k: t.conv_transpose2d(x, k.transpose(0, 1)), IMAGE, KERNEL),
    "max_pool1d": (lambda t, x: t.max_pool1d(x, 2, 1), X),
    "max_pool1d_with_indices": (lambda t, x: t.max_pool1d_with_indices(x, 3), X),
    "max_pool2d": (lambda t, x: t.max_pool2d(x, (2, 3), padding=1), IMAGE),
    "max_pool3d": (lambda t, x: t.max_pool3d(x, 2), SOLID),
    "avg_pool1d": (lambda t, x: t.avg_pool1d(x, 3, padding=1), X),
    "adaptive_avg_pool1d": (lambda t, x: t.adaptive_avg_pool1d(x, 3), X),
    "adaptive_max_pool1d": (lambda t, x: t.adaptive_max_pool1d(x, 3), X),
    "layer_norm": (lambda t, x: t.layer_norm(x, (8,)), X),
    "rms_norm": (lambda t, x: t.rms_norm(x, (8,), eps=1e-3), X),
    "group_norm": (lambda t, x: t.group_norm(x, 3), X),
    "batch_norm": (lambda t, x, w: t.batch_norm(x, w, None, None, None, True, 0.1, 1e-4, True), X, P),
    "batch_norm, running": (lambda t, x, w: t.batch_norm(x, w, w, w.detach(), (w * w).detach(), False, 0.1, 1e-4, True), X, P),
    "instance_norm": (lambda t, x, w: t.instance_norm(x, w, w, None, None, True, 0.1, 1e-4, True), X, P),
    "embedding": (lambda t, w: t.embedding(w, t.tensor([[0, 2], [2, 1]]), 2), K[0]),
    "prelu": (lambda t, x, w: t.prelu(x, w), X, P),
    "celu": (lambda t, x: t.celu(x, 0.5), X),
    "celu_": (lambda t, x: t.celu_(x * 1, 0.5), X),
    "selu": (lambda t, x: t.selu(x), X),
    "selu_": (lambda t, x: t.selu_(x * 1), X),
    "hardshrink": (lambda t, x: t.hardshrink(x, 0.6), X),
    "threshold": (lambda t, x: t.threshold(x, 0.3, -1.0), X),
    "threshold_": (lambda t, x: t.threshold_(x * 1, 0.3, -1.0), X),
    "rrelu": (lambda t, x: t.rrelu(x, 0.2, 0.4), X),
    "rrelu_": (lambda t, x: t.rrelu_(x * 1, 0.2, 0.4), X),
    "alpha_dropout": (lambda t, x: t.alpha_dropout(x, 0.5, False), X),
    "feature_alpha_dropout": (lambda t, x: t.feature_alpha_dropout(x, 0.5, False), X),
    "bilinear": (lambda t, x, w: t.bilinear(x[:, :, :3], x[:, :, 3:6], w), X, K),
    "constant_pad_nd": (lambda t, x: t.constant_pad_nd(x, [1, -1, 0, 2], 2.5), X),
    "pixel_shuffle": (lambda t, x: t.pixel_shuffle(x, 2), IMAGE),
    "pixel_unshuffle": (lambda t, x: t.pixel_unshuffle(x, 2), IMAGE[:, :, :4]),
    "channel_shuffle": (lambda t, x: t.channel_shuffle(x, 2), IMAGE),
    "bce with logits": (lambda t, x, y: t.binary_cross_entropy_with_logits(x, y.sigmoid(), None, y[0].abs().detach(), 2), X, Y),
    "kl_div": (lambda t, x, y: t.kl_div(x, y, 0, log_target=True), X, Y),
    "kl_div mean": (lambda t, x, y: t.kl_div(x, y.abs()), X, Y),
    "poisson_nll_loss": (lambda t, x, y: t.poisson_nll_loss(x, y.abs(), True, False, 1e-8, 1), X, Y),
    "cosine_embedding_loss": (lambda t, x, y: t.cosine_embedding_loss(x[0], y[0], t.tensor([1, -1, 1]), 0.1, 2), X, Y),
    "hinge_embedding_loss": (lambda t, x, y: t.hinge_embedding_loss(x, (y > 0) * 2.0 - 1.0, 0.5, 1), X, Y),
    "margin_ranking_loss": (lambda t, x, y: t.margin_ranking_loss(x, y, (x.detach() > 0) * 2.0 - 1.0, 0.5), X, Y),
    "triplet_margin_loss": (lambda t, x, y: t.triplet_margin_loss(x, y, x.flip(0) * 0.5, 1.0, 2.0, 1e-6, False, 1), X, Y),
}
