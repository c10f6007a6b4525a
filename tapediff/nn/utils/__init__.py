"""Utilities for the parameters of modules, under the names of torch.nn.utils."""

from tapediff.nn.utils import parametrizations, parametrize
from tapediff.nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from tapediff.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from tapediff.nn.utils.weight_norm import remove_weight_norm, weight_norm

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm", "parameters_to_vector", "parametrizations",
    "parametrize", "remove_weight_norm", "vector_to_parameters", "weight_norm",
]
