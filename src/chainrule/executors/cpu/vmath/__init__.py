"""exp, log, tanh, erf, sin, ... as vector code of our own. Read `registry.py` first.

Largest errors found, in units in the last place, among some ten million inputs of each type (all exponents
and signs, and around the hard places); the tests allow 2:

                 float32  float64                   float32  float64                   float32  float64
    exp            1.1      1.1         log           0.9      0.9         sin           0.9      0.9
    exp2           0.9      0.9         log2          1.0      1.0         cos           0.9      0.9
    expm1          1.3      1.5         log10         0.9      0.9         tan           1.6      1.7
    sigmoid        1.5      1.5         log1p         1.5      1.4         asin          1.1      1.1
    tanh           1.4      1.4         asinh         0.6      1.9         acos          1.2      1.2
    sinh           1.7      1.7         acosh         0.6      1.8         atan          1.4      1.6
    cosh           1.5      1.5         atanh         0.6      1.7         atan2         1.7      1.6
    erf            1.4      1.0         erfc          0.6      1.9         pow           0.6      1.2

tanh and erf of float32 are computed in one of two ways (`pieces.py`); the table has the larger error.
fmod, remainder and floor_divide are NumPy's to the bit; erfinv, lgamma and digamma are as exact as
`core/special.py`.

Each of these files puts its functions into the registry's table.
"""

from . import circular as circular
from . import division as division
from . import error as error
from . import exponential as exponential
from . import fused as fused
from . import gamma as gamma
from . import inverse as inverse
from . import logarithm as logarithm
from . import power as power
