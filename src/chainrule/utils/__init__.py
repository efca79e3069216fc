"""PyTorch's `torch.utils`: loading data (`utils.data`), and less memory for backward (`utils.checkpoint`)."""

from . import checkpoint as checkpoint
from . import data as data
