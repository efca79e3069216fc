"""exp, log, tanh, erf, sin, ... as vector code of our own. Read `registry.py` first."""

from . import division as division  # each puts its functions into the registry's table
from . import power as power
