"""The helpers of the book *Dive into Deep Learning*, written anew: `from d2l import torch as d2l`.

They are those of the chapters on preliminaries, linear networks and multilayer perceptrons, with the book's
names and arguments. Next: `torch.py`, which has all of them.
"""

from . import torch

__all__ = ["torch"]
