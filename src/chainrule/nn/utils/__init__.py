"""Helpers around parameters and their gradients, under PyTorch's names. Next: `clip.py`."""

from __future__ import annotations

from .clip import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from .project import project_norm_
from .vector import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "project_norm_",
    "vector_to_parameters",
]
