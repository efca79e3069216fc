"""PyTorch's `torch.utils`: the loading of data (`utils.data`)."""

from . import data as data
