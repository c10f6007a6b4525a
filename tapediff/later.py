"""Names of the package that are loaded when they are first used, and where each is."""

from __future__ import annotations

__all__ = ["NAMES", "PARTS"]

# parts of the package
PARTS = ("autograd", "nn", "special", "linalg", "optim", "func", "jobs", "utils", "random", "cuda", "backends")

# single names: the module of each, and its name there
NAMES = {
    "record": ("program.program", "record"),
    "Program": ("program.program", "Program"),
    "load_program": ("program.program", "load_program"),
    "custom_op": ("custom", "custom_op"),
    "compile": ("program.compiled", "compile_function"),
    "vmap": ("func.vectorized", "vmap"),
    "save": ("saving", "save"),
    "load": ("saving", "load"),
    "is_anomaly_enabled": ("autograd.anomaly", "is_anomaly_enabled"),
    "is_anomaly_check_nan_enabled": ("autograd.anomaly", "is_anomaly_check_nan_enabled"),
}

# functions of networks that PyTorch has here, too
NETWORKS = (
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "alpha_dropout", "alpha_dropout_", "avg_pool1d", "batch_norm", "bilinear",
    "binary_cross_entropy_with_logits", "celu", "celu_", "channel_shuffle", "constant_pad_nd", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "dropout", "dropout_", "embedding",
    "feature_alpha_dropout", "feature_alpha_dropout_", "feature_dropout", "feature_dropout_", "group_norm", "hardshrink",
    "hinge_embedding_loss", "instance_norm", "kl_div", "layer_norm", "margin_ranking_loss", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool3d", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu",
    "rms_norm", "rrelu", "rrelu_", "selu", "selu_", "threshold", "threshold_", "triplet_margin_loss",
)

NAMES |= {name: ("nn.direct", name) for name in NETWORKS}
