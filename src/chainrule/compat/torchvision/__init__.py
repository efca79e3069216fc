"""The part of torchvision that the first chapters of the book use: MNIST, Fashion-MNIST, some transforms.

Next: `datasets.py`.
"""

from . import datasets, transforms

__all__ = ["datasets", "transforms"]
