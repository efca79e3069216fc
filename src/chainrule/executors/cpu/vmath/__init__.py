"""exp, log, tanh, erf, sin, ... as vector code of our own. Read `registry.py` first."""
