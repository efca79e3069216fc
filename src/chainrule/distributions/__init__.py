"""Probability distributions under PyTorch's names: so far the one that the course draws from.

from chainrule.distributions import multinomial
multinomial.Multinomial(10, probs).sample()
"""

from __future__ import annotations

from . import multinomial
from .multinomial import Multinomial

__all__ = ["Multinomial", "multinomial"]
