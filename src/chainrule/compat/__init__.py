"""Programs written for PyTorch and the book *Dive into Deep Learning* run on chainrule, as they are.

`install()` makes `import torch`, `torchvision` and `from d2l import torch as d2l` give chainrule in the
running program; `python -m chainrule.compat FILE` does so for a script or a notebook from outside, and with
`--missing` lists what it needs that is not there.

    standins.py   which module stands for which; the line about a name that is missing
    finder.py     install, uninstall: what imports find
    program.py    scripts and notebooks as cells of Python; lines for Jupyter are left out
    running.py    runs the cells; traces that begin in the program
    missing.py    what a program needs, found without running it
    command.py    the command line
    pictures.py   what becomes of pictures that a program leaves open
    cuda.py       `torch.cuda` of a machine that has none
    notebook/     `IPython.display` and `matplotlib_inline` where they are not installed
    d2l/          the book's helpers; torchvision/: its data sets

`docs/compat.md` shows how to use it.
"""

from .finder import install, uninstall
from .standins import MissingModule, MissingName

__all__ = ["MissingModule", "MissingName", "install", "uninstall"]
