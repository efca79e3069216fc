"""Load the package as a whole before pytest imports single files of it for their examples.

Otherwise `pytest src/chainrule/tensor.py` would run that file a second time, with another Tensor class.
"""

from importlib import import_module

import_module("chainrule")
