"""Derivatives as functions of functions, with the names of `torch.func`. They nest in any order.

`grad` and `vjp` (reverse.py) walk back over the tape of one run; `jvp`, `linearize` and `hvp` (forward.py)
carry tangents along. `vmap` (mapping.py) maps a function over rows, without a loop; with it, `jacrev`,
`jacfwd`, `hessian` (jacobians.py) and `jacobian` (layouts.py) compute all derivatives in one pass.
"""

from ..transforms.rows import VmapError
from .forward import hvp, jvp, linearize
from .jacobians import hessian, jacfwd, jacrev
from .layouts import jacobian
from .mapping import vmap
from .modules import functional_call, stack_module_state
from .reverse import grad, grad_and_value, vjp

__all__ = [
    "VmapError",
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "stack_module_state",
    "vjp",
    "vmap",
]
