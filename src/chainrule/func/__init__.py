"""Derivatives as functions of functions, with the names of `torch.func`. They nest in any order.

`grad` and `vjp` (reverse.py) walk back over the tape of one run; `jvp`, `linearize` and `hvp` (forward.py)
carry tangents along. `vmap` (mapping.py) maps a function over rows, without a loop.
"""

from .forward import hvp, jvp, linearize
from .mapping import vmap
from .modules import functional_call, stack_module_state
from .reverse import grad, grad_and_value, vjp

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hvp",
    "jvp",
    "linearize",
    "stack_module_state",
    "vjp",
    "vmap",
]
