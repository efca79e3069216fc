"""exp, log, tanh, erf, sin, ... as vector code of our own. Read `registry.py` first.

Each of these files puts its functions into the registry's table.
"""

from . import circular as circular
from . import division as division
from . import error as error
from . import exponential as exponential
from . import fused as fused
from . import inverse as inverse
from . import logarithm as logarithm
from . import power as power
